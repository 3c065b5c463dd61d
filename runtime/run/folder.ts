/**
 * A run folder: what was trained, with which spec, settings and data.
 *
 *     run.json        the spec's files, model, overrides, hash, data root, seed, versions
 *     spec.mmd        the spec's own text, to read
 *     executor.txt    what the training ran on
 *     log.jsonl       one record a logged step
 *     checkpoints/    state of the training
 *     model.safetensors  weights that samples come from
 *     encoders/       frozen networks that the spec names
 *     samples/TASK/   what `mmdc sample` writes
 *     report.html
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { analyze, type CompiledModel } from '../../compiler/driver.js';
import { memoryHost } from '../../compiler/project/host.js';
import { writeAtomic } from '../files/atomic.js';
import { InputFault, SpecFault } from '../faults.js';

/** A spec with everything it imports, so that a run can be compiled again wherever it is. */
export interface Bundle {
  /** Name of the root file in `files`. */
  readonly file: string;
  /** Project files by path, library modules as `std/name`. */
  readonly files: Readonly<Record<string, string>>;
  readonly model: string;
  readonly set: readonly string[];
}

export interface RunInfo {
  readonly format: 1;
  readonly bundle: Bundle;
  /** SHA-256 of model name, overrides and all files. */
  readonly hash: string;
  /** `--data` as given, resolved; null for the spec's embedded set. */
  readonly data: string | null;
  readonly steps: number;
  readonly seed: number;
  readonly batch: number;
  readonly version: string;
  /** ISO time at which the run began. */
  readonly started: string;
}

export function bundleOf(model: CompiledModel): Bundle {
  const files = Object.fromEntries([...model.project.modules].map(([name, module]) => [name, module.text]));
  return { file: model.project.root.file, files, model: model.info.name, set: model.set };
}

/** Compiles a bundle. @throws SpecFault when this version of the compiler refuses what an earlier one took */
export function compileBundle(bundle: Bundle): CompiledModel {
  const project: Record<string, string> = {};
  const library: Record<string, string> = {};
  for (const [name, text] of Object.entries(bundle.files)) {
    if (name.startsWith('std/')) library[name.slice(4)] = text;
    else project[name] = text;
  }
  const analysis = analyze(memoryHost(project, library), bundle.file, project[bundle.file], {
    set: bundle.set,
  });
  const model = analysis.models.get(bundle.model);
  if (!model) throw new SpecFault(analysis.diagnostics);
  return model;
}

/** Folder of a run in which frozen networks have the paths that they had in the project. */
export const encodersOf = (dir: string): string => join(dir, 'encoders');

/** Copies frozen networks into a run, which can then be asked about new rows anywhere. */
export function keepNetworks(dir: string, project: string, networks: Readonly<Record<string, string>>): void {
  for (const path of Object.keys(networks)) {
    const target = join(encodersOf(dir), path);
    mkdirSync(dirname(target), { recursive: true });
    writeAtomic(target, readFileSync(join(project, path)));
  }
}

export const runFile = (dir: string): string => join(dir, 'run.json');

/** Holds the line that names the executor of the training, as last started. */
export const executorFile = (dir: string): string => join(dir, 'executor.txt');

export function writeRun(dir: string, info: RunInfo): void {
  mkdirSync(dir, { recursive: true });
  writeAtomic(join(dir, 'spec.mmd'), info.bundle.files[info.bundle.file]);
  writeAtomic(runFile(dir), `${JSON.stringify(info, undefined, 2)}\n`);
}

/** @throws InputFault when `dir` is not a run folder */
export function readRun(dir: string): RunInfo {
  const file = runFile(dir);
  if (!existsSync(file)) {
    throw new InputFault(
      `${dir} is not a run folder: it has no run.json`,
      '`mmdc train SPEC --data DIR --out RUN` makes one',
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InputFault(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRunInfo(value)) {
    throw new InputFault(`${file} is not the description of a run that this version reads`);
  }
  return value;
}

/** Whether a value from a file has everything that is used of a description. */
function isRunInfo(value: unknown): value is RunInfo {
  if (typeof value !== 'object' || value === null) return false;
  const { format, bundle, hash, data, steps, seed, batch, version, started } = value as Partial<RunInfo>;
  const numbers = [steps, seed, batch].every(
    (n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0,
  );
  const texts = [hash, version, started].every((text) => typeof text === 'string');
  return format === 1 && numbers && texts && (data === null || typeof data === 'string') && isBundle(bundle);
}

/** Whether a value from a file is a bundle: texts by name, the root among them. */
export function isBundle(value: unknown): value is Bundle {
  if (typeof value !== 'object' || value === null) return false;
  const { file, files, model, set } = value as Partial<Bundle>;
  return (
    typeof file === 'string' &&
    typeof model === 'string' &&
    Array.isArray(set) &&
    set.every((item) => typeof item === 'string') &&
    typeof files === 'object' &&
    files !== null &&
    Object.hasOwn(files, file) &&
    Object.values(files).every((text) => typeof text === 'string')
  );
}

/** Compiles the spec that a run was trained with. @throws InputFault when its files and its hash disagree */
export function compileRun(dir: string): { run: RunInfo; model: CompiledModel } {
  const run = readRun(dir);
  const model = compileBundle(run.bundle);
  if (model.hash() !== run.hash) {
    throw new InputFault(
      `${runFile(dir)}: the spec in it is not the one the run was trained with`,
      'its hash differs: the file was edited',
    );
  }
  return { run, model };
}
