/**
 * The expressions of a model as graph nodes: encoders with their normalisation, backbone, decoders. Training and
 * sampling graphs are both built from these, and checking a model is building them once.
 *
 * @module
 */
import type { Range } from '../../grammar/ast.js';
import type { Environment } from '../elaborate/environment.js';
import type { Evaluator } from '../elaborate/evaluator.js';
import { showShape, type Degree, type TensorValue, type Value } from '../elaborate/values.js';
import type { Node, Shape } from '../graph/ir.js';
import { canProduce } from '../model/check.js';
import { declarationEnvironment, type DeclarationKind } from '../model/environments.js';
import { SettingsReader } from '../model/settings.js';
import { weightSettings } from '../model/weights.js';
import { FieldReader } from '../model/forms.js';
import type { ModalityInfo, ModelInfo } from '../model/info.js';

/** An encoder as built for one graph. */
export interface BuiltEncoder {
  readonly modality: ModalityInfo;
  /** Y = E(x), [B, ...space], centred and scaled where the encoder is learned. */
  readonly encoding: Node;
  /** Yh for a prediction: the mean of the likelihood, [B, ...shape]. `frozen`: no gradient into E. */
  readonly encode: (prediction: Node, frozen?: boolean) => Node;
  /** Channels of the space that it fills. */
  readonly channels: { readonly from: number; readonly to: number };
  /** Whether E is the identity: then the origin is the data itself. */
  readonly identity: boolean;
  readonly degree: Degree;
}

/** Where the statistics of learned encoders come from: the batch, or what training has kept. */
export type Statistics =
  | {
      readonly from: 'batch';
      /** 1 for rows that take part, [B]. */ readonly present: (modality: string) => Node;
    }
  | { readonly from: 'kept' };

/** A kept statistic and its value in this batch. */
export interface Statistic {
  readonly name: string;
  readonly shape: Shape;
  readonly value: Node;
}

export class ModelNetworks {
  /** Statistics of this batch, for the training step to keep. */
  readonly statistics: Statistic[] = [];
  /** Called with the nodes that an evaluation of a declaration has made. */
  onDeclaration?: (path: string, from: number, to: number) => void;
  /** The encoders built last, by modality. */
  readonly encoders = new Map<string, BuiltEncoder>();

  constructor(
    readonly info: ModelInfo,
    readonly constants: ReadonlyMap<string, Value>,
    readonly evaluator: Evaluator,
  ) {
    for (const [path, { frozen }] of info.weights) if (frozen) evaluator.parameters.frozenPaths.add(path);
  }

  /**
   * Builds the encoder of a modality.
   * @param x data as networks see it, [B, ...shape]
   */
  encoder(modality: ModalityInfo, x: Node, statistics: Statistics): BuiltEncoder | undefined {
    const built =
      modality.type === 'category'
        ? this.tableEncoder(modality, x)
        : this.mapEncoder(modality, x, statistics);
    if (built) this.encoders.set(modality.name, built);
    return built;
  }

  /**
   * A category has K encodings: they are computed as a table, so that centring is exact, E(x) is a row and the
   * encoding of a prediction sum_k p_k E(k).
   */
  private tableEncoder(modality: ModalityInfo, x: Node): BuiltEncoder | undefined {
    const { evaluator } = this;
    const b = evaluator.builder;
    const classes = modality.classes;
    const eye = b.oneHot(
      b.constant(
        Array.from({ length: classes }, (_, i) => i),
        [classes],
        'i32',
      ),
      classes,
    );
    const batch = evaluator.batch;
    evaluator.batch = classes;
    const raw = this.raw(modality, eye);
    evaluator.batch = batch;
    if (!raw) return undefined;
    const { channels } = raw;
    let table = raw.value.node;
    if (this.isLearned(modality.name)) {
      const part = this.cut(table, channels);
      const centred = b.sub(part, b.mean(part, [0], true));
      const all = part.shape.map((_, axis) => axis);
      const scale = b.sqrt(b.add(b.mean(b.mul(centred, centred), all, true), 1e-6));
      table = this.place(b.div(centred, scale), channels);
    }
    const size = table.shape.slice(1).reduce((p, d) => p * d, 1);
    const flat = b.reshape(table, [classes, size]);
    const encode = (p: Node, frozen = false): Node =>
      b.reshape(b.matmul(p, frozen ? b.stopGradient(flat) : flat), [p.shape[0], ...table.shape.slice(1)]);
    return { modality, encoding: encode(x), encode, channels, identity: false, degree: 'affine' };
  }

  private mapEncoder(modality: ModalityInfo, x: Node, statistics: Statistics): BuiltEncoder | undefined {
    const b = this.evaluator.builder;
    const raw = this.raw(modality, x);
    if (!raw) return undefined;
    const { value, channels } = raw;
    this.checkAffine(modality.name, value.degree);
    const again = (prediction: Node): Node => {
      const other = this.raw(modality, prediction);
      return other ? other.value.node : prediction;
    };
    const rest = { modality, channels, identity: value.node === x, degree: value.degree };
    if (!this.isLearned(modality.name)) return { ...rest, encoding: value.node, encode: again };
    const { mean, scale } = this.statisticsOf(modality.name, this.cut(value.node, channels), statistics);
    const normalise = (y: Node, by: { mean: Node; scale: Node }): Node =>
      this.place(b.div(b.sub(this.cut(y, channels), by.mean), by.scale), channels);
    const fixed = { mean: b.stopGradient(mean), scale: b.stopGradient(scale) };
    return {
      ...rest,
      encoding: normalise(value.node, { mean, scale }),
      encode: (prediction, frozen = false) => normalise(again(prediction), frozen ? fixed : { mean, scale }),
    };
  }

  /** The encoding of a prediction E(xh) estimates E[E(x)] only where E is affine; the origin has a head of its own. */
  private checkAffine(name: string, degree: Degree): void {
    const { process, encoders } = this.info;
    const isOrigin = process.origin.form === 'modality' && process.origin.name === name;
    if (degree !== 'nonlinear' || isOrigin || !canProduce(this.info, name)) return;
    const range = encoders.get(name)?.value.range;
    if (range) this.evaluator.report('MMD0511', this.environment('encoder', name, {}), range, { name });
  }

  /** Mean per channel [1, ..., C] and root mean square [] of an encoding over the rows that take part. */
  private statisticsOf(name: string, y: Node, statistics: Statistics): { mean: Node; scale: Node } {
    const b = this.evaluator.builder;
    const rank = y.shape.length;
    const channels = y.shape[rank - 1];
    const keep = [...y.shape.slice(0, -1).map(() => 1), channels];
    const path = `encoder.${name}.normalise`;
    if (statistics.from === 'kept') {
      const use = (statistic: string, shape: Shape, form: 'zeros' | 'ones') =>
        this.evaluator.parameters.use(b, {
          name: `${path}.${statistic}`,
          shape,
          init: { form },
          decay: false,
          trainable: false,
        });
      return { mean: b.reshape(use('mean', [channels], 'zeros'), keep), scale: use('scale', [1], 'ones') };
    }
    const present = b.reshape(statistics.present(name), [y.shape[0], ...new Array<number>(rank - 1).fill(1)]);
    const positions = y.shape.slice(1, -1).reduce((p, d) => p * d, 1);
    const count = b.mul(
      b.max(
        b.sum(
          present,
          present.shape.map((_, i) => i),
        ),
        1,
      ),
      positions,
    );
    const outer = y.shape.slice(0, -1).map((_, axis) => axis);
    const mean = b.div(b.sum(b.mul(y, present), outer), count);
    const centred = b.mul(b.sub(y, b.reshape(mean, keep)), present);
    const square = b.div(
      b.sum(
        b.mul(centred, centred),
        y.shape.map((_, axis) => axis),
      ),
      b.mul(count, channels),
    );
    const scale = b.reshape(b.sqrt(b.add(square, 1e-6)), [1]);
    for (const [statistic, value, shape, form] of [
      ['mean', mean, [channels], 'zeros'],
      ['scale', scale, [1], 'ones'],
    ] as const) {
      this.evaluator.parameters.declare({
        name: `${path}.${statistic}`,
        shape,
        init: { form },
        decay: false,
        trainable: false,
      });
      this.statistics.push({ name: `${path}.${statistic}`, shape, value: b.stopGradient(value) });
    }
    return { mean: b.reshape(mean, keep), scale };
  }

  private raw(
    modality: ModalityInfo,
    x: Node,
  ): { value: TensorValue; channels: { from: number; to: number } } | undefined {
    const declaration = this.info.encoders.get(modality.name);
    if (!declaration) return undefined;
    const { space } = this.info;
    const input: Value = { kind: 'tensor', node: x, shape: modality.shape, batched: true, degree: 'affine' };
    const env = this.environment('encoder', modality.name, {
      [space.name]: { kind: 'space', name: space.name, shape: space.shape },
      [modality.name]: input,
    });
    const value = this.tensor(declaration.value, env, `the encoder of \`${modality.name}\``);
    if (!value) return undefined;
    if (value.shape.join() !== space.shape.join()) {
      this.evaluator.report(
        'MMD0509',
        env,
        declaration.value.range,
        {
          name: modality.name,
          found: `\`${showShape(value.shape)}\``,
          expected: `\`${showShape(space.shape)}\``,
          space: space.name,
        },
        {
          labels: [
            {
              ...env.place(modality.place),
              message: `\`${modality.name}\` is ${showShape(modality.shape)} in networks`,
            },
          ],
          fixes: [
            {
              title: `append \`|> project(shape(${space.name}))\``,
              safe: false,
              edits: [
                {
                  file: env.module.file,
                  range: { start: declaration.value.range.end, end: declaration.value.range.end },
                  text: ` |> project(shape(${space.name}))`,
                },
              ],
            },
          ],
        },
      );
      return undefined;
    }
    const total = space.shape[space.shape.length - 1];
    return {
      value: this.batched(value),
      channels: this.evaluator.placed.get(value.node) ?? { from: 0, to: total },
    };
  }

  /** Whether an encoder has parameters and its options do not turn the normalisation off. */
  isLearned(name: string): boolean {
    const declaration = this.info.encoders.get(name);
    const settings = new SettingsReader(
      new FieldReader(this.evaluator, this.environment('encoder', name, {})),
      `encoder.${name}`,
      declaration?.options,
      declaration?.range ?? { start: 0, end: 0 },
      [],
    );
    for (const key of weightSettings) settings.has(key);
    const scale = settings.form('scale', { unit: [], none: [] }, { form: 'unit', args: {} }, '');
    settings.finish();
    return (
      scale.form === 'unit' &&
      this.evaluator.parameters.all.some((p) => p.trainable && p.name.startsWith(`encoder.${name}.`))
    );
  }

  /**
   * The backbone.
   * @param z state, [B, ...space]
   * @param t time over T, [B]
   * @param given masked encodings and roles, [B, ...space but its channels, G]
   */
  backbone(z: Node, t: Node, given: Node): TensorValue | undefined {
    const { info } = this;
    const env = this.environment('backbone', info.backbone.name.text, {
      [info.space.name]: batchedTensor(z),
      t: batchedTensor(t),
      given: batchedTensor(given),
    });
    const value = this.tensor(info.backbone.value, env, 'the backbone');
    if (value && !reaches(this.evaluator.builder.nodes, value.node, given)) {
      this.evaluator.report('MMD0512', env, info.backbone.value.range, { space: info.space.name });
    }
    return value && this.batched(value);
  }

  /** Parameters of a modality's likelihood, or with the space's name the prediction of the origin. */
  decoder(name: string, h: TensorValue, t: Node): Node | undefined {
    const { info } = this;
    const declaration = info.decoders.get(name);
    if (!declaration) return undefined;
    const env = this.environment('decoder', name, {
      // Its dimensions, not its value: `project(shape(z))`.
      [info.space.name]: { kind: 'space', name: info.space.name, shape: info.space.shape },
      [info.backbone.name.text]: h,
      t: batchedTensor(t),
    });
    const value = this.tensor(declaration.value, env, `the decoder of \`${name}\``);
    if (!value) return undefined;
    const modality = info.modalities.find((m) => m.name === name);
    const wanted = modality?.shape ?? info.space.shape;
    if (value.shape.join() !== wanted.join()) {
      this.evaluator.report(
        'MMD0510',
        env,
        declaration.value.range,
        { name, found: `\`${showShape(value.shape)}\``, expected: `\`${showShape(wanted)}\`` },
        modality
          ? {
              labels: [
                { ...env.place(modality.place), message: `\`${name}\` is ${showShape(wanted)} in networks` },
              ],
            }
          : {},
      );
      return undefined;
    }
    return this.batched(value).node;
  }

  private environment(
    kind: DeclarationKind,
    name: string,
    values: Readonly<Record<string, Value>>,
  ): Environment {
    return declarationEnvironment(this.info, kind, name, this.constants, values);
  }

  private tensor(
    expr: Parameters<Evaluator['tensor']>[0] & { readonly range: Range },
    env: Environment,
    what: string,
  ): TensorValue | undefined {
    const { builder } = this.evaluator;
    const before = builder.nodes.length;
    const value = this.evaluator.tensor(expr, env, what);
    this.onDeclaration?.(env.parameters.path, before, builder.nodes.length);
    return value;
  }

  private batched(value: TensorValue): TensorValue {
    if (value.batched) return value;
    const b = this.evaluator.builder;
    const node = b.broadcast(b.reshape(value.node, [1, ...value.shape]), [
      this.evaluator.batch,
      ...value.shape,
    ]);
    return { ...value, node, batched: true };
  }

  /** The channels of a tensor that an encoder fills. */
  cut(y: Node, { from, to }: { from: number; to: number }): Node {
    const last = y.shape.length - 1;
    const start = y.shape.map((_, axis) => (axis === last ? from : 0));
    const stop = y.shape.map((size, axis) => (axis === last ? to : size));
    return this.evaluator.builder.slice(y, start, stop);
  }

  /** Inverse of {@link cut}: zeros elsewhere. */
  private place(y: Node, { from, to }: { from: number; to: number }): Node {
    const total = this.info.space.shape[this.info.space.shape.length - 1];
    const last = y.shape.length - 1;
    const pad = (n: number) => y.shape.map((_, axis) => (axis === last ? n : 0));
    return this.evaluator.builder.pad(y, pad(from), pad(total - to));
  }
}

function batchedTensor(node: Node): TensorValue {
  return { kind: 'tensor', node, shape: node.shape.slice(1), batched: true, degree: 'nonlinear' };
}

function reaches(nodes: readonly Node[], from: Node, target: Node): boolean {
  const seen = new Set<number>([from.id]);
  const stack = [from.id];
  while (stack.length > 0) {
    const id = stack.pop() as number;
    if (id === target.id) return true;
    for (const input of nodes[id].inputs) {
      if (input < target.id || seen.has(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  return false;
}
