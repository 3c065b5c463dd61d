/**
 * Reading specs for commands, and naming their files the way the user did.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { basename, relative, resolve, sep } from 'node:path';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import { analyze, pickModel, type Analysis, type CompiledModel } from '../../compiler/driver.js';
import { InputFault, SpecFault } from '../faults.js';
import { fileHost, projectRoot } from '../host.js';
import { noteDiagnostics, type ColorChoice } from './output.js';

/** Standard input is checked as a file of this name in the current folder. */
export const standardInput = 'stdin.mmd';

export interface Read {
  readonly analysis: Analysis;
  /** Diagnostics and sources with file names relative to the current folder. */
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: ReadonlyMap<string, string>;
}

/** Text of a spec. @throws InputFault when it cannot be read */
export function readSpec(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : (code ?? String(error));
    throw new InputFault(`cannot read ${file}: ${reason}`);
  }
}

export function analyzeFile(file: string, set: readonly string[] = []): Read {
  const path = file === '-' ? standardInput : file;
  const text = readSpec(file);
  const { host, name } = fileHost(path);
  const analysis = analyze(host, name, text, { set });
  const shown = displayName(path);
  return {
    analysis,
    diagnostics: analysis.diagnostics.map((d) => renamed(d, shown)),
    sources: new Map([...analysis.sources].map(([key, value]) => [shown(key), value])),
  };
}

/** Project names become paths from the current folder; library modules and overrides keep theirs. */
export function displayName(specPath: string): (file: string) => string {
  const root = projectRoot(resolve(specPath));
  return (file) => {
    if (file.startsWith('std/') || file.startsWith('--set ')) return file;
    const path = relative(process.cwd(), resolve(root, file)).split(sep).join('/');
    return path === '' ? basename(file) : path;
  };
}

export function renamed(d: Diagnostic, shown: (file: string) => string): Diagnostic {
  return {
    ...d,
    file: shown(d.file),
    labels: d.labels.map((label) => ({ ...label, file: shown(label.file) })),
    fixes: d.fixes.map((fix) => ({
      ...fix,
      edits: fix.edits.map((edit) => ({ ...edit, file: shown(edit.file) })),
    })),
  };
}

/** The model a command means; its diagnostics go to standard error. @throws SpecFault, InputFault */
export function compileFile(
  file: string,
  set: readonly string[],
  name: string | undefined,
  color: ColorChoice,
): { model: CompiledModel; read: Read } {
  const read = analyzeFile(file, set);
  const errors = read.diagnostics.some((d) => d.severity === 'error');
  noteDiagnostics(read.diagnostics, read.sources, color);
  if (errors) throw new SpecFault([]);
  const model = pickModel(read.analysis, name);
  if (typeof model === 'string') throw new InputFault(`${file}: ${model}`);
  return { model, read };
}
