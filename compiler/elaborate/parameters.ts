/**
 * The parameters of a model: declared by name while it is elaborated, the same for every graph made from it.
 *
 * @module
 */
import { sizeOf, type Node, type Shape } from '../graph/ir.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Init } from './values.js';

export interface ParameterInfo {
  /** Follows the source: `backbone.UNet_1.conv_2.weight`. */
  readonly name: string;
  readonly shape: Shape;
  readonly init: Init;
  /** Whether weight decay applies: matrices and kernels, not biases, gains and encodings of position. */
  readonly decay: boolean;
  /** False for running statistics, which the training step updates without a gradient. */
  readonly trainable: boolean;
  /** Whether it stays as it was loaded: the optimiser has nothing of it, and no gradient is computed. */
  readonly frozen?: boolean;
}

/** Collects parameters and gives each graph its node for them. */
export class ParameterTable {
  private readonly infos = new Map<string, ParameterInfo>();
  private readonly nodes = new WeakMap<GraphBuilder, Map<string, Node>>();
  /** While set, uses of parameters receive no gradient. */
  frozen = false;
  /** Declarations whose parameters stay as they were loaded: `encoder.image`. */
  readonly frozenPaths = new Set<string>();

  get all(): readonly ParameterInfo[] {
    return [...this.infos.values()];
  }

  /** Number of trainable values. */
  get count(): number {
    return this.all.reduce((sum, info) => sum + (info.trainable ? sizeOf(info.shape) : 0), 0);
  }

  get(name: string): ParameterInfo | undefined {
    return this.infos.get(name);
  }

  /** Makes a parameter known without using it. */
  declare(info: ParameterInfo): void {
    if (this.infos.has(info.name)) return;
    const frozen = info.trainable && [...this.frozenPaths].some((path) => info.name.startsWith(`${path}.`));
    this.infos.set(info.name, frozen ? { ...info, frozen } : info);
  }

  /** The node of a parameter in `builder`, declared on first use. */
  use(builder: GraphBuilder, info: ParameterInfo): Node {
    this.declare(info);
    let nodes = this.nodes.get(builder);
    if (!nodes) this.nodes.set(builder, (nodes = new Map<string, Node>()));
    let node = nodes.get(info.name);
    if (!node) nodes.set(info.name, (node = builder.parameter(info.name, info.shape)));
    return this.frozen ? builder.stopGradient(node) : node;
  }
}
