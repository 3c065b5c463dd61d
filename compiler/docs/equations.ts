/**
 * The equations of a model's own process, with its names and its numbers, as TeX (MT-Diffusion, arXiv 2407.17571).
 *
 * @module
 */
import type { ModalityInfo, ModelInfo } from '../model/info.js';
import type { Schedule, WeightCurve, Weights } from '../process/schedule.js';
import { isIdentity, isNormalised, type Subject } from './encoders.js';
import { lossEquations } from './equations-loss.js';
import { list, plainNumber, rows, symbol, texNumber as num } from './tex.js';

export interface Equation {
  /** What it says, in a few words. */
  readonly title: string;
  /** One formula, TeX for display. */
  readonly tex: string;
  /** A remark below it, plain text. */
  readonly note?: string;
}

export interface EquationGroup {
  readonly title: string;
  readonly equations: readonly Equation[];
}

/** All equations in the order of reading: encodings, forward, reverse, loss. */
export function equationsOf(model: Subject): EquationGroup[] {
  const { info } = model;
  return [
    { title: 'Forward process', equations: forwardEquations(model) },
    { title: 'Reverse process', equations: reverseEquations(info) },
    { title: 'Loss', equations: lossEquations(info) },
  ].filter((group) => group.equations.length > 0);
}

const Y = (name: string): string => `Y_{${symbol(name)}}`;
const Yh = (name: string): string => `\\hat{Y}_{${symbol(name)}}`;
const sup = (name: string): string => `^{(${symbol(name)})}`;

/** c_j(t) as the model has it. */
function coefficient(info: ModelInfo, name: string): string {
  const { origin, components } = info.process;
  const spec = components.find((c) => c.name === name);
  const aggregated = components.filter((c) => c.weights !== undefined).length;
  const root = '\\sqrt{A_t}';
  const parts: string[] = [];
  if (origin.form === 'modality' && origin.name === name) parts.push(root);
  if (origin.form === 'mean' && spec?.weights) parts.push(`\\tfrac{1}{${aggregated}} ${root}`);
  if (spec?.weights) parts.push(`v_t${sup(name)}`);
  return parts.length > 1 ? `\\left( ${parts.join(' + ')} \\right)` : (parts[0] ?? '0');
}

/** z_0 as the model has it, or undefined where it is zero. */
export function originOf(info: ModelInfo): string | undefined {
  const { origin, components } = info.process;
  if (origin.form === 'zero') return undefined;
  if (origin.form === 'modality') return Y(origin.name);
  const parts = components.filter((c) => c.weights).map((c) => Y(c.name));
  return `\\tfrac{1}{${parts.length}} (${parts.join(' + ')})`;
}

function forwardEquations(model: Subject): Equation[] {
  const { info } = model;
  const z = symbol(info.space.name);
  const { process, tables } = info;
  const T = process.steps;
  const aggregated = process.components.filter((c) => c.weights !== undefined);
  const out: Equation[] = [];
  const encodings = process.components.map(({ name }) => {
    const x = `x_{${symbol(name)}}`;
    return `${Y(name)} = ${isIdentity(info, name) ? x : `E_{${symbol(name)}}(${x})`}`;
  });
  const scaled = process.components.filter((c) => isNormalised(model, c.name)).map((c) => c.name);
  out.push({
    title: 'Encodings',
    tex: rows(encodings.map((e) => e.replace(' = ', ' &= '))),
    ...(scaled.length > 0
      ? { note: `${list(scaled)}: learned, then centred and scaled to unit root mean square.` }
      : {}),
  });
  const terms = process.components.map((c) => `${coefficient(info, c.name)}\\, ${Y(c.name)}`);
  out.push({
    title: 'State at step t',
    tex: `${z}_t = ${[...terms, '\\sigma_t\\, \\varepsilon'].join(' + ')}, \\qquad \\varepsilon \\sim \\mathcal{N}(0, I), \\quad t = 0 \\dots ${T}`,
  });
  out.push({
    title: 'Schedule',
    tex: rows([
      ...scheduleRows(process.schedule, process.normaliser, T),
      `A_t &= a_1 a_2 \\cdots a_t, \\qquad \\sigma_t^2 = 1 - A_t`,
    ]),
    note: `At the end A_T = ${plainNumber(tables.A[T])} and σ_T = ${plainNumber(tables.sigma[T])}.`,
  });
  if (aggregated.length > 0) {
    out.push({
      title: 'Aggregation weights',
      tex: rows(aggregated.map((c) => weightRow(c.name, c.weights as Weights, T))),
      note: 'w is what a step adds of the encoding, v what has accumulated by step t.',
    });
  }
  const mean = aggregated.length > 0 ? `${z}_{t-1} + s_t` : `${z}_{t-1}`;
  const sum = aggregated.map((c) => `w_t${sup(c.name)}\\, ${Y(c.name)}`).join(' + ');
  out.push({
    title: 'Transition',
    tex: rows([
      `q(${z}_t \\mid ${z}_{t-1}, X) &= \\mathcal{N}\\!\\left( \\sqrt{a_t}\\,(${mean}),\\; (1 - a_t)\\, I \\right)`,
      ...(aggregated.length > 0 ? [`s_t &= ${sum}`] : []),
    ]),
  });
  out.push(posteriorEquation(info, z));
  return out;
}

function posteriorEquation(info: ModelInfo, z: string): Equation {
  const aggregated = info.process.components.filter((c) => c.weights !== undefined);
  const start = originOf(info);
  const shifted = aggregated.length > 0 ? `(${z}_t - \\sqrt{a_t}\\, s_t)` : `${z}_t`;
  const clean = [
    ...(start ? [`\\sqrt{A_{t-1}}\\, ${z}_0`] : []),
    ...(aggregated.length > 0 ? ['m_{t-1}'] : []),
  ];
  const last = clean.length > 1 ? `(${clean.join(' + ')})` : (clean[0] ?? '0');
  const where = [
    ...(start ? [`${z}_0 = ${start}`] : []),
    ...(aggregated.length > 0
      ? [`m_t = ${aggregated.map((c) => `v_t${sup(c.name)}\\, ${Y(c.name)}`).join(' + ')}`]
      : []),
  ];
  return {
    title: 'Posterior',
    tex: rows([
      `q(${z}_{t-1} \\mid ${z}_t, X) &= \\mathcal{N}(\\mu_t,\\; \\tau_t^2\\, I)`,
      `\\mu_t &= \\frac{\\sqrt{a_t}\\,(1 - A_{t-1})\\,${shifted} + (1 - a_t)\\,${last}}{1 - A_t}`,
      `\\tau_t^2 &= \\frac{(1 - a_t)(1 - A_{t-1})}{1 - A_t}`,
      ...(where.length > 0 ? [`&\\phantom{=}\\; ${where.join(',\\quad ')}`] : []),
    ]),
  };
}

function scheduleRows(schedule: Schedule, normaliser: number, T: number): string[] {
  const name = normaliser === 1 ? 'a_t' : '\\alpha_t';
  const divided = normaliser === 1 ? [] : [`a_t &= \\alpha_t / ${num(normaliser)}`];
  switch (schedule.form) {
    case 'cosine': {
      const s = num(schedule.offset);
      return [
        `${name} &= \\max\\!\\left( \\frac{f(t)}{f(t-1)},\\; ${num(1 - schedule.max)} \\right), \\qquad f(t) = \\cos^2\\!\\left( \\frac{t/${T} + ${s}}{1 + ${s}} \\cdot \\frac{\\pi}{2} \\right)`,
        ...divided,
      ];
    }
    case 'linear': {
      const scale = 1000 / T;
      const [first, last] = [scale * schedule.first, scale * schedule.last];
      return [
        `${name} &= 1 - \\left( ${num(first)} + ${num(last - first)}\\, \\frac{t - 1}{${Math.max(T - 1, 1)}} \\right)`,
        ...divided,
      ];
    }
    case 'constant':
      return [`${name} &= ${num(schedule.value)}`, ...divided];
  }
}

function weightRow(name: string, weights: Weights, T: number): string {
  const [v, w] = [`v_t${sup(name)}`, `w_t${sup(name)}`];
  if (weights.form === 'nested') {
    const scale = weights.scale === 1 ? '' : `${num(weights.scale)} `;
    return `${v} &= ${scale}\\sqrt{A_t}, \\qquad w_1${sup(name)} = ${num(weights.scale)}, \\quad ${w} = 0 \\;\\; (t \\ge 2)`;
  }
  const curve = curveTex(weights.curve, T);
  return weights.form === 'marginal'
    ? `${v} &= ${curve}, \\qquad ${w} = v_t${sup(name)} / \\sqrt{a_t} - v_{t-1}${sup(name)}`
    : `${w} &= ${curve}, \\qquad ${v} = \\sqrt{a_t}\\, ( v_{t-1}${sup(name)} + w_t${sup(name)} )`;
}

function curveTex(curve: WeightCurve, T: number): string {
  switch (curve.form) {
    case 'constant':
      return num(curve.value);
    case 'cosine': {
      const scale = curve.scale === 1 ? '' : `${num(curve.scale)} `;
      return `${scale}\\cos\\!\\left( \\frac{\\pi}{2} \\cdot \\frac{t}{${T}} \\right)`;
    }
    case 'linear': {
      const slope = curve.to - curve.from;
      if (T === 1 || slope === 0) return num(curve.from);
      const sign = slope < 0 ? '-' : '+';
      return `${num(curve.from)} ${sign} ${num(Math.abs(slope))}\\, \\frac{t - 1}{${T - 1}}`;
    }
  }
}

function reverseEquations(info: ModelInfo): Equation[] {
  const z = symbol(info.space.name);
  const h = symbol(info.backbone.name.text);
  const { process } = info;
  const T = process.steps;
  const out: Equation[] = [
    {
      title: 'Backbone',
      tex: `${h} = B_\\theta\\!\\left( u_t,\\; t/${T},\\; G \\right), \\qquad u_t \\propto ${z}_t - \\!\\sum_{j\\,\\text{given}}\\! c_j(t)\\, Y_j`,
      note: `u_t is scaled to unit root mean square per channel; G holds the encodings that are given and which modalities are given and produced.`,
    },
  ];
  const predictions: string[] = [];
  const originName = process.origin.form === 'modality' ? process.origin.name : undefined;
  if (originName !== undefined && info.decoders.has(info.space.name)) {
    const D = `D_{${z}}(${h}, t)`;
    const root = `\\sqrt{A_t}`;
    predictions.push(
      info.predict === 'x0'
        ? `\\hat{${z}}_0 &= ${D}`
        : info.predict === 'v'
          ? `\\hat{${z}}_0 &= ${root}\\, ${z}_t - \\sigma_t\\, ${D}`
          : `\\hat{${z}}_0 &= \\left( ${z}_t - \\sigma_t\\, ${D} \\right) / ${root}`,
    );
  }
  for (const m of info.modalities) {
    if (info.decoders.has(m.name)) predictions.push(`${xh(m.name)} &= ${meanTex(m, h)}`);
    if (!info.encoders.has(m.name)) continue;
    const own = m.name === originName && info.decoders.has(info.space.name);
    if (own) predictions.push(`${Yh(m.name)} &= \\hat{${z}}_0`);
    else if (info.decoders.has(m.name)) predictions.push(`${Yh(m.name)} &= ${encodedMean(info, m)}`);
  }
  if (predictions.length > 0) {
    out.push({
      title: 'Predictions',
      tex: rows(predictions),
      note: 'For what is produced; what is given is known exactly, and what is absent has no part in the state.',
    });
  }
  out.push({
    title: 'Noise',
    tex: `\\hat{\\varepsilon} = \\frac{1}{\\sigma_t} \\left( ${z}_t - ${process.components
      .map((c) => `${coefficient(info, c.name)}\\, ${Yh(c.name)}`)
      .join(' - ')} \\right)`,
  });
  if (info.tasks.some((task) => task.guidance !== 1)) {
    out.push({
      title: 'Guidance',
      tex: `\\hat{Y}_j = \\hat{Y}_j(u_t, \\varnothing) + g \\left[ \\hat{Y}_j(${z}_t, G) - \\hat{Y}_j(u_t, \\varnothing) \\right]`,
      note: `g by task: ${info.tasks
        .filter((task) => task.guidance !== 1)
        .map((task) => `${task.name} ${plainNumber(task.guidance)}`)
        .join(', ')}. Then values are put back into their range.`,
    });
  }
  return out;
}

const xh = (name: string): string => `\\hat{x}_{${symbol(name)}}`;

function encodedMean(info: ModelInfo, m: ModalityInfo): string {
  if (isIdentity(info, m.name)) return xh(m.name);
  if (m.type !== 'category') return `E_{${symbol(m.name)}}(${xh(m.name)})`;
  return `\\sum_{k=1}^{${m.classes}} ${xh(m.name)}^{(k)}\\, E_{${symbol(m.name)}}(k)`;
}

/** The mean of a modality's likelihood. */
function meanTex(m: ModalityInfo, h: string): string {
  const D = `D_{${symbol(m.name)}}(${h}, t)`;
  switch (m.likelihood.form) {
    case 'categorical':
      return `\\operatorname{softmax}\\, ${D}`;
    case 'bernoulli':
      return `\\operatorname{sigmoid}\\, ${D}`;
    case 'cosine':
      return `${D} \\,/\\, \\lVert ${D} \\rVert`;
    case 'gaussian':
      return D;
  }
}
