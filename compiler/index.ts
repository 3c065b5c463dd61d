/**
 * The compiler as a library: from the text of a spec to diagnostics, typed graphs and files for other tools. It is
 * pure: no file system, no process, nothing of Node, so all of it also runs in a browser.
 *
 * ```ts
 * import { analyze, memoryHost, renderText } from 'mmdc';
 *
 * const analysis = analyze(memoryHost({ 'model.mmd': text }, library), 'model.mmd', text);
 * console.log(renderText(analysis.diagnostics, (file) => analysis.sources.get(file)));
 * const step = analysis.models.get('Digits')?.trainingStep(64);
 * ```
 *
 * @module
 */

// The pipeline
export { analyze, CompiledModel, pickModel, type Analysis, type AnalyzeOptions } from './driver.js';
export { memoryHost, type Host, type ReadResult } from './project/host.js';
export type { Module, Project, Visible } from './project/project.js';

// What is wrong with a spec
export type { Diagnostic, Edit, Fix, Label, Place, Severity } from './diagnostics/diagnostic.js';
export {
  renderJson,
  renderSarif,
  renderText,
  summary,
  type Painter,
  type Source,
  type Style,
} from './diagnostics/render.js';
export { codes, type Code } from './diagnostics/table.js';
export { explain } from './diagnostics/pages/index.js';

// What a checked model is
export type {
  DataInfo,
  DerivedInfo,
  KnownInfo,
  Likelihood,
  LossInfo,
  ModalityInfo,
  ModalityType,
  ModelInfo,
  SourceInfo,
  TaskInfo,
  TrainInfo,
  WeightsInfo,
} from './model/info.js';
export type { SnrWeight } from './process/weighting.js';
export type { FieldValue, FormValue, RangeValue } from './model/forms.js';
export type { FilledDefault } from './model/settings.js';
export { trainCarry, trainInputs, type ForwardGraph, type TrainingStep } from './lower/training.js';
export type { Roles } from './lower/forward.js';
export type { SamplingOptions } from './lower/sampling.js';
export type { Layout, Slot } from './lower/layout.js';
export type { Statistic } from './lower/networks.js';
export type { Init } from './elaborate/values.js';
export type { ParameterInfo } from './elaborate/parameters.js';

// The process
export { posterior, processTables, snr, terminalBound } from './process/tables.js';
export type {
  Component,
  ComponentSpec,
  Origin as ProcessOrigin,
  ProcessSpec,
  ProcessTables,
} from './process/tables.js';
export { processSummary, type ComponentSummary, type ProcessSummary } from './process/check.js';
export type { Schedule, WeightCurve, Weights } from './process/schedule.js';
export { timesteps, updates, type Sampler, type Update } from './process/samplers.js';

// Graphs
export type * from './graph/ir.js';
export { sizeOf } from './graph/ir.js';
export { GraphBuilder, GraphError, type ConvOptions, type Value } from './graph/builder.js';
export { gradients } from './autodiff/index.js';
export { optimize, passes, type OptimizeOptions, type Pass } from './passes/index.js';
export { verify, type Problem } from './graph/verify.js';
export {
  evaluate,
  Evaluator,
  KernelError,
  type Data,
  type NdArray,
  type Precision,
} from './graph/evaluate.js';
export { hash } from './graph/hash.js';
export { parseText, print } from './graph/text.js';
export { fromJSON, toJSON, type GraphJson, type JsonNumber, type NodeJson } from './graph/json.js';
export { GraphFormatError } from './graph/format.js';
export {
  estimate,
  estimateParts,
  type Cost,
  type Estimate,
  type PartCost,
  type PartEstimates,
} from './estimate.js';
export { stats, type Stats } from './graph/stats.js';

// Targets
export {
  lowerToOnnx,
  type LowerOptions,
  type OnnxArtifact,
  type Port,
  type Provider,
} from './targets/onnx/index.js';
