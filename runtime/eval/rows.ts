/**
 * Metrics of what is compared row by row or class by class: no network is needed.
 *
 * @module
 */
import { sizeOf } from '../../compiler/graph/ir.js';
import type { ModalityInfo } from '../../compiler/model/info.js';
import type { Produced, Rows } from '../sample/sampler.js';
import { calibration } from './metrics/calibration.js';
import { cosines, retrieval } from './metrics/embedding.js';
import { frechetDistance } from './metrics/frechet.js';
import { moments, points } from './metrics/points.js';
import { Confusion } from './metrics/segmentation.js';

type Figures = Record<string, { value: number; count: number; [detail: string]: unknown }>;

/**
 * @param made what the task produced
 * @param real held-out rows: the same rows where the task was given something, any rows otherwise
 * @param paired whether row i of the two belongs together
 */
export function rowFigures(modality: ModalityInfo, made: Produced, real: Rows, paired: boolean): Figures {
  const n = made.shape[0]!;
  switch (modality.type) {
    case 'category':
      return { ...frequencies(modality, made, real), ...(paired ? readings(modality, made, real) : {}) };
    case 'tokens':
      return { ...frequencies(modality, made, real), ...(paired ? agreement(made, real) : {}) };
    case 'mask': {
      if (!paired) return frequencies(modality, made, real);
      const confusion = new Confusion(modality.classes);
      confusion.add(real.data, made.data);
      const { miou, accuracy, classes, pixels } = confusion.measure();
      return {
        ...frequencies(modality, made, real),
        miou: { value: miou, count: n, classes, pixels },
        accuracy: { value: accuracy, count: n, pixels },
        ...calibrated(modality, made, real),
      };
    }
    case 'binary': {
      if (!paired) return {};
      let right = 0;
      for (let i = 0; i < made.data.length; i++)
        right += Number(Number(made.data[i]! >= 0.5) === real.data[i]);
      return { accuracy: { value: right / made.data.length, count: n } };
    }
    case 'vector':
      return vectors(modality, made, real, paired);
    case 'image':
      return {};
  }
}

/** Share of rows read rightly, and the mean of -ln of the probability that their classes had. */
function readings(modality: ModalityInfo, made: Produced, real: Rows): Figures {
  const K = modality.classes;
  let nll = 0;
  for (let i = 0; i < real.data.length; i++)
    nll -= Math.log(Math.max(1e-12, made.mean[i * K + real.data[i]!]!));
  return {
    ...agreement(made, real),
    nll: { value: nll / real.data.length, count: real.data.length },
    ...calibrated(modality, made, real),
  };
}

function calibrated({ classes }: ModalityInfo, made: Produced, real: Rows): Figures {
  const { error, confidence, accuracy, count } = calibration(made.mean, real.data, classes);
  return { calibration: { value: error, count, confidence, accuracy, bins: 15 } };
}

function agreement(made: Rows, real: Rows): Figures {
  let right = 0;
  for (let i = 0; i < real.data.length; i++) right += Number(made.data[i] === real.data[i]);
  return { accuracy: { value: right / real.data.length, count: real.shape[0]! } };
}

/** Total variation between the frequencies of classes, made and held out: 0 for the same, 1 for disjoint ones. */
function frequencies({ classes }: ModalityInfo, made: Rows, real: Rows): Figures {
  const [a, b] = [made, real].map(({ data }) => {
    const out = new Float64Array(classes);
    let n = 0;
    for (const k of data) {
      // Pixels without a class.
      if (k < 0) continue;
      out[k]! += 1;
      n++;
    }
    return out.map((x) => x / Math.max(1, n));
  }) as [Float64Array, Float64Array];
  const value = a.reduce((sum, x, k) => sum + Math.abs(x - b[k]!), 0) / 2;
  return { total_variation: { value, count: made.shape[0]!, shares: [...a] } };
}

function vectors(modality: ModalityInfo, made: Rows, real: Rows, paired: boolean): Figures {
  const d = sizeOf(modality.shape);
  const [a, b] = [points(made.data, d), points(real.data, d)];
  const out: Figures = {};
  // Enough rows for a covariance of full rank.
  if (a.n > d && b.n > d)
    out.frechet = { value: frechetDistance(moments(a), moments(b)), count: Math.min(a.n, b.n) };
  if (!paired) return out;
  const all = cosines(a, b);
  const ranks = retrieval(a, b);
  return {
    ...out,
    cosine: { value: all.reduce((sum, x) => sum + x, 0) / all.length, count: a.n },
    top1: { value: ranks.top1, count: a.n },
    top5: { value: ranks.top5, count: a.n },
    rank: { value: ranks.meanRank, count: a.n, median: ranks.medianRank },
  };
}
