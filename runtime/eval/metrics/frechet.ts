/**
 * The Fréchet distance of two Gaussians, which FID is on features (Heusel et al., "GANs trained by a two time-scale
 * update rule converge to a local Nash equilibrium", 2017, eq. 6).
 *
 * @module
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { sameWidth, type Moments } from './points.js';

/**
 * |mu1 - mu2|^2 + Tr(S1 + S2 - 2 (S1 S2)^1/2).
 *
 * The trace of the root is that of (S1^1/2 S2 S1^1/2)^1/2, which is symmetric and positive semidefinite, so that
 * singular covariances give a number: eigenvalues that rounding made negative count as zero.
 * @throws RangeError when the widths differ
 */
export function frechetDistance(
  a: Pick<Moments, 'd' | 'mean' | 'covariance'>,
  b: Pick<Moments, 'd' | 'mean' | 'covariance'>,
): number {
  sameWidth(a, b);
  const { d } = a;
  let distance = 0;
  let traces = 0;
  for (let j = 0; j < d; j++) {
    distance += (a.mean[j]! - b.mean[j]!) ** 2;
    traces += a.covariance[j * d + j]! + b.covariance[j * d + j]!;
  }
  const root = squareRoot(matrix(a.covariance, d));
  const inner = root.mmul(matrix(b.covariance, d)).mmul(root);
  const { realEigenvalues } = new EigenvalueDecomposition(symmetric(inner), { assumeSymmetric: true });
  const rootTrace = realEigenvalues.reduce((sum, x) => sum + Math.sqrt(Math.max(0, x)), 0);
  return distance + traces - 2 * rootTrace;
}

function squareRoot(s: Matrix): Matrix {
  const { eigenvectorMatrix: v, realEigenvalues } = new EigenvalueDecomposition(s, { assumeSymmetric: true });
  const scaled = v.clone();
  realEigenvalues.forEach((x, j) => scaled.mulColumn(j, Math.sqrt(Math.max(0, x))));
  return scaled.mmul(v.transpose());
}

function matrix(values: Float64Array, d: number): Matrix {
  return Matrix.from1DArray(d, d, values);
}

/** Rounding makes a product unsymmetric in its last digits. */
function symmetric(m: Matrix): Matrix {
  return Matrix.add(m, m.transpose()).mul(0.5);
}
