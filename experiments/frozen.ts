/**
 * The frozen network of a system: trained by a spec of its own, exported as ONNX, and laid beside the system's spec in a
 * folder that is a project.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeAtomic } from '../runtime/files/atomic.js';
import { factsOf, fingerprint } from './arms.js';
import { mmdc } from './command.js';
import type { Store } from './store.js';

export interface Prepared {
  /** The system's spec, beside the network that it names. */
  readonly spec: string;
  /** Beginning of the SHA-256 of the network: runs depend on it. */
  readonly hash: string;
}

/**
 * @param features spec whose encoder of `image` is the network
 * @param spec spec that names it `features.onnx`
 * @param folder where the two are put together
 */
export async function prepareFrozen(
  store: Store,
  {
    features,
    spec,
    data,
    steps,
    folder,
  }: Readonly<Record<'features' | 'spec' | 'data' | 'folder', string>> & {
    readonly steps: number;
  },
): Promise<Prepared> {
  const { hash } = factsOf(features, 'Features');
  const stage = { stage: 'features', hash, data: fingerprint(data), seed: 0, steps };
  await store.run(stage, async (dir) => {
    const run = join(dir, 'run');
    rmSync(run, { recursive: true, force: true });
    await mmdc(['train', features, '--data', data, '--out', run, '--steps', String(steps)]);
    const set = ['--set', `train.steps=${steps}`];
    await mmdc(['compile', features, ...set, '--target', 'onnx', '--weights', run, '-o', join(dir, 'onnx')]);
  });
  const network = join(store.folder(stage), 'onnx', 'encoder.image.onnx');
  mkdirSync(folder, { recursive: true });
  // What its imports and paths cannot leave.
  writeAtomic(join(folder, 'mmd.json'), '{}\n');
  copyFileSync(network, join(folder, 'features.onnx'));
  copyFileSync(spec, join(folder, basename(spec)));
  const sha256 = createHash('sha256').update(readFileSync(network)).digest('hex');
  return { spec: join(folder, basename(spec)), hash: sha256.slice(0, 16) };
}
