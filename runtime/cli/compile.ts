/**
 * `mmdc compile`.
 *
 * @module
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import type { CompiledModel } from '../../compiler/driver.js';
import type { WeightValues } from '../../compiler/targets/onnx/index.js';
import { hash } from '../../compiler/graph/hash.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { toJSON } from '../../compiler/graph/json.js';
import { stats } from '../../compiler/graph/stats.js';
import { print as printGraph } from '../../compiler/graph/text.js';
import { trainCarry } from '../../compiler/lower/training.js';
import type { PartEstimates } from '../../compiler/estimate.js';
import type { ModelInfo } from '../../compiler/model/info.js';
import { optional, passes, type OptimizeOptions } from '../../compiler/passes/index.js';
import { writeAtomic } from '../files/atomic.js';
import { SpecFault, UsageFault } from '../faults.js';
import type { ExportedWeights } from '../export/card.js';
import { packageRoot, projectRoot } from '../host.js';
import { compileGraph, isGraphFile } from './graph.js';
import { note, noteDiagnostics, print, type ColorChoice } from './output.js';
import { compileFile, displayName, renamed } from './source.js';

export interface CompileOptions {
  readonly out: string;
  readonly target: 'graph' | 'onnx' | 'pytorch';
  readonly dump?: string;
  readonly passes?: string;
  readonly stats?: boolean;
  readonly model?: string;
  /** Folder of a run whose weights go into the files. */
  readonly weights?: string;
  readonly set?: readonly string[];
  readonly color: ColorChoice;
}

/** Rows of the sampling graph that is written: graphs are static. */
const sampleBatch = 64;

export async function compile(file: string, options: CompileOptions): Promise<void> {
  const chosen = chosenPasses(options.passes);
  if (isGraphFile(file)) {
    const graphs = compileGraph(file, options, chosen);
    writeFiles(options.out, options.target === 'onnx' ? await onnxGraphs(graphs) : await graphFiles(graphs));
    if (options.stats) for (const [name, graph] of Object.entries(graphs)) printStats(name, graph);
    return;
  }
  const { model, read } = compileFile(file, options.set ?? [], options.model, options.color);
  if (options.dump !== undefined) dump(model, options.dump, chosen);
  if (options.weights !== undefined && options.target === 'graph')
    throw new UsageFault('--weights goes with --target onnx or pytorch: graphs have no weights');
  const tell = (found: readonly Diagnostic[]) =>
    noteDiagnostics(
      found.map((d) => renamed(d, displayName(file))),
      read.sources,
      options.color,
    );
  if (options.target === 'pytorch') {
    const { pytorchFiles, weightFiles, writeTree } = await import('./compile-pytorch.js');
    const root = projectRoot(file);
    const all = placed(
      () => new Map([...pytorchFiles(model, root), ...weightFiles(model, options.weights, root)]),
      tell,
    );
    for (const path of writeTree(options.out, all)) print(path);
    return;
  }
  const training = model.trainingStep(model.info.train.batch, chosen);
  const guided = model.info.tasks.some((task) => task.guidance !== 1);
  const graphs: Record<string, Graph> = {
    train: training.graph,
    sample: model.samplingStep(sampleBatch, false, chosen),
    ...(guided ? { 'sample-guided': model.samplingStep(sampleBatch, true, chosen) } : {}),
  };
  let files: Map<string, string | Uint8Array>;
  if (options.target === 'onnx') {
    const { exportedWeights } = await import('../export/card.js');
    const weights = placed(() => exportedWeights(model, options.weights, projectRoot(file)), tell);
    files = await onnxFiles(model, graphs, weights, options.weights);
  } else files = await graphFiles(graphs);
  files.set('tables.json', json(tablesOf(model.info)));
  files.set('model.json', json(describe(model, graphs, training.terms)));
  writeFiles(options.out, files);
  if (!options.stats) return;
  for (const [name, graph] of Object.entries(graphs)) printStats(name, graph, model);
  const { estimateParts } = await import('../../compiler/estimate.js');
  note(showParts(estimateParts(model)));
}

/** Everything is ready before the first byte is written. */
function writeFiles(out: string, files: ReadonlyMap<string, string | Uint8Array>): void {
  mkdirSync(out, { recursive: true });
  for (const [name, content] of files) {
    writeAtomic(join(out, name), content);
    print(`${out}/${name}`);
  }
}

/** One line for every declaration and every use of a network in it. */
function showParts({ batch, declarations, networks }: PartEstimates): string {
  const depth = (path: string) => path.split('.').length - 1;
  const rows = declarations.flatMap((declaration) => [
    declaration,
    ...networks.filter((n) => n.path.startsWith(`${declaration.path}.`)),
  ]);
  const mega = (n: number) => (n / 1e6).toPrecision(3);
  const cells = rows.map((row) => [
    '  '.repeat(row.network === undefined ? 0 : depth(row.path)) + (row.path.split('.').pop() ?? ''),
    row.parameters.toLocaleString('en'),
    mega(row.flops),
    mega(row.trainingFlops),
    (row.activationBytes / 2 ** 20).toPrecision(3),
    (row.stateBytes / 2 ** 20).toPrecision(3),
  ]);
  for (const [i, row] of rows.entries()) if (row.network === undefined) cells[i][0] = row.path;
  const head = ['part', 'parameters', 'MFLOP', 'MFLOP trained', 'MiB values', 'MiB state'];
  const width = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i].length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(width[i]) : cell.padStart(width[i]))).join('  ');
  return [`for one row of a batch of ${batch}, as written:`, line(head), ...cells.map(line)].join('\n');
}

/** Runs what may find something in the spec, and shows it before it is thrown on. */
function placed<T>(run: () => T, show: (diagnostics: readonly Diagnostic[]) => void): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SpecFault) show(error.diagnostics);
    throw error;
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 1)}\n`;
}

/** Graphs as JSON, each checked against the published schema before anything is written. */
async function graphFiles(
  graphs: Readonly<Record<string, Graph>>,
): Promise<Map<string, string | Uint8Array>> {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  const schema = JSON.parse(
    readFileSync(join(packageRoot(), 'schema', 'graph.schema.json'), 'utf8'),
  ) as object;
  const validate = new Ajv2020({ strict: false, allErrors: false }).compile(schema);
  const files = new Map<string, string | Uint8Array>();
  for (const [name, graph] of Object.entries(graphs)) {
    const value = toJSON(graph);
    if (!validate(value)) {
      const [first] = validate.errors ?? [];
      throw new Error(
        `the graph "${name}" does not follow its own schema: ${first?.instancePath} ${first?.message}`,
      );
    }
    files.set(`${name}.graph.json`, json(value));
  }
  return files;
}

/** The graphs of training and sampling as onnxruntime runs them here, and the model for use elsewhere. */
/** Every graph as it is, for a batch of its own size. */
async function onnxGraphs(graphs: Readonly<Record<string, Graph>>): Promise<Map<string, Uint8Array>> {
  const { lowerToOnnx } = await import('../../compiler/targets/onnx/index.js');
  return new Map(
    Object.entries(graphs).map(([name, graph]) => [
      `${name}.onnx`,
      lowerToOnnx(graph, { provider: 'cpu', contrib: true }).bytes,
    ]),
  );
}

async function onnxFiles(
  model: CompiledModel,
  graphs: Readonly<Record<string, Graph>>,
  weights: ExportedWeights,
  run: string | undefined,
): Promise<Map<string, string | Uint8Array>> {
  const { deployOnnx } = await import('../../compiler/targets/onnx/index.js');
  const { modelCard } = await import('../export/card.js');
  return new Map<string, string | Uint8Array>([
    ...(await onnxGraphs(graphs)),
    ...deployOnnx(model, weights.tensors as WeightValues),
    ['README.md', modelCard(model, { target: 'onnx', run, step: weights.step })],
  ]);
}

/** Coefficient tables in float64. */
function tablesOf({ tables }: ModelInfo): object {
  return {
    steps: tables.steps,
    a: [...tables.a],
    A: [...tables.A],
    sigma: [...tables.sigma],
    variance: [...tables.variance],
    components: tables.components.map(({ name, o, w, v, c, k }) => ({
      name,
      o,
      w: [...w],
      v: [...v],
      c: [...c],
      k: [...k],
    })),
  };
}

function describe(
  model: CompiledModel,
  graphs: Readonly<Record<string, Graph>>,
  terms: readonly string[],
): object {
  const { info, layout } = model;
  return {
    model: info.name,
    hash: model.hash(),
    modalities: info.modalities.map(({ name, type, shape, dataShape, likelihood, range }) => ({
      name,
      type,
      shape,
      dataShape,
      likelihood,
      range,
    })),
    space: info.space,
    tasks: info.tasks.map(({ name, given, produced, known, guidance, sampler, steps, readout }) => ({
      name,
      given,
      produced,
      known,
      guidance,
      sampler,
      steps,
      readout,
    })),
    train: info.train,
    terms,
    carry: trainCarry,
    parameters: layout.trainable.map(({ name, shape, offset, init, decay }) => ({
      name,
      shape,
      offset,
      init,
      decay,
    })),
    frozen: layout.frozen.map(({ name, shape, offset }) => ({ name, shape, offset })),
    statistics: layout.statistics.map(({ name, shape, offset }) => ({ name, shape, offset })),
    graphs: Object.fromEntries(Object.entries(graphs).map(([name, graph]) => [name, hash(graph)])),
    defaults: info.defaults,
  };
}

type ChosenPasses = Pick<OptimizeOptions, 'disable' | 'memory'>;

/** `-cse,+recompute=64` as passes to leave out and the budget of `recompute`, if that is to run. @throws UsageFault */
function chosenPasses(text: string | undefined): ChosenPasses {
  if (text === undefined || text.trim() === '') return {};
  const known = [...new Set(passes.map((pass) => pass.name))];
  const disable: string[] = [];
  let memory: number | undefined;
  for (const item of text.split(',').map((part) => part.trim())) {
    const added = /^\+recompute(?:=(\d+))?$/.exec(item);
    if (added) {
      memory = Number(added[1] ?? 0) * 2 ** 20;
      continue;
    }
    const name = item.replace(/^-/, '');
    if (!item.startsWith('-') || !known.includes(name)) {
      throw new UsageFault(
        `--passes ${item}: it is neither a pass with a minus before it nor +recompute`,
        `passes are ${known.join(', ')}; +recompute=MIB adds one that saves memory`,
      );
    }
    disable.push(name);
  }
  return { disable, memory };
}

/** Prints the training graph after a stage. */
function dump(model: CompiledModel, stage: string, chosen: ChosenPasses): void {
  const stages: Record<string, () => Graph> = {
    forward: () => model.forward(model.info.train.batch, { disable: passes.map((pass) => pass.name) }).graph,
    step: () =>
      model.trainingStep(model.info.train.batch, { disable: passes.map((pass) => pass.name) }).graph,
  };
  for (const { name } of [...passes, ...optional]) {
    stages[name] = () => {
      let last: Graph | undefined;
      const budgeted = name === 'recompute' ? { memory: 0, ...defined(chosen) } : chosen;
      const observe: OptimizeOptions['observe'] = (pass, graph) => {
        if (pass.name === name) last = graph;
      };
      const { graph } = model.trainingStep(model.info.train.batch, { ...budgeted, observe });
      return last ?? graph;
    };
  }
  if (!Object.hasOwn(stages, stage)) {
    throw new UsageFault(
      `--dump ${stage}: there is no such stage`,
      `stages are ${Object.keys(stages).join(', ')}`,
    );
  }
  print(printGraph(stages[stage]()));
}

/** Without what is not there, which would stand before a default. */
function defined({ disable, memory }: ChosenPasses): ChosenPasses {
  return { ...(disable && { disable }), ...(memory !== undefined && { memory }) };
}

function printStats(name: string, graph: Graph, model?: CompiledModel): void {
  const { nodes, flops, peakBytes } = stats(graph);
  const parameters = model === undefined ? '' : `, ${model.layout.size} parameters`;
  note(
    `${name}: ${nodes} operations, ${(flops / 1e9).toFixed(2)} GFLOP, ${(peakBytes / 2 ** 20).toFixed(1)} MiB of values at a time${parameters}`,
  );
}
