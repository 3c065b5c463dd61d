/**
 * What a process does to the data, in figures, and which of them are a warning. Everything is read off the tables
 * before anything runs; encodings are taken to have unit variance, as learned encoders have.
 *
 * @module
 */
import { snr, terminalBound, type Component, type ProcessTables } from './tables.js';

/** Where figures become warnings. */
export const processLimits = {
  /** Least SNR at t = 1. A Gaussian read off z_1 keeps SNR/(1 + SNR) of its variance: 99 % at 100. */
  first: 100,
  /** Largest SNR of a component at T. */
  last: 1e-3,
  /** Largest bound on L0, in nats per dimension. */
  terminal: 0.01,
  /** SNR under which nothing of a component is left to speak of: 0.005 nats per dimension. */
  lost: 0.01,
  /** c_t / sqrt(A_t) may exceed its value at t = 1 by this factor: curves that nearly follow the schedule pass. */
  growth: 1.1,
  /** Largest share of a component in z_t that one step t >= 2 may add. */
  share: 0.9,
} as const;

/** One component of z_t = sum_j c_j(t) Y_j + sigma_t eps. */
export interface ComponentSummary {
  readonly name: string;
  /** Share of the origin z_0. */
  readonly origin: number;
  readonly snrFirst: number;
  readonly snrLast: number;
  /** c_j(T): what z_T keeps of the encoding. */
  readonly terminal: number;
  /** Number of steps t = 1..T in which the SNR is at least `processLimits.lost`. */
  readonly alive: number;
  /** What the weights add after the first step, over the steps in which the component is not lost. */
  readonly reinjection: {
    /** Largest c_t / sqrt(A_t) over its value at t = 1; 1 where nothing is added, Infinity where z_1 had nothing. */
    readonly growth: number;
    /** Number of steps t >= 2 with a positive weight. */
    readonly steps: number;
    /** Largest weight w_t, t >= 2, or 0. */
    readonly weight: number;
    /** The step t >= 2 that adds the largest share of the component in z_t; t is 0 where none adds anything. */
    readonly most: { readonly t: number; readonly share: number; readonly weight: number };
  };
}

export interface ProcessSummary {
  readonly steps: number;
  /** 1 - A_T: the variance of z_T given the data. */
  readonly variance: number;
  /** Upper bound on L0 in nats per dimension. */
  readonly terminalBound: number;
  readonly components: readonly ComponentSummary[];
}

/** The figures of a process. */
export function processSummary(tables: ProcessTables): ProcessSummary {
  const T = tables.steps;
  return {
    steps: T,
    variance: tables.B[T],
    terminalBound: terminalBound(tables),
    components: tables.components.map((component) => summarise(tables, component)),
  };
}

function summarise(tables: ProcessTables, component: Component): ComponentSummary {
  const T = tables.steps;
  const { c, w, name } = component;
  let alive = 0;
  let growth = 1;
  let steps = 0;
  let weight = 0;
  let most = { t: 0, share: 0, weight: 0 };
  // ln(A_1 / A_t), kept apart from A_t, which underflows after a thousand steps of a_t = 1/2.
  let fall = 0;
  for (let t = 1; t <= T; t++) {
    if (t > 1) fall -= Math.log(tables.a[t]);
    if (snr(tables, component, t) < processLimits.lost) continue;
    alive++;
    if (t === 1) continue;
    growth = Math.max(growth, c[1] === 0 ? Infinity : (c[t] / c[1]) * Math.exp(fall / 2));
    // Rounding leaves weights of the order of 1e-16 where a curve follows the schedule.
    if (w[t] > 1e-9) steps++;
    weight = Math.max(weight, w[t]);
    const share = (Math.sqrt(tables.a[t]) * w[t]) / c[t];
    if (share > most.share) most = { t, share, weight: w[t] };
  }
  return {
    name,
    origin: component.o,
    snrFirst: snr(tables, component, 1),
    snrLast: snr(tables, component, T),
    terminal: c[T],
    alive,
    reinjection: { growth, steps, weight, most },
  };
}

/** A figure out of bounds. Components that share the figure are reported together. */
export type Finding =
  /** SNR at t = 1 too low. */
  | { readonly kind: 'first'; readonly components: readonly string[]; readonly snr: number }
  /** z_T is not N(0, I). */
  | {
      readonly kind: 'last';
      /** Those with too much signal at T; none where it is the variance of z_T alone. */
      readonly components: readonly string[];
      readonly means: readonly number[];
      readonly variance: number;
      readonly bound: number;
    }
  /** Lost within a few of the steps. */
  | { readonly kind: 'brief'; readonly components: readonly string[]; readonly alive: number }
  /** Weights add data again after the first step. */
  | {
      readonly kind: 'again';
      readonly components: readonly string[];
      readonly steps: number;
      readonly weight: number;
      readonly growth: number;
    }
  /** One step after the first adds nearly everything. */
  | {
      readonly kind: 'late';
      readonly components: readonly string[];
      readonly t: number;
      readonly share: number;
      readonly weight: number;
    };

/**
 * Fewer steps than this with anything left of a component are few: 20, or a twentieth of T where that is more, but
 * never more than a quarter of T, so that a short process is not held against itself.
 */
export function fewSteps(T: number): number {
  return Math.max(T / 20, Math.min(20, T / 4));
}

/** The figures of a process that are out of bounds. */
export function processFindings(summary: ProcessSummary): Finding[] {
  const findings: Finding[] = [];
  const { components } = summary;
  for (const c of components) {
    if (c.snrFirst < processLimits.first)
      findings.push({ kind: 'first', components: [c.name], snr: c.snrFirst });
  }
  const left = components.filter((c) => c.snrLast > processLimits.last);
  if (left.length > 0 || summary.terminalBound > processLimits.terminal) {
    findings.push({
      kind: 'last',
      components: left.map((c) => c.name),
      means: left.map((c) => c.terminal),
      variance: summary.variance,
      bound: summary.terminalBound,
    });
  }
  for (const c of components) {
    // What was never there cannot be lost: its SNR at t = 1 says so.
    if (c.alive > 0 && c.alive < fewSteps(summary.steps))
      findings.push({ kind: 'brief', components: [c.name], alive: c.alive });
  }
  for (const { name, reinjection } of components) {
    if (reinjection.growth <= processLimits.growth) continue;
    const { growth, steps, weight, most } = reinjection;
    findings.push(
      most.share > processLimits.share
        ? { kind: 'late', components: [name], ...most }
        : { kind: 'again', components: [name], growth, steps, weight },
    );
  }
  return grouped(findings);
}

/** Findings with the same figures become one. */
function grouped(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding>();
  for (const finding of findings) {
    const key = JSON.stringify({ ...finding, components: null }, (_, value: unknown) =>
      typeof value === 'number' ? value.toPrecision(6) : value,
    );
    const earlier = groups.get(key);
    const components = [...(earlier?.components ?? []), ...finding.components];
    groups.set(key, earlier ? { ...earlier, components } : finding);
  }
  return [...groups.values()];
}
