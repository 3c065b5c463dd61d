/**
 * The runtime as a library for Node: executors, data, training, sampling, and the folder of a run. What the `mmdc`
 * command does is made of these.
 *
 * ```ts
 * import { analyze, pickModel } from 'mmdc';
 * import { choose, fileHost, ModelSampler, openData, train } from 'mmdc/runtime';
 *
 * const { host, name } = fileHost('digits.mmd');
 * const model = pickModel(analyze(host, name, readFileSync('digits.mmd', 'utf8')), 'Digits');
 * const executor = await choose('auto');
 * await train(model, await openData(model.info, 'data', 'train'), executor, options);
 * ```
 *
 * @module
 */

// Where specs are read from
export { fileHost, packageRoot, projectRoot } from './host.js';
export { version } from './version.js';

// What is wrong with what came from outside
export { InputFault, SpecFault, UsageFault } from './faults.js';

// Executors
export {
  available,
  backends,
  choose,
  RunFault,
  type Availability,
  type Backend,
  type ChooseOptions,
  type Executor,
  type PrepareOptions,
  type Program,
  type RunFaultOptions,
  type Tensor,
  type TensorData,
} from './executors/index.js';

// Data
export { openData, openModality, openParts, type Opened, type OpenedParts, type Part } from './data/open.js';
export type { OpenOptions } from './data/sources.js';
export type { BatchSource } from './train/feeds.js';
export type { BatchArray } from './data/batches.js';
export { Dataset } from './data/table.js';
export type { Column, ColumnType, Draw } from './data/column.js';
export { DataFault, type FaultDetails } from './data/fault.js';
export { formatNpy, readNpy, writeNpy, type NpyData } from './data/npy.js';
export type { ArrayData, FileArray } from './data/array.js';

// Training
export { DivergedFault, ExplodedFault, stillTerms, type Still } from './train/guards.js';
export {
  train,
  type StartInfo,
  type TrainHooks,
  type TrainOptions,
  type TrainResult,
} from './train/trainer.js';
export { readSpecWeights } from './train/load.js';
export { modelTensors, type State } from './train/state.js';
export type { Retention } from './checkpoint/retention.js';

// Sampling
export {
  ModelSampler,
  type Produced,
  type Rows,
  type SampleHooks,
  type SampleRequest,
} from './sample/sampler.js';
export { sampleTasks, type TaskSampleOptions } from './sample/tasks.js';
export { writeSamples, type SampleDescription } from './sample/write.js';

// The folder of a run
export {
  bundleOf,
  compileBundle,
  compileRun,
  readRun,
  writeRun,
  type Bundle,
  type RunInfo,
} from './run/folder.js';
export { loadWeights, saveWeights, type Weights, type Which } from './train/weights.js';
export { parseRecord, readLog, type LogRecord } from './run/log.js';
export { acquireLock, LockFault, type Lock, type LockOwner } from './checkpoint/lock.js';
export { SafetensorsFault, type SafetensorsData, type StoredTensor } from './checkpoint/safetensors.js';
export { renderReport } from './report/index.js';
export type {
  Metric,
  ParameterInfo,
  ProcessCurves,
  RunReport,
  SampleGrid,
  SampleImage,
  TaskSamples,
} from './report/index.js';
