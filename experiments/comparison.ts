/**
 * The tables of a system: every comparison at both budgets, every figure of every model, and where they come from.
 *
 * @module
 */
import type { Evaluation } from '../runtime/eval/model.js';
import { matrix } from './matrix.js';
import { showSeconds } from './progress.js';
import { paired, verdict, type Better, type Paired, type Verdict } from './statistics.js';

/**
 * `shared`: all baselines together cost no more than the joint model, and each sees as many rows of its task as the
 * joint model does. `equal`: each costs what the joint model costs, and sees several times as many.
 */
export type Budget = 'shared' | 'equal';

export interface Trained {
  readonly model: string;
  /** null for the joint model, of which the budget is the measure. */
  readonly budget: Budget | null;
  readonly seed: number;
  readonly steps: number;
  readonly batch: number;
  /** Of its rows, those that are trained on declared tasks. */
  readonly share: number;
  readonly tasks: readonly string[];
  readonly parameters: number;
  readonly hash: string;
  readonly seconds: number;
  readonly commit: string | null;
  readonly evaluation: Evaluation;
}

export interface Compared {
  readonly metric: string;
  readonly better: Better;
  readonly against: string;
  readonly budget: Budget;
  readonly ablation: boolean;
  readonly joint: readonly number[];
  readonly other: readonly number[];
  readonly margin: number;
  readonly paired: Paired;
  readonly verdict: Verdict;
}

export interface SystemResult {
  readonly format: 1;
  readonly system: number;
  readonly name: string;
  readonly title: string;
  readonly reduced: boolean;
  readonly command: string;
  readonly commit: string | null;
  readonly measured: string;
  readonly machine: string;
  readonly seeds: readonly number[];
  readonly models: readonly Trained[];
  readonly comparisons: readonly Compared[];
  /** Comparisons that could not be made, and why. */
  readonly omitted: readonly string[];
  /** What every question to the joint model gave, by seed. */
  readonly roles?: readonly Evaluation['tasks'][];
}

/** `TASK.MODALITY.METRIC` of an evaluation; undefined where it was not measured. */
export function figure(evaluation: Evaluation, metric: string): number | undefined {
  const dot = metric.indexOf('.');
  return evaluation.tasks[metric.slice(0, dot)]?.[metric.slice(dot + 1)]?.value;
}

/** How much lower counts as no worse: in the metric's unit, or as a share of what the other model has: `10 %`. */
export type Margin = number | `${number} %`;

const absolute = (margin: Margin, other: readonly number[]): number =>
  typeof margin === 'number' ? margin : (Number(margin.slice(0, -2)) / 100) * Math.abs(mean(other));

/** What one comparison at one budget says; undefined where a figure is missing. */
export function compare(
  models: readonly Trained[],
  what: { metric: string; better: Better; against: string; ablation?: true },
  budget: Budget,
  margin: Margin,
): Compared | undefined {
  const joint: number[] = [];
  const other: number[] = [];
  for (const first of models.filter((m) => m.budget === null)) {
    const second = models.find(
      (m) => m.model === what.against && m.budget === budget && m.seed === first.seed,
    );
    const [a, b] = [figure(first.evaluation, what.metric), second && figure(second.evaluation, what.metric)];
    if (a === undefined || b === undefined) return undefined;
    joint.push(a);
    other.push(b);
  }
  if (joint.length === 0) return undefined;
  const difference = paired(joint, other, what.better);
  const { metric, better, against, ablation = false } = what;
  const least = absolute(margin, other);
  const result = {
    metric,
    better,
    against,
    budget,
    ablation,
    joint,
    other,
    margin: least,
    paired: difference,
  };
  return { ...result, verdict: verdict(difference, least) };
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const show = (x: number | null): string => (x === null ? '' : x.toPrecision(3));
const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const head = (...cells: string[]): string[] => [row(cells), row(cells.map(() => '---'))];

/** Main metrics on which the joint model is below a baseline by more than the margin, for the first lines of a page. */
export function below(result: SystemResult): string[] {
  if (result.reduced) return [];
  return result.comparisons
    .filter((c) => !c.ablation && c.verdict === 'below')
    .map((c) => `\`${c.metric}\` (${c.against}, ${budgets[c.budget]})`);
}

const budgets: Readonly<Record<Budget, string>> = {
  shared: 'equal total compute',
  equal: 'equal steps',
};

/** All tables, as Markdown. */
export function markdown(result: SystemResult): string {
  const bad = below(result);
  return [
    ...(result.reduced ? ['**reduced: no claim**', ''] : []),
    ...(bad.length > 0 ? [`**Below its baseline by more than the margin:** ${bad.join(', ')}.`, ''] : []),
    ...head(
      'metric',
      'against',
      'budget',
      'joint',
      'other',
      'ratio',
      'gain',
      'bound (95 %)',
      'margin',
      'verdict',
    ),
    ...result.comparisons.map((c) =>
      row([
        `\`${c.metric}\` (${c.better} is better)`,
        `${c.against}${c.ablation ? ' (ablation)' : ''}`,
        budgets[c.budget],
        show(mean(c.joint)),
        show(mean(c.other)),
        (mean(c.joint) / mean(c.other)).toFixed(2),
        show(c.paired.gain),
        show(c.paired.bound),
        show(c.margin),
        c.verdict,
      ]),
    ),
    '',
    ...result.omitted.flatMap((line) => [`Not compared: ${line}.`, '']),
    ...head('model', 'budget', 'seed', 'parameters', 'steps', 'rows of each task', 'training'),
    ...result.models.map((m) =>
      row([
        m.model,
        m.budget === null ? '' : budgets[m.budget],
        m.seed,
        m.parameters,
        m.steps,
        Math.round((m.steps * m.batch * m.share) / m.tasks.length),
        showSeconds(m.seconds),
      ]),
    ),
    '',
    ...figures(result.models),
    ...(result.roles ? matrix(result.roles) : []),
    provenance(result),
  ].join('\n');
}

/** Every figure of the joint model and of the models that have it too, means over seeds. */
function figures(models: readonly Trained[]): string[] {
  const columns = [...new Set(models.map((m) => `${m.model}|${m.budget ?? ''}`))];
  const names = [
    ...new Set(
      models.flatMap((m) =>
        Object.entries(m.evaluation.tasks).flatMap(([task, all]) =>
          Object.keys(all).map((metric) => `${task}.${metric}`),
        ),
      ),
    ),
  ];
  const titles = columns.map((c) => {
    const [model, budget] = c.split('|') as [string, Budget | ''];
    return budget === '' ? model : `${model}, ${budgets[budget]}`;
  });
  const value = (name: string, column: string): string => {
    const found = models
      .filter((m) => `${m.model}|${m.budget ?? ''}` === column)
      .map((m) => figure(m.evaluation, name));
    return found.length === 0 || found.includes(undefined) ? '' : show(mean(found as number[]));
  };
  return [
    ...head('figure', ...titles),
    ...names.map((name) => row([`\`${name}\``, ...columns.map((c) => value(name, c))])),
    '',
  ];
}

function provenance(result: SystemResult): string {
  const unique = (values: readonly (string | number | null)[]): string =>
    [...new Set(values.map((v) => String(v ?? 'unknown')))].join(', ');
  const networks = result.models.flatMap((m) =>
    Object.values(m.evaluation.provenance.networks).map((n) => `${n.name} ${n.hash.slice(0, 12)}`),
  );
  const rows = result.models.map((m) => m.evaluation.provenance.rows);
  return [
    `\`${result.command}\`; seeds ${result.seeds.join(', ')}; ${unique(rows)} rows a question.`,
    `Code ${unique([result.commit, ...result.models.map((m) => m.commit)])};`,
    `specs ${unique(result.models.map((m) => m.hash.slice(0, 12)))};`,
    `features ${unique(networks)}. ${result.machine}; ${result.measured.slice(0, 10)}.`,
  ].join(' ');
}
