/**
 * What is kept of one seed, and the table that several of them make.
 *
 * @module
 */
import type { JudgeRecord } from './judge.js';
import { summarise, type Summary } from './metrics.js';
import type { Answers, Task } from './questions.js';
import type { Stage, Training } from './stage.js';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memory: string;
  readonly system: string;
}

export interface Versions {
  readonly mmdc: string;
  readonly node: string;
  /** The executor in one line. */
  readonly executor: string;
}

export interface SeedResult {
  readonly format: 1;
  readonly spec: { readonly file: string; readonly hash: string };
  readonly seed: number;
  /** A short run that shows that everything works; its figures claim nothing. */
  readonly quick: boolean;
  /** Samples of every question. */
  readonly n: number;
  readonly answers: Answers;
  readonly training: Omit<Training, 'reused'> & { readonly secondsPer1000Steps: number };
  readonly sampling: Readonly<Record<Task, Pick<Stage, 'seconds' | 'commit'>>>;
  readonly judge: JudgeRecord;
  readonly machine: Machine;
  readonly versions: Versions;
  /** ISO time at which it was put together. */
  readonly measured: string;
}

/** Classes must each make up this share of generated labels, or the table says so. */
const classRange = { min: 0.05, max: 0.15 } as const;

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
const seconds = (x: number): string => `${x.toFixed(0)} s`;
const ratio = (x: number): string => x.toFixed(2);

/** What the results of one spec say, as Markdown. @throws RangeError without results */
export function table(results: readonly SeedResult[]): string {
  const first = results[0];
  if (!first) throw new RangeError('there are no results');
  const row = (what: string, value: (r: SeedResult) => number, show: (x: number) => string): string => {
    const { mean, min, max }: Summary = summarise(results.map(value));
    return `| ${what} | ${show(mean)} | ${show(min)} .. ${show(max)} |`;
  };
  const shares = (r: SeedResult): readonly number[] => r.answers.joint.classShares;
  const rows = [
    row('label to image: read as the label', (r) => r.answers.labelToImage.share, percent),
    row('joint: image read as its label', (r) => r.answers.joint.share, percent),
    row('image to label: right', (r) => r.answers.imageToLabel.share, percent),
    row('rarest class among generated labels', (r) => Math.min(...shares(r)), percent),
    row('commonest class among generated labels', (r) => Math.max(...shares(r)), percent),
    row('variety within classes, label to image', (r) => r.answers.labelToImage.variety, ratio),
    row('variety within classes, joint', (r) => r.answers.joint.variety, ratio),
    row("judge's confidence, label to image", (r) => r.answers.labelToImage.confidence, percent),
    row("judge's confidence, joint", (r) => r.answers.joint.confidence, percent),
    row('training', (r) => r.training.seconds, seconds),
    row('training, per 1,000 steps', (r) => r.training.secondsPer1000Steps, seconds),
  ];
  const label = first.quick ? ['**quick: no claim**', ''] : [];
  return [
    ...label,
    '| | mean | lowest .. highest seed |',
    '|---|---|---|',
    ...rows,
    '',
    ...outOfRange(results),
    provenance(results, first),
  ].join('\n');
}

function outOfRange(results: readonly SeedResult[]): string[] {
  const outside = results.filter((r) =>
    r.answers.joint.classShares.some((share) => share < classRange.min || share > classRange.max),
  );
  if (outside.length === 0) return [];
  const list = outside.map((r) => r.seed).join(', ');
  const limits = `${percent(classRange.min)} .. ${percent(classRange.max)}`;
  return [`A class lies outside ${limits} of the generated labels: seed ${list}.`, ''];
}

function provenance(results: readonly SeedResult[], first: SeedResult): string {
  const all = (values: readonly (string | number | null)[]): string =>
    [...new Set(values.map((v) => String(v ?? 'unknown')))].join(', ');
  const { machine, versions, judge } = first;
  return [
    `Seeds ${all(results.map((r) => r.seed))}; ${all(results.map((r) => r.n))} samples a question and seed;`,
    `${all(results.map((r) => r.training.steps))} steps.`,
    `Judge: ${percent(judge.accuracy)} of held-out digits, mean confidence ${percent(judge.confidence)};`,
    `the same reading with noise ${percent(judge.steady.noise)}, moved by a pixel ${percent(judge.steady.shift)}.`,
    `Machine: ${machine.cores} cores (${machine.cpu}), ${machine.memory}, ${machine.system}.`,
    `mmdc ${versions.mmdc}, Node ${versions.node}, ${versions.executor};`,
    `code ${all(results.flatMap((r) => [r.training.commit, ...Object.values(r.sampling).map((s) => s.commit)]))},`,
    `spec ${all(results.map((r) => r.spec.hash.slice(0, 12)))},`,
    `${all(results.map((r) => r.measured.slice(0, 10)))}.`,
  ].join(' ');
}

const begin = (name: string): string => `<!-- measured:${name} -->`;
const end = (name: string): string => `<!-- end of measured:${name} -->`;

/**
 * The document with the section of `name` replaced.
 * @returns undefined when it has no such section
 */
export function intoDocument(document: string, name: string, content: string): string | undefined {
  const from = document.indexOf(begin(name));
  const to = document.indexOf(end(name));
  if (from < 0 || to < from) return undefined;
  const start = from + begin(name).length;
  return `${document.slice(0, start)}\n\n${content.trim()}\n\n${document.slice(to)}`;
}
