/**
 * One training step of an example spec on any executor, and what comes out of it by tensor.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { CompiledModel } from '../../compiler/driver.js';
import { trainCarry, type TrainingStep } from '../../compiler/lower/training.js';
import type { Executor, Tensor } from '../../runtime/executors/executor.js';
import { initialState, type State } from '../../runtime/train/state.js';
import { batchFeeds, compile, randomBatch, type Batch, type Role } from '../lower/support.js';

export interface Problem {
  readonly model: CompiledModel;
  readonly batch: Batch;
  readonly step: TrainingStep;
  readonly state: State;
}

/** Rate, corrections of both moments (as if the first step), decay of the average. */
export const schedule = [1e-3, 1, 1, 0.5] as const;

/** `widths: [48, 96]` as `widths: [16, 32]`: plain loops in JavaScript take half a minute for the whole. */
function narrowed(text: string): string {
  return text.replaceAll(/\bwidths: \[([\d, ]+)\]/g, (_, list: string) => {
    const widths = list.split(',').map((w) => Math.max(8, 8 * Math.floor(Number(w) / 24)));
    return `widths: [${widths.join(', ')}]`;
  });
}

/**
 * A step of a spec as it stands, but for three things: lists of widths are a third of theirs, two rows are its batch, and
 * gradients are not clipped, which would hide their scale. (`test/lower/parity.test.ts` has full widths.) In the first row everything is produced, in the
 * second every other modality is given.
 */
export function problemOf(file: URL): Problem {
  const model = compile(narrowed(readFileSync(file, 'utf8')), ['train.clip=0']);
  const { modalities, tables } = model.info;
  const batch = randomBatch(model, [
    { t: Math.max(2, Math.round(tables.steps * 0.1)), roles: modalities.map((): Role => 'produced') },
    {
      t: Math.round(tables.steps * 0.7),
      roles: modalities.map((_, i): Role => (i % 2 === 1 ? 'given' : 'produced')),
    },
  ]);
  const step = model.trainingStep(batch.rows.length);
  // Layers that start at zero would hide gradients: everything a little away from its start, and far from it for Adam.
  const state = initialState(model.layout, 5);
  state.parameters.forEach((x, i) => (state.parameters[i] = x + 0.02 * Math.sin(i * i)));
  state.ema.set(state.parameters);
  state.moment2.fill(1e-2);
  return { model, batch, step, state };
}

/** Loss, terms, and by tensor gradients, parameters and averages after one step. */
export async function results(
  { model, batch, step, state }: Problem,
  executor: Executor,
): Promise<Map<string, ArrayLike<number>>> {
  const inputs = new Set(step.graph.nodes.flatMap((node) => (node.op === 'input' ? [node.attrs.name] : [])));
  const carry = Object.fromEntries(Object.entries(trainCarry).filter(([name]) => inputs.has(name)));
  const program = await executor.prepare(step.graph, { carry });
  try {
    for (const name of Object.keys(carry)) {
      const data = state[name as keyof State];
      program.write(name, { data, shape: [data.length] });
    }
    const feeds: Record<string, Tensor> = {};
    const all = {
      ...batchFeeds(model, batch),
      frozen: { data: state.frozen, shape: [state.frozen.length] },
      schedule: { data: Float32Array.from(schedule), shape: [4] },
    };
    for (const [name, { data, shape }] of Object.entries(all)) {
      if (!inputs.has(name)) continue;
      feeds[name] = { data: data instanceof Int32Array ? data : Float32Array.from(data), shape };
    }
    const outputs = await program.run(feeds);
    const found = new Map<string, ArrayLike<number>>([
      ['loss', outputs['loss']!.data],
      ['terms', outputs['terms']!.data],
      ['norm of the gradient', outputs['grad_norm']!.data],
    ]);
    const { beta1 } = model.info.train.optimizer;
    for (const [kind, name] of [
      ['gradient', 'moment1'],
      ['parameters', 'parameters'],
      ['average', 'ema'],
    ] as const) {
      const { data } = await program.read(name);
      // The first moment of a step from nothing is the gradient, times 1 - beta1.
      const scaled = kind === 'gradient' ? data.map((x) => x / (1 - beta1)) : data;
      for (const slot of model.layout.trainable)
        found.set(`${kind} ${slot.name}`, scaled.subarray(slot.offset, slot.offset + slot.size));
    }
    return found;
  } finally {
    await program.dispose();
  }
}

/**
 * What differs by more than `tolerance` |y|, as lines. A gradient that is nothing beside the others (1e-5 of the
 * largest) is rounding noise of parts that cancel, and is left out.
 */
export function differences(
  found: ReadonlyMap<string, ArrayLike<number>>,
  expected: ReadonlyMap<string, ArrayLike<number>>,
  tolerance: number,
): string[] {
  const norm = (values: ArrayLike<number>): number =>
    Math.sqrt(Array.from(values).reduce((s, x) => s + x * x, 0));
  const gradients = [...expected].filter(([name]) => name.startsWith('gradient'));
  const largest = Math.max(...gradients.map(([, values]) => norm(values)));
  const lines: string[] = [];
  for (const [name, values] of expected) {
    const scale = norm(values);
    if (name.startsWith('gradient') && scale < 1e-5 * largest) continue;
    const other = found.get(name);
    const error = norm(Array.from(values, (x, i) => x - (other?.[i] ?? NaN)));
    if (!(error <= tolerance * Math.max(scale, 1e-12))) lines.push(`${name}: ${error / scale}`);
  }
  return lines;
}
