/**
 * Small networks that measure: their parameters lie in one packed vector, which keeps a training step at three carried
 * arrays. They are built from primitives and share nothing with the models they are asked about.
 *
 * @module
 */
import { gradients } from '../../../compiler/autodiff/index.js';
import { GraphBuilder, type Value } from '../../../compiler/graph/builder.js';
import { sizeOf, type Graph, type Shape } from '../../../compiler/graph/ir.js';
import { optimize } from '../../../compiler/passes/index.js';
import type { Executor, Tensor } from '../../executors/executor.js';
import { Stream } from '../../random/stream.js';

export interface Slot {
  readonly name: string;
  readonly shape: Shape;
  /** Inputs of one unit, which its initial scale depends on; 0 for biases, which start at zero. */
  readonly fan: number;
  readonly offset: number;
}

export interface Layout {
  readonly slots: readonly Slot[];
  /** Numbers in the packed vector. */
  readonly size: number;
}

/** AdamW's constants (Loshchilov & Hutter, 2019, algorithm 2). */
export const adamw = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 } as const;

/** Packed state of a training step: input name -> name of the output that is its next value. */
export const carry = {
  parameters: 'parameters.next',
  moment1: 'moment1.next',
  moment2: 'moment2.next',
} as const;

export function layoutOf(shapes: readonly (readonly [name: string, shape: Shape, fan: number])[]): Layout {
  let size = 0;
  const slots = shapes.map(([name, shape, fan]) => {
    const slot = { name, shape, fan, offset: size };
    size += sizeOf(shape);
    return slot;
  });
  return { slots, size };
}

/** The parameters by name, as views of `packed` [size]. */
export function unpack(b: GraphBuilder, { slots }: Layout, packed: Value): Map<string, Value> {
  return new Map(
    slots.map(({ name, shape, offset }) => [
      name,
      b.reshape(b.slice(packed, [offset], [offset + sizeOf(shape)]), shape),
    ]),
  );
}

/**
 * One step of AdamW on a loss. Inputs beside those of `loss`: the state of {@link carry} and `schedule` [3] = rate,
 * 1/(1 - beta1^n), 1/(1 - beta2^n). Outputs: `loss` [] and the next state.
 */
export function trainingStep(
  name: string,
  layout: Layout,
  lossOf: (b: GraphBuilder, parameters: ReadonlyMap<string, Value>) => Value,
): Graph {
  const b = new GraphBuilder(name);
  const packed = b.input('parameters', [layout.size]);
  const moment1 = b.input('moment1', [layout.size]);
  const moment2 = b.input('moment2', [layout.size]);
  const schedule = b.input('schedule', [3]);
  const parameters = unpack(b, layout, packed);
  const loss = lossOf(b, parameters);
  const parts = gradients(
    b,
    loss,
    layout.slots.map((slot) => parameters.get(slot.name) as Value),
  );
  const gradient = b.concat(
    parts.map((g) => b.reshape(g, [-1])),
    0,
  );
  const { beta1, beta2, epsilon, decay } = adamw;
  const [rate, correction1, correction2] = [0, 1, 2].map((i) => b.slice(schedule, [i], [i + 1])) as [
    Value,
    Value,
    Value,
  ];
  const m = b.add(b.mul(moment1, beta1), b.mul(gradient, 1 - beta1));
  const v = b.add(b.mul(moment2, beta2), b.mul(b.mul(gradient, gradient), 1 - beta2));
  const step = b.div(b.mul(m, correction1), b.add(b.sqrt(b.mul(v, correction2)), epsilon));
  // Biases are decayed like weights: there are few of them.
  const next = b.sub(packed, b.mul(rate, b.add(step, b.mul(packed, decay))));
  b.output('loss', loss);
  b.output(carry.parameters, next);
  b.output(carry.moment1, m);
  b.output(carry.moment2, v);
  return optimize(b.finish());
}

/** Weights N(0, 2 / fan) (He et al., "Delving deep into rectifiers", 2015, eq. 10), biases zero. */
export function initial({ slots, size }: Layout, seed: number): Float32Array {
  const out = new Float32Array(size);
  for (const { name, shape, fan, offset } of slots) {
    if (fan === 0) continue;
    const part = out.subarray(offset, offset + sizeOf(shape));
    new Stream(seed, 'init', name).normal(part);
    for (let i = 0; i < part.length; i++) part[i]! *= Math.sqrt(2 / fan);
  }
  return out;
}

export interface Fitting {
  readonly executor: Executor;
  readonly graph: Graph;
  readonly layout: Layout;
  readonly seed: number;
  readonly steps: number;
  /** Falls to zero along half a cosine. */
  readonly rate: number;
  /** Feeds of step n, from 1, beside state and schedule. */
  readonly feeds: (n: number) => Record<string, Tensor>;
  /** Called after every step with its loss. */
  readonly onStep?: (n: number, loss: number) => void;
}

/** Trains from scratch. @returns the packed parameters */
export async function fit({ executor, graph, layout, ...options }: Fitting): Promise<Float32Array> {
  const program = await executor.prepare(graph, { carry });
  try {
    const start: Readonly<Record<keyof typeof carry, Float32Array>> = {
      parameters: initial(layout, options.seed),
      moment1: new Float32Array(layout.size),
      moment2: new Float32Array(layout.size),
    };
    for (const [name, data] of Object.entries(start)) program.write(name, { data, shape: [layout.size] });
    for (let n = 1; n <= options.steps; n++) {
      const rate = 0.5 * options.rate * (1 + Math.cos((Math.PI * (n - 1)) / options.steps));
      const schedule = Float32Array.of(rate, 1 / (1 - adamw.beta1 ** n), 1 / (1 - adamw.beta2 ** n));
      const outputs = await program.run({
        ...options.feeds(n),
        schedule: { data: schedule, shape: [3] },
      });
      options.onStep?.(n, outputs.loss!.data[0]!);
    }
    const { data } = await program.read('parameters');
    return Float32Array.from(data);
  } finally {
    await program.dispose();
  }
}
