/**
 * What goes out with a model: its weights, and the card that says what it is, in the form of the Hugging Face Hub.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { knownText } from '../../compiler/docs/content.js';
import type { CompiledModel } from '../../compiler/driver.js';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import type { TaskInfo } from '../../compiler/model/info.js';
import type { StoredTensor } from '../checkpoint/safetensors.js';
import { initialState, modelTensors } from '../train/state.js';
import { writeAtomic } from '../files/atomic.js';
import { readSpecWeights } from '../train/load.js';
import { loadWeights } from '../train/weights.js';
import { version } from '../version.js';

export interface ExportedWeights {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Steps of training behind them; 0 for the start of training. */
  readonly step: number;
}

/**
 * The weights of a run, or those that training starts from, with what the spec loads from files.
 * @param root folder of the project, in which the paths of files that the spec loads begin
 * @throws InputFault where the run has none of this spec
 * @throws SpecFault where a file that the spec loads cannot be read or does not fit
 */
export function exportedWeights(
  model: CompiledModel,
  run: string | undefined,
  root: string,
): ExportedWeights {
  if (run !== undefined) {
    const { weights, step } = loadWeights(run, model);
    return { tensors: weights as ReadonlyMap<string, StoredTensor>, step };
  }
  const state = initialState(model.layout, model.info.train.seed, readSpecWeights(model, root));
  return { tensors: new Map(Object.entries(modelTensors(model.layout, state))), step: 0 };
}

export interface CardOptions {
  readonly target: 'onnx' | 'pytorch' | 'run';
  readonly run?: string;
  readonly step: number;
}

interface Metric {
  readonly name: string;
  readonly value: number;
  readonly file: string;
  readonly provenance: string;
}

/** `README.md`: metadata as YAML, then what the model is, what it was trained on, how it is used, how good it is. */
export function modelCard(model: CompiledModel, options: CardOptions): string {
  const { info, layout } = model;
  const metrics = options.run === undefined ? [] : metricsOf(options.run, model.hash());
  const results = metrics.flatMap((m) => [
    `          - name: ${quoted(m.name)}`,
    `            type: ${quoted(m.name.split('.').at(-1) ?? m.name)}`,
    `            value: ${yamlNumber(m.value)}`,
    `            verified: false`,
  ]);
  const index =
    metrics.length === 0
      ? []
      : [
          ...['model-index:', `  - name: ${quoted(info.name)}`, '    results:'],
          ...['      - task:', `          type: ${quoted(pipelineTag(model))}`],
          ...['        dataset:', '          name: "FILL IN: name of the data"', '          type: "FILL IN"'],
          ...['        metrics:', ...results],
        ];
  const front = [
    '---',
    'license: other # FILL IN: the licence of these weights',
    'license_name: fill-in',
    'library_name: mmdc',
    `pipeline_tag: ${pipelineTag(model)}`,
    'tags:',
    ...['diffusion', 'multimodal', 'mmdc', ...(options.target === 'run' ? [] : [options.target])].map(
      (t) => `  - ${t}`,
    ),
    'datasets: [] # FILL IN: identifiers of the data',
    ...index,
    '---',
  ];
  const parts = [
    front.join('\n'),
    `# ${info.name}`,
    info.doc === '' ? 'FILL IN: what the model is.' : info.doc,
    `A multimodal diffusion model (MT-Diffusion, [arXiv 2407.17571](https://arxiv.org/abs/2407.17571)), compiled from its spec by mmdc ${version()}.`,
    table(
      ['', ''],
      [
        ['spec (SHA-256)', `\`${model.hash()}\``],
        ['parameters', (layout.size + layout.frozenSize).toLocaleString('en')],
        ['training steps behind the weights', String(options.step)],
        [
          'weights',
          options.step === 0 ? 'as training starts: untrained' : 'moving average of the parameters',
        ],
        [
          'process',
          `${info.process.steps} steps, origin ${info.process.origin.form === 'modality' ? `\`${info.process.origin.name}\`` : info.process.origin.form}`,
        ],
      ],
    ),
    '## Modalities',
    table(
      ['modality', 'type', 'likelihood'],
      info.modalities.map((m) => [`\`${m.name}\``, `${m.type}[${m.shape.join(', ')}]`, m.likelihood.form]),
    ),
    '## Use',
    use(model, options.target),
    table(
      ['task', 'given', 'produced', 'sampler', 'guidance'],
      info.tasks.map((task) => [
        `\`${task.name}\``,
        list(task.given),
        `${list(task.produced)}${knownText(task)}`,
        samplerOf(task),
        String(task.guidance),
      ]),
    ),
    '## Data and training',
    `FILL IN: where the data come from, what they contain, their licence.\n\n${sources(model)}`,
    `AdamW, peak rate ${info.train.rate.peak}, batches of ${info.train.batch}, moving average ${info.train.ema}, seed ${info.train.seed}.`,
    '## Results',
    metrics.length === 0
      ? 'None were measured: `mmdc eval RUN --data DIR --out RUN/eval.json` writes them, and compiling again puts them here.'
      : table(
          ['metric', 'value', 'from', 'provenance'],
          metrics.map((m) => [m.name, String(m.value), `\`${m.file}\``, m.provenance]),
        ),
    '## Limits and risks',
    'FILL IN: what the model must not be used for, and how it fails.',
  ];
  const text = parts.join('\n\n');
  return `${text}\n\n${seal(text)}\n`;
}

/** Says of which text a card was made, so that one that somebody has filled in is told from one that nobody touched. */
const seal = (text: string): string =>
  `<!-- written by mmdc, and again after an evaluation as long as nothing is changed: ${createHash('sha256').update(text).digest('hex')} -->`;

/**
 * Writes the card of a run, unless there is one that somebody has changed.
 * @returns whether it was written
 */
export function writeCard(run: string, card: string): boolean {
  const file = join(run, 'README.md');
  if (existsSync(file)) {
    const there = readFileSync(file, 'utf8').trimEnd();
    const end = there.lastIndexOf('\n\n<!-- ');
    if (end < 0 || there.slice(end + 2) !== seal(there.slice(0, end))) return false;
  }
  writeAtomic(file, card);
  return true;
}

/** The Hub's name for what the model does. */
function pipelineTag(model: CompiledModel): string {
  const { modalities, tasks } = model.info;
  const images = new Set(modalities.filter((m) => m.type === 'image').map((m) => m.name));
  const makes = tasks.some((task) => task.produced.some((name) => images.has(name)));
  return makes ? 'unconditional-image-generation' : 'other';
}

function samplerOf(task: TaskInfo): string {
  if (task.readout.form === 'terminal') return `mean of ${task.readout.calls} predictions at t = T`;
  const eta = task.sampler.form === 'ddim' && task.sampler.eta !== 0 ? ` (eta ${task.sampler.eta})` : '';
  return `${task.sampler.form}${eta}, ${task.steps} calls`;
}

const list = (names: readonly string[]): string =>
  names.length === 0 ? 'nothing' : names.map((name) => `\`${name}\``).join(', ');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function use(model: CompiledModel, target: CardOptions['target']): string {
  const [task] = model.info.tasks;
  const name = packageName(model.info.name);
  const first = task?.name ?? 'TASK';
  switch (target) {
    case 'pytorch':
      return `\`\`\`sh
pip install .
python -m ${name}.sample . --task ${first} --out samples
torchrun --nproc-per-node=8 -m ${name}.train --data DATA --out RUN --fsdp --bf16 --compile
\`\`\``;
    case 'onnx':
      return `\`task.NAME.onnx\` holds a whole reverse chain: inputs are what is given and standard normal \`noise\`, outputs the means of what is produced. Opset 20, any number of rows.

\`\`\`python
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("task.${first}.onnx")
draws, _, *space = next(p.shape for p in session.get_inputs() if p.name == "noise")
noise = np.random.default_rng(0).standard_normal((draws, 16, *space)).astype("float32")
session.run(None, {"noise": noise})  # and "x.NAME" for what is given
\`\`\``;
    case 'run':
      return `\`\`\`sh
npx mmdc sample . --task ${first} --out samples
\`\`\``;
  }
}

function sources(model: CompiledModel): string {
  const { set, columns } = model.info.data;
  if (set) return `The embedded set \`${String(set.source.args.name)}\` of mmdc.`;
  if (columns.length === 0) return 'The spec names no data.';
  return table(
    ['modality', 'file'],
    columns.map((c) => [`\`${c.modality}\``, `\`${c.source.form}("${String(c.source.args.path)}")\``]),
  );
}

/** YAML 1.1, which the Hub's reader speaks, takes `1e-7` for text and `1.0e-7` for a number. */
const yamlNumber = (x: number): string => String(x).replace(/^(-?\d+)e/, '$1.0e');

/** What `mmdc eval` wrote into the run about this spec, from every JSON file that has its form. */
function metricsOf(run: string, hash: string): Metric[] {
  if (!existsSync(run)) return [];
  return readdirSync(run)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((file) => {
      let value: unknown;
      try {
        value = JSON.parse(readFileSync(join(run, file), 'utf8'));
      } catch {
        return [];
      }
      const { metrics, provenance } = value as {
        metrics?: Record<string, { value?: unknown; count?: unknown }>;
        provenance?: Record<string, unknown>;
      };
      if (typeof metrics !== 'object' || metrics === null) return [];
      if (provenance?.spec !== hash) return [];
      const from = Object.entries(provenance)
        .filter(([, v]) => ['string', 'number', 'boolean'].includes(typeof v))
        // Where the data lie on somebody's machine concerns nobody else.
        .map(([k, v]) => `${k}: ${k === 'data' ? basename(String(v)) : String(v)}`);
      return Object.entries(metrics).flatMap(([name, metric]): Metric[] =>
        typeof metric.value === 'number'
          ? [
              {
                name,
                value: metric.value,
                file: basename(file),
                provenance: [typeof metric.count === 'number' ? `n = ${metric.count}` : '', ...from]
                  .filter((t) => t !== '')
                  .join('; '),
              },
            ]
          : [],
      );
    });
}

const quoted = (text: string): string => JSON.stringify(text);
