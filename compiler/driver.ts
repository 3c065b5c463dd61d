/**
 * The pipeline, in order: project and imports -> names, types and shapes -> process -> graph -> autodiff -> passes.
 * Analysis never stops at the first problem and always returns a result; what it returns for a model without errors
 * is enough to make every graph.
 *
 * @module
 */
import type { Model, Network } from '../grammar/ast.js';
import type { ParseResult } from '../grammar/parse.js';
import { byPlace, Diagnostics } from './diagnostics/collect.js';
import type { Diagnostic } from './diagnostics/diagnostic.js';
import { didYouMean } from './diagnostics/suggest.js';
import { suppress } from './diagnostics/suppress.js';
import { Evaluator } from './elaborate/evaluator.js';
import type { Observer } from './elaborate/observer.js';
import { ParameterTable, type ParameterInfo } from './elaborate/parameters.js';
import { GraphBuilder } from './graph/builder.js';
import { sha256 } from './graph/sha256.js';
import type { Graph } from './graph/ir.js';
import { reportSharedChannels } from './lower/channels.js';
import { layoutOf, type Layout } from './lower/layout.js';
import { ModelNetworks } from './lower/networks.js';
import { decoderGraph, denoiserGraph, encoderGraph } from './lower/parts.js';
import { samplingStep, type SamplingOptions } from './lower/sampling.js';
import { forwardGraph, lossStep, trainingStep, type TrainingStep } from './lower/training.js';
import { checkModel, type CheckedModel } from './model/check.js';
import { concerns } from './model/concerns.js';
import type { ModelInfo } from './model/info.js';
import { reportWeightless } from './model/weights.js';
import { overrideFile, parseOverride, type Override } from './model/overrides.js';
import { checkNames } from './names/index.js';
import { optimize, type OptimizeOptions } from './passes/index.js';
import type { Host } from './project/host.js';
import { loadProject, type Project } from './project/project.js';
import { checkDefinitions } from './symbolic/index.js';

export interface AnalyzeOptions {
  /** `--set` overrides, `path=value`. They apply to every model that is looked at. */
  readonly set?: readonly string[];
  /**
   * What is known from an analysis before.
   * @internal
   */
  readonly memo?: AnalysisMemo;
}

/** Keeps what an edit has not touched, and is told what the analysis finds on its way. */
export interface AnalysisMemo {
  /** The tree of a file's text. */
  parse(file: string, text: string): ParseResult;
  /** What elaborating a model gave before, if nothing that it depends on has changed; else what `elaborate` gives. */
  model(project: Project, model: Model, elaborate: () => Elaborated): Elaborated;
  /** Who is told of the values and settings of a model while it is elaborated. */
  observe(model: Model): Observer | undefined;
}

export interface Analysis {
  readonly project: Project;
  readonly diagnostics: readonly Diagnostic[];
  /** Models of the root file that no error concerns, by name: one that is broken leaves the others usable. */
  readonly models: ReadonlyMap<string, CompiledModel>;
  /**
   * What elaborating each model of the root file gave, by name.
   * @internal
   */
  readonly elaborated: ReadonlyMap<string, Elaborated>;
  /** Text of every file that a diagnostic can point into. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Rows of the graphs that are only built to check a model. */
const checkBatch = 2;

/** Reads `file` with everything it imports and checks every model in it. */
export function analyze(host: Host, file: string, text: string, options: AnalyzeOptions = {}): Analysis {
  const steps = analysisSteps(host, file, text, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** {@link analyze}, one model at a step, for those who may have to do something else in between. */
export function* analysisSteps(
  host: Host,
  file: string,
  text: string,
  options: AnalyzeOptions = {},
): Generator<void, Analysis> {
  const diagnostics = new Diagnostics();
  const { memo } = options;
  const project = loadProject(host, file, text, diagnostics, memo && ((name, own) => memo.parse(name, own)));
  const names = checkNames(project, diagnostics);
  const definitions = checkDefinitions(project, diagnostics);
  const settled = (d: Diagnostic) => names.settles(d) || definitions.settles(d);
  const overrides = (options.set ?? []).flatMap((item) => parseOverride(item, diagnostics) ?? []);
  const models = new Map<string, CompiledModel>();
  const elaborated = new Map<string, Elaborated>();
  for (const model of project.root.declared.values()) {
    if (model.kind !== 'Model') continue;
    yield;
    const elaborate = () => elaborateModel(project, model, overrides, memo?.observe(model));
    const found = memo ? memo.model(project, model, elaborate) : elaborate();
    elaborated.set(model.name.text, found);
    diagnostics.add(...found.diagnostics.filter((d) => !settled(d)));
  }
  for (const model of project.root.declared.values()) {
    const { checked, parameters, complete, used } = elaborated.get(model.name.text) ?? {};
    if (model.kind !== 'Model' || !checked || !parameters || !used || !complete) continue;
    const blamed = (d: Diagnostic) => d.severity === 'error' && concerns(d, project, model, used);
    if (diagnostics.hasErrors && diagnostics.list.some(blamed)) continue;
    models.set(model.name.text, new CompiledModel(project, checked, parameters, options.set ?? []));
  }
  const sources = new Map([...project.modules].map(([name, module]) => [name, module.text]));
  for (const item of options.set ?? []) sources.set(overrideFile(item), item);
  // Overrides and errors hide warnings: a comment that silences one is then not to blame.
  const complete = overrides.length === 0 && !diagnostics.hasErrors;
  const list = suppress(
    diagnostics.list,
    [...project.modules.values()]
      .filter((module) => !module.library)
      .map((module) => ({ ...module, complete: complete && module === project.root })),
  );
  return { project, diagnostics: list.toSorted(byPlace), models, elaborated, sources };
}

/** What elaborating a model gives, with errors or without. */
export interface Elaborated {
  readonly diagnostics: readonly Diagnostic[];
  readonly checked?: CheckedModel;
  readonly parameters: ParameterTable;
  /** Whether its graph could be built. */
  readonly complete: boolean;
  /** Networks that it uses, directly or not. */
  readonly used: ReadonlySet<Network>;
}

function elaborateModel(
  project: Project,
  model: Model,
  overrides: readonly Override[],
  observer?: Observer,
): Elaborated {
  const diagnostics = new Diagnostics();
  const parameters = new ParameterTable();
  const evaluator = new Evaluator(
    project,
    new GraphBuilder(model.name.text),
    parameters,
    diagnostics,
    checkBatch,
    observer,
  );
  const checked = checkModel(evaluator, model, project.root, overrides);
  const networks = checked && new ModelNetworks(checked.info, checked.constants, evaluator);
  const complete = networks && forwardGraph(networks, checkBatch);
  if (networks) reportSharedChannels(networks);
  if (networks && complete) reportWeightless(checked.info, evaluator);
  return {
    diagnostics: diagnostics.list,
    checked,
    parameters,
    complete: complete !== undefined && !diagnostics.hasErrors,
    used: evaluator.used,
  };
}

/** A checked model, from which graphs of any batch size are made. */
export class CompiledModel {
  private made: Layout | undefined;

  /** @internal {@link analyze} makes them. */
  constructor(
    readonly project: Project,
    private readonly checked: CheckedModel,
    private readonly parameters: ParameterTable,
    /** The overrides it was compiled with. */
    readonly set: readonly string[],
  ) {}

  get layout(): Layout {
    return (this.made ??= layoutOf(this.parameters.all));
  }

  get info(): ModelInfo {
    return this.checked.info;
  }

  /** Values of the model's `let`s, for targets that read its expressions themselves. @internal */
  get constants(): CheckedModel['constants'] {
    return this.checked.constants;
  }

  /** SHA-256 of the model's name, overrides and every file of the project it may depend on. */
  hash(): string {
    const files = [...this.project.modules];
    const parts = [
      this.info.name,
      ...this.set,
      ...files.sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, m]) => [name, m.text]),
    ];
    return sha256(JSON.stringify(parts));
  }

  /** Outputs of the forward pass: `loss`, `terms` and the statistics of learned encoders. */
  forward(batch: number, options: OptimizeOptions = {}): { graph: Graph; terms: readonly string[] } {
    const networks = this.networks('forward', batch);
    const made = required(forwardGraph(networks, batch));
    return { ...made, graph: optimize(made.graph, options) };
  }

  /** Every parameter, by its name in checkpoints. */
  get parameterList(): readonly ParameterInfo[] {
    return this.parameters.all;
  }

  /** The training step for `batch` rows, optimised. */
  trainingStep(batch: number, options: OptimizeOptions = {}): TrainingStep {
    const networks = this.networks('forward', batch);
    const made = required(forwardGraph(networks, batch));
    // Layout is settled before differentiation, so that the backward pass inherits it.
    const forward = { ...made, graph: optimize(made.graph, { ...options, memory: undefined }) };
    const step = trainingStep(this.info, forward, this.layout);
    return { ...step, graph: optimize(step.graph, options) };
  }

  /** The losses of `batch` rows for packed parameters, optimised: a training step without its derivatives. */
  lossStep(batch: number, options: OptimizeOptions = {}): Graph {
    const made = required(forwardGraph(this.networks('loss', batch), batch));
    return optimize(lossStep(made, this.layout), options);
  }

  /** The sampling step for `batch` rows, optimised; parameters are `parameter` nodes. */
  samplingStep(
    batch: number,
    guided: boolean,
    { roles, known, ...options }: OptimizeOptions & SamplingOptions = {},
  ): Graph {
    const graph = required(samplingStep(this.networks('sample', batch), batch, guided, { roles, known }));
    return optimize(graph, options);
  }

  /** A modality's encoder alone, with the statistics that training kept. */
  encoder(name: string, batch: number): Graph {
    return optimize(required(encoderGraph(this.networks(`encoder.${name}`, batch), name, batch)));
  }

  /** The backbone alone, on a state and its roles. */
  denoiser(batch: number): Graph {
    return optimize(required(denoiserGraph(this.networks('denoiser', batch), batch)));
  }

  /** A decoder alone: of a modality, or by the space's name that of the origin. */
  decoder(name: string, batch: number): Graph {
    const h = this.denoiser(batch);
    const shape = h.nodes[h.outputs[0].node].shape.slice(1);
    return optimize(required(decoderGraph(this.networks(`decoder.${name}`, batch), name, batch, shape)));
  }

  /** @internal The model's expressions on an empty graph. */
  networks(name: string, batch: number): ModelNetworks {
    const builder = new GraphBuilder(`${this.info.name}.${name}`);
    const evaluator = new Evaluator(this.project, builder, this.parameters, new Diagnostics(), batch);
    return new ModelNetworks(this.info, this.checked.constants, evaluator);
  }
}

/** A checked model builds at every batch size; anything else is a fault of the compiler. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a model without errors did not compile');
  return value;
}

/** The model a command means: the named one, or the only one; otherwise a sentence that says what there is. */
export function pickModel(analysis: Analysis, name: string | undefined): CompiledModel | string {
  const names = [...analysis.models.keys()];
  if (name !== undefined) {
    const near = didYouMean(name, names);
    return (
      analysis.models.get(name) ?? `there is no model \`${name}\`${near ? `; did you mean \`${near}\`?` : ''}`
    );
  }
  if (names.length === 1) return analysis.models.get(names[0]) as CompiledModel;
  if (names.length === 0) return 'the file declares no model';
  return `the file declares ${names.length} models (${names.join(', ')}): choose one with --model`;
}
