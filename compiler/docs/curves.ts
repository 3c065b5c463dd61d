/**
 * The curves of a model's process: coefficients, signal-to-noise ratios, aggregation weights, weights of the loss.
 *
 * @module
 */
import type { ModelInfo } from '../model/info.js';
import { snr } from '../process/tables.js';
import { snrWeight } from '../process/weighting.js';
import type { Chart } from './chart.js';

/** The charts of a model, in the order to show. */
export function chartsOf({ tables, process, loss }: ModelInfo): Chart[] {
  const ratios = tables.components.map((component) => ({
    name: component.name,
    values: Array.from(component.c, (_, t) => snr(tables, component, t)),
  }));
  const charts: Chart[] = [
    {
      id: 'coefficients',
      title: 'Coefficients',
      about: 'How much of every encoding, and of noise, is in the state.',
      scale: 'linear',
      lines: [
        ...tables.components.map(({ name, c }) => ({ name: `c of ${name}`, values: c })),
        { name: 'σ, the noise', values: tables.sigma },
      ],
    },
    {
      id: 'snr',
      title: 'Signal-to-noise ratio',
      about: 'Of each component, c²/σ², logarithmic; encodings have unit variance.',
      scale: 'log',
      lines: ratios,
    },
  ];
  const aggregated = tables.components.filter((component) =>
    process.components.some((spec) => spec.name === component.name && spec.weights !== undefined),
  );
  if (aggregated.length > 0) {
    charts.push({
      id: 'weights',
      title: 'Aggregation weights',
      about: 'What a step adds of an encoding (w), and what has accumulated (v).',
      scale: 'linear',
      lines: aggregated.flatMap(({ name, v, w }) => [
        { name: `v of ${name}`, values: v },
        { name: `w of ${name}`, values: Array.from(w, (value, t) => (t === 0 ? NaN : value)) },
      ]),
    });
  }
  if (loss.L1.form === 'simplified' && loss.L1.snr.form !== 'none') {
    const { snr: weight } = loss.L1;
    charts.push({
      id: 'loss-weights',
      title: 'Weights of the simplified L1',
      about: 'By which the squared error of every component is multiplied at step t.',
      scale: 'linear',
      lines: ratios.map(({ name, values }) => ({
        name,
        values: values.map((value, t) => (t === 0 ? NaN : snrWeight(weight, value))),
      })),
    });
  }
  return charts;
}
