/**
 * One evaluation of the model inside a graph: data and roles in, z_t and predictions out. Training and sampling
 * differ only in where z_t comes from.
 *
 * @module
 */
import type { Encoder } from '../../grammar/ast.js';
import type { TensorValue } from '../elaborate/values.js';
import type { Node } from '../graph/ir.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { ModalityInfo } from '../model/info.js';
import { from } from './origin.js';
import type { BuiltEncoder, ModelNetworks, Statistics } from './networks.js';

/** Name of the graph input with the data of a modality. */
export const dataInput = (modality: string): string => `x.${modality}`;

/** Inputs that say what every row contains. Roles are f32 0/1 of shape [B, modalities]. */
export interface RowInputs {
  readonly given: Node;
  readonly produced: Node;
  /** Time step of every row, i32 [B]. */
  readonly t: Node;
  /** Where all rows have the same roles and they are known: what has no part in them is left out of the graph. */
  readonly known?: Roles;
}

/** Names of modalities by what becomes of them. */
export interface Roles {
  readonly given: readonly string[];
  readonly produced: readonly string[];
}

/** Declares the data input of a modality and gives its representation in networks, [B, ...shape]. */
export function dataNode(b: GraphBuilder, modality: ModalityInfo, batch: number): Node {
  const name = dataInput(modality.name);
  if (!modality.discrete) return b.input(name, [batch, ...modality.shape]);
  // An index outside the classes (void pixels, missing rows) is a row of zeros.
  return b.oneHot(b.input(name, [batch, ...modality.dataShape], 'i32'), modality.classes);
}

/** What backbone and decoders say about z_t, before any clipping. */
export interface Evaluated {
  /** Decoder outputs by modality: logits where it is discrete, [B, ...shape]. */
  readonly outputs: ReadonlyMap<string, Node>;
  /** Means of the likelihoods: probabilities, unit vectors, values, [B, ...shape]. */
  readonly means: ReadonlyMap<string, Node>;
  /** Prediction of z_0 where the origin is a modality, [B, ...space]. */
  readonly origin: Node | undefined;
}

export class Forward {
  readonly b: GraphBuilder;
  readonly encoders: readonly BuiltEncoder[];

  constructor(
    readonly networks: ModelNetworks,
    readonly rows: RowInputs,
    readonly batch: number,
    data: ReadonlyMap<string, Node>,
    statistics: Statistics,
  ) {
    this.b = networks.evaluator.builder;
    this.encoders = networks.info.modalities.flatMap((modality) => {
      if (!networks.info.encoders.has(modality.name)) return [];
      const { range } = networks.info.encoders.get(modality.name) as Encoder;
      const x = data.get(modality.name) as Node;
      return from(this.b, networks.info, range, () => networks.encoder(modality, x, statistics)) ?? [];
    });
  }

  private get info() {
    return this.networks.info;
  }

  private index(modality: string): number {
    return this.info.modalities.findIndex((m) => m.name === modality);
  }

  /** One column of the roles, [B]. */
  role(kind: 'given' | 'produced', modality: string): Node {
    const column = this.index(modality);
    return this.b.reshape(this.b.slice(this.rows[kind], [0, column], [this.batch, column + 1]), [this.batch]);
  }

  /** Whether a modality can have the role in some row. */
  may(role: keyof Roles, modality: string): boolean {
    return this.rows.known?.[role].includes(modality) ?? true;
  }

  /** 1 where a modality is given or produced, [B]. */
  present(modality: string): Node {
    return this.b.add(this.role('given', modality), this.role('produced', modality));
  }

  /** [B] as [B, 1, ..., 1] against the space or a modality. */
  perRow(value: Node, rank: number): Node {
    return this.b.reshape(value, [this.batch, ...new Array<number>(rank - 1).fill(1)]);
  }

  /** A table of t as [B]. */
  lookup(table: ArrayLike<number>): Node {
    return this.b.gather(this.b.constant(table, [table.length]), this.rows.t);
  }

  /** c_j(t) where the component takes part, else 0, [B]. */
  coefficient(modality: string): Node {
    return this.b.mul(this.marginalTable(modality), this.present(modality));
  }

  /** c_j(t), [B]. */
  private marginalTable(modality: string): Node {
    const component = this.info.tables.components.find((c) => c.name === modality);
    return this.lookup(component?.c ?? [0]);
  }

  sigma(): Node {
    return this.lookup(this.info.tables.sigma);
  }

  /** z_t = sum_j c_j(t) Y_j + sigma_t eps, [B, ...space]. */
  marginal(noise: Node): Node {
    return from(this.b, this.info, this.info.places.process, () => this.buildMarginal(noise));
  }

  private buildMarginal(noise: Node): Node {
    const rank = noise.shape.length;
    return this.encoders.reduce(
      (z, encoder) =>
        this.b.add(
          z,
          this.b.mul(this.perRow(this.coefficient(encoder.modality.name), rank), encoder.encoding),
        ),
      this.b.mul(this.perRow(this.sigma(), rank), noise),
    );
  }

  /**
   * What the backbone sees of the state: u_t = z_t - sum_{i given} c_i(t) E_i over the root mean square it has by the
   * process, per channel. What is given is known exactly and the backbone has it beside u_t, so nothing is lost; left
   * in, it would have to be subtracted by a network whose first layer does not know t.
   */
  private unresolved(z: Node): Node {
    const { b } = this;
    const rank = z.shape.length;
    const channels = z.shape[rank - 1];
    const sigma = this.sigma();
    let u = z;
    let square: Node = b.broadcast(b.reshape(b.mul(sigma, sigma), [this.batch, 1]), [this.batch, channels]);
    for (const encoder of this.encoders) {
      const { modality, encoding } = encoder;
      const { from, to } = encoder.channels;
      const c = this.marginalTable(modality.name);
      if (this.may('given', modality.name))
        u = b.sub(u, b.mul(this.perRow(b.mul(c, this.role('given', modality.name)), rank), encoding));
      if (!this.may('produced', modality.name)) continue;
      const produced = b.mul(c, this.role('produced', modality.name));
      const fills = b.constant(
        Array.from({ length: channels }, (_, i) => Number(i >= from && i < to)),
        [1, channels],
      );
      square = b.add(square, b.mul(b.reshape(b.mul(produced, produced), [this.batch, 1]), fills));
    }
    const middle = z.shape.slice(1, -1).map(() => 1);
    return b.div(u, b.reshape(b.sqrt(square), [this.batch, ...middle, channels]));
  }

  /** What the backbone sees of the roles: for every modality its encoding where given, and two planes of flags. */
  private given(space: readonly number[]): Node {
    const { b } = this;
    const rank = space.length + 1;
    const plane = (flag: Node) =>
      b.broadcast(this.perRow(flag, rank), [this.batch, ...space.slice(0, -1), 1]);
    const parts: Node[] = [];
    for (const modality of this.info.modalities) {
      const given = this.role('given', modality.name);
      const encoder = this.encoders.find((e) => e.modality === modality);
      if (encoder) {
        const encoding = this.networks.cut(encoder.encoding, encoder.channels);
        const part = this.may('given', modality.name)
          ? b.mul(this.perRow(given, rank), encoding)
          : b.constant([0], encoding.shape);
        parts.push(part);
      }
      parts.push(plane(given), plane(this.role('produced', modality.name)));
    }
    return b.concat(parts, -1);
  }

  /** The backbone's result on z_t, and the time over T that decoders see. */
  features(z: Node): { h: TensorValue; t: Node } | undefined {
    const { b, networks, info } = this;
    const t = b.mul(b.cast(this.rows.t, 'f32'), 1 / info.tables.steps);
    const h = networks.backbone(this.unresolved(z), t, this.given(z.shape.slice(1)));
    return h && { h, t };
  }

  /** Runs backbone and decoders on z_t. */
  evaluate(z: Node): Evaluated | undefined {
    return from(this.b, this.info, this.info.places.process, () => this.buildEvaluation(z));
  }

  private buildEvaluation(z: Node): Evaluated | undefined {
    const { b, networks, info } = this;
    const features = this.features(z);
    if (!features) return undefined;
    const { h, t } = features;
    const decoded = this.originName === undefined ? undefined : networks.decoder(info.space.name, h, t);
    const origin = decoded && this.fromPrediction(z, decoded);
    const outputs = new Map<string, Node>();
    const means = new Map<string, Node>();
    for (const modality of info.modalities) {
      if (!this.may('produced', modality.name)) continue;
      const output = networks.decoder(modality.name, h, t);
      if (output) {
        outputs.set(modality.name, output);
        means.set(modality.name, meanOf(b, modality, output));
      } else if (origin && modality.name === this.originName && this.encoderOf(modality.name)?.identity) {
        means.set(modality.name, origin);
      }
    }
    return { outputs, means, origin };
  }

  /**
   * Yh by component: exact where given, the prediction where produced, zero where absent, [B, ...space].
   * @param frozen whether the encoders' parameters receive no gradient from this
   */
  components({ means, origin }: Pick<Evaluated, 'means' | 'origin'>, frozen: boolean): Map<string, Node> {
    const { b } = this;
    const { parameters } = this.networks.evaluator;
    const components = new Map<string, Node>();
    const before = parameters.frozen;
    parameters.frozen = frozen;
    for (const encoder of this.encoders) {
      const name = encoder.modality.name;
      const rank = encoder.encoding.shape.length;
      const mean = means.get(name);
      if (!this.may('produced', name)) {
        const exact = b.mul(this.perRow(this.role('given', name), rank), encoder.encoding);
        components.set(name, this.may('given', name) ? exact : b.constant([0], encoder.encoding.shape));
        continue;
      }
      const estimate =
        name === this.originName && origin && !encoder.identity
          ? origin
          : mean && encoder.encode(mean, frozen);
      const exact = b.mul(this.perRow(this.role('given', name), rank), encoder.encoding);
      const produced = estimate && b.mul(this.perRow(this.role('produced', name), rank), estimate);
      components.set(name, produced ? b.add(exact, produced) : exact);
    }
    parameters.frozen = before;
    return components;
  }

  /** The modality that is z_0, if one is. */
  get originName(): string | undefined {
    const { origin } = this.info.process;
    return origin.form === 'modality' ? origin.name : undefined;
  }

  encoderOf(modality: string): BuiltEncoder | undefined {
    return this.encoders.find((encoder) => encoder.modality.name === modality);
  }

  /** z_0 from what `decoder z` gives, by `predict:`. With v and eps the origin is the only component. */
  private fromPrediction(z: Node, output: Node): Node {
    const { b, info } = this;
    if (info.predict === 'x0') return output;
    const rank = z.shape.length;
    const c = this.perRow(this.lookup(info.tables.components[0].c), rank);
    const sigma = this.perRow(this.sigma(), rank);
    // v = c eps - sigma z_0 with c^2 + sigma^2 = 1 gives z_0 = c z - sigma v (Salimans & Ho, 2022).
    if (info.predict === 'v') return b.sub(b.mul(c, z), b.mul(sigma, output));
    return b.div(b.sub(z, b.mul(sigma, output)), c);
  }
}

/** Mean of a likelihood with the given parameters. */
function meanOf(b: GraphBuilder, modality: ModalityInfo, output: Node): Node {
  switch (modality.likelihood.form) {
    case 'categorical':
      return b.softmax(output);
    case 'bernoulli':
      return b.sigmoid(output);
    case 'cosine':
      return unitVector(b, output);
    case 'gaussian':
      return output;
  }
}

/** A mean, possibly extrapolated by guidance, put back where means of this modality can lie. */
export function limited(b: GraphBuilder, modality: ModalityInfo, mean: Node): Node {
  switch (modality.likelihood.form) {
    case 'categorical': {
      const positive = b.max(mean, 0);
      return b.div(positive, b.max(b.sum(positive, [-1], true), 1e-6));
    }
    case 'cosine':
      return unitVector(b, mean);
    default:
      return modality.range ? b.min(b.max(mean, modality.range[0]), modality.range[1]) : mean;
  }
}

/** x / |x| over the last axis. */
export function unitVector(b: GraphBuilder, x: Node): Node {
  return b.div(x, b.sqrt(b.add(b.sum(b.mul(x, x), [-1], true), 1e-12)));
}
