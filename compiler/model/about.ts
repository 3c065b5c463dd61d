/**
 * What every setting of a model means, in a sentence of Markdown, for editors and documentation. A test holds that
 * none is missing.
 *
 * @module
 */
import type { SectionName } from '../../grammar/ast.js';

/** Of the blocks. */
export const aboutSections: Readonly<Record<SectionName, string>> = {
  process: 'The forward process: $z_t = \\sum_j c_j(t) Y_j + \\sigma_t \\varepsilon$ with $Y_j = E_j(x_j)$.',
  loss: 'The terms of the bound, each with its weight or its form.',
  train: 'How the objective is minimised.',
  data: 'Where the rows of each modality come from.',
  eval: 'The rows that are held out.',
};

/** By path; `*` stands for a name of the spec. */
const settings: Readonly<Record<string, string>> = {
  'process.steps': 'T, the number of steps.',
  'process.retention': '$a_t$ itself: how much of the variance a step keeps.',
  'process.alpha': 'The schedule that `normaliser` divides to give $a_t$, as in MT-Diffusion.',
  'process.normaliser': 'What `alpha` is divided by: N + 1 for N aggregated modalities.',
  'process.origin': 'What $z_0$ is: a modality, the mean of all encodings, or zero.',
  'process.weights':
    'How encodings enter $z_t$: one form for all aggregated modalities, or one for each in a block.',
  'process.weights.*': 'How the encoding of this modality enters $z_t$.',
  'process.predict': 'What `decoder z` gives: the origin, v, or the noise.',
  'loss.L0': 'Weight of the prior term, KL of $q(z_T | x)$ from N(0, I).',
  'loss.L1': 'The diffusion term: the bound, or the simplified squared error with an SNR weight.',
  'loss.L2': 'The reconstruction terms, for all modalities or in a block for each.',
  'loss.L2.*':
    'Weight of the negative log likelihood of this modality: in nats per row, or `mean` per element.',
  'loss.L3': "Weight of the origin's own likelihood at t = 1.",
  'loss.pi':
    'How much every t counts in L2: as often as it is drawn, or by a curve whose sum over t is 1, whatever is drawn.',
  'loss.encoders':
    'Whether L1 and L3 move learned encoders: `stopped` leaves them to L0 and L2, `trained` lets all terms through.',
  'loss.balance':
    'How terms are weighed against each other: `fixed` by their weights, or `uncertainty` by learned variances as well (Kendall et al., 2018).',
  'train.optimizer': 'The optimiser and its constants.',
  'train.rate': 'The learning rate over the steps, or a number.',
  'train.batch': 'Rows of a step.',
  'train.steps': 'Number of training steps.',
  'train.ema': 'Decay of the moving average of the weights, from which samples are drawn.',
  'train.seed': 'Seed of everything random in a run.',
  'train.clip': 'Largest norm of the gradient; 0 does not clip.',
  'train.timesteps': 'How t is drawn over the rows of a batch.',
  'train.roles': 'How often each way of giving and producing modalities is trained.',
  'train.roles.all': 'Share of rows in which everything is produced.',
  'train.roles.tasks': 'Share of rows that follow a declared task.',
  'train.roles.any': 'Share of rows with any subset given.',
  'train.roles.absent': 'Probability with which a given modality is hidden, which guidance needs.',
  'data.source': 'One set that brings every modality.',
  'data.rows': 'The rows that are trained on, `from..to`.',
  'data.*': 'The file or folder of this modality, relative to `--data`.',
  'data.join': 'Whether rows of different sources belong together by their order or by their names.',
  'data.errors': 'Whether a row that cannot be decoded stops everything, or is left out and counted.',
  'eval.rows': 'The rows that are held out, `from..to`.',
  'eval.metrics': 'What `mmdc eval` reports: the metrics of every modality that is named.',
  'task.*.guidance': 'g of classifier-free guidance; 1 is none.',
  'task.*.sampler': 'How steps of the reverse process are taken.',
  'task.*.steps': 'Model calls of the chain.',
  'task.*.readout': 'The chain, or the mean prediction of several calls at t = T.',
  'task.*.known':
    'Where what is produced is known already: `outside(hole)` or `inside(region)`, for all pictures or in a block for each. Known pixels stay as they are, at every step.',
  'task.*.known.*': 'Where this modality is known already.',
  'modality.*.likelihood': 'p(x | parameters), what L2 measures.',
  '*.*.load': 'A file of weights that the declaration starts from.',
  '*.*.prefix': 'What the names of its weights begin with in that file.',
  '*.*.frozen': 'Whether its weights stay as they are while the rest is trained.',
  'encoder.*.scale': 'Whether a learned encoding is centred and scaled to unit root mean square.',
};

/** What a setting means: `aboutSetting('task.draw', 'guidance')`. */
export function aboutSetting(path: string, key: string): string | undefined {
  const own = `${path}.${key}`;
  if (Object.hasOwn(settings, own)) return settings[own];
  const parts = path.split('.');
  const named = ['task', 'modality', 'encoder', 'backbone', 'decoder'].includes(parts[0]);
  return named ? (settings[`${parts[0]}.*.${key}`] ?? settings[`*.*.${key}`]) : settings[`${path}.*`];
}
