/**
 * The equations of a model's loss: what is minimised with its weights, and every term (MT-Diffusion, arXiv 2407.17571).
 *
 * @module
 */
import { sizeOf } from '../graph/ir.js';
import type { ModalityInfo, ModelInfo } from '../model/info.js';
import { isIdentity } from './encoders.js';
import type { Equation } from './equations.js';
import { plainNumber, rows, symbol, texNumber as num } from './tex.js';

/** A weight before a term; nothing for 1. */
const times = (weight: string): string => (weight === '1' ? '' : `${weight}\\, `);

/** The objective, then its terms. Terms of weight 0 are left out of the objective and said to be reported only. */
export function lossEquations(info: ModelInfo): Equation[] {
  const { loss } = info;
  const reported: string[] = [];
  const parts: string[] = [];
  const learned = loss.balance.form === 'uncertainty';
  /** @param index of the term's own s, where it has one; `elements` is what it is divided by */
  const add = (weight: number, term: string, name: string, index = '', elements = 1): void => {
    if (weight === 0) reported.push(name);
    else if (learned && index !== '')
      parts.push(
        `${times(num(weight))}\\left[ ${elements === 1 ? '' : `\\tfrac{1}{${elements}}\\, `}e^{-s_{${index}}} \\left( ${term} - \\min ${term} \\right) + \\tfrac{1}{2} s_{${index}} \\right]`,
      );
    else parts.push(`${times(elements === 1 ? num(weight) : `\\tfrac{${num(weight)}}{${elements}}`)}${term}`);
  };
  add(loss.L0, 'L_0', 'L0');
  const simplified = loss.L1.form === 'simplified';
  add(loss.L1.weight, simplified ? 'L_1^{\\mathrm{simple}}' : 'L_1', 'L1', '1');
  for (const [name, { weight, mean }] of loss.L2) {
    const m = info.modalities.find((one) => one.name === name) as ModalityInfo;
    const id = symbol(name);
    add(weight, `L_2^{(${id})}`, `L2 of ${name}`, `2, ${id}`, mean ? sizeOf(m.dataShape) : 1);
  }
  const hasL3 = originIsData(info);
  if (hasL3) add(loss.L3.weight, 'L_3', 'L3', '3');
  if (simplified) reported.push('the bound’s own L1');
  const notes = [
    ...(learned
      ? ['The s are learned, one a term, from 0 (Kendall et al., 2018); they have no weight decay.']
      : []),
    ...(reported.length > 0 ? [`Reported beside it, not minimised: ${reported.join(', ')}.`] : []),
  ];
  const out: Equation[] = [
    {
      title: 'What is minimised',
      tex: `L = ${parts.length > 0 ? parts.join(' + ') : '0'}`,
      ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
    },
    { title: 'Terms', tex: rows(terms(info)), note: termNote(info) },
  ];
  if (!hasL3) {
    out[1] = { ...out[1], note: `${out[1].note} There is no L3: the origin is not itself data.` };
  }
  return out;
}

/** Whether z_0 is data as it is: then there is an L3. */
function originIsData(info: ModelInfo): boolean {
  const { origin } = info.process;
  return origin.form === 'modality' && isIdentity(info, origin.name);
}

function terms(info: ModelInfo): string[] {
  const z = symbol(info.space.name);
  const { loss, process } = info;
  const T = process.steps;
  const D = sizeOf(info.space.shape);
  const out = [
    `L_0 &= \\mathrm{KL}\\!\\left( q(${z}_{${T}} \\mid X) \\,\\middle\\|\\, \\mathcal{N}(0, I) \\right) = \\tfrac{1}{2} \\left[ \\Big\\lVert \\textstyle\\sum_j c_j(${T})\\, Y_j \\Big\\rVert^2 - ${D}\\, ( A_{${T}} + \\ln \\sigma_{${T}}^2 ) \\right]`,
    `L_1 &= \\sum_{t=2}^{${T}} \\frac{1}{2 \\tau_t^2} \\Big\\lVert \\textstyle\\sum_j k_j(t)\\, (Y_j - \\hat{Y}_j) \\Big\\rVert^2`,
  ];
  if (loss.L1.form === 'simplified') {
    const { snr } = loss.L1;
    const ratio = 'c_j(t)^2 / \\sigma_t^2';
    const weight =
      snr.form === 'none'
        ? ''
        : snr.form === 'min'
          ? `\\min\\!\\left( ${ratio},\\; ${num(snr.gamma)} \\right) `
          : snr.form === 'p2'
            ? `\\frac{${ratio}}{( ${num(snr.k)} + ${ratio} )^{${num(snr.gamma)}}} `
            : `\\operatorname{clamp}\\!\\left( ${ratio},\\; ${num(snr.low)},\\; ${num(snr.high)} \\right) `;
    out.push(
      `L_1^{\\mathrm{simple}} &= \\mathbb{E}_t \\sum_j ${weight}\\tfrac{1}{D_j} \\lVert Y_j - \\hat{Y}_j \\rVert^2`,
    );
  }
  for (const name of loss.L2.keys()) {
    const m = info.modalities.find((one) => one.name === name) as ModalityInfo;
    out.push(
      `L_2^{(${symbol(name)})} &= ${negativeLog(m, loss.pi === 'drawn' ? '\\mathbb{E}_t' : '\\textstyle\\sum_t \\pi_t')}`,
    );
  }
  if (originIsData(info)) {
    out.push(
      `L_3 &= -\\ln \\mathcal{N}\\!\\left( ${z}_0;\\; \\hat{${z}}_0(${z}_1),\\; ${num(loss.L3.sigma, 4)}^2\\, I \\right)`,
    );
  }
  return out;
}

function termNote(info: ModelInfo): string {
  const coefficient =
    'kⱼ are the posterior’s coefficients of the components (tables of `mmdc compile`), Dⱼ is the number of elements component j fills.';
  const weights = [...info.loss.L2].filter(([, entry]) => entry.mean);
  const mean =
    weights.length > 0
      ? ` ${weights.map(([name, { weight }]) => `${name} is weighted per element (${plainNumber(weight)})`).join(', ')}.`
      : '';
  const pi = info.loss.pi === 'drawn' ? '' : ` πₜ is ${piText(info.loss.pi)}, and sums to 1.`;
  return `Nats per row, over what is produced. ${coefficient}${mean}${pi}`;
}

const piText = (curve: Exclude<ModelInfo['loss']['pi'], 'drawn'>): string =>
  curve.form === 'constant'
    ? 'the same for every t'
    : curve.form === 'cosine'
      ? 'as cos(π t / 2T)'
      : `linear from ${plainNumber(curve.from)} to ${plainNumber(curve.to)}`;

/** -log p(x | z_t) by likelihood; o is the decoder's output and x̂ its mean. */
function negativeLog(m: ModalityInfo, over: string): string {
  const x = `x_{${symbol(m.name)}}`;
  const xh = `\\hat{x}_{${symbol(m.name)}}`;
  const n = sizeOf(m.shape);
  const { likelihood } = m;
  switch (likelihood.form) {
    case 'categorical':
      return `-\\,${over}\\; ${x} \\cdot \\ln ${xh}`;
    case 'bernoulli':
      return `-\\,${over} \\left[ ${x} \\cdot \\ln ${xh} + (1 - ${x}) \\cdot \\ln (1 - ${xh}) \\right]`;
    case 'gaussian': {
      const s = num(likelihood.sigma);
      return likelihood.sigma === 1
        ? `${over}\\; \\tfrac{1}{2} \\lVert ${x} - ${xh} \\rVert^2 + \\tfrac{${n}}{2} \\ln 2\\pi`
        : `${over}\\; \\tfrac{1}{2 \\cdot ${s}^2} \\lVert ${x} - ${xh} \\rVert^2 + \\tfrac{${n}}{2} \\ln (2\\pi \\cdot ${s}^2)`;
    }
    case 'cosine':
      return `-\\,${over} \\left[ \\ln C_{${n}}(${num(likelihood.kappa)}) + ${num(likelihood.kappa)}\\; ${x} \\cdot ${xh} \\right]`;
  }
}
