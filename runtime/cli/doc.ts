/**
 * `mmdc doc`.
 *
 * @module
 */
import { lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import { documentation, type DocSpec } from '../../compiler/docs/index.js';
import { InputFault, SpecFault } from '../faults.js';
import { writeAtomic } from '../files/atomic.js';
import { note, noteDiagnostics, print, type ColorChoice } from './output.js';
import { analyzeFile, displayName, standardInput } from './source.js';

export interface DocCommandOptions {
  readonly out: string;
  readonly format: 'html' | 'markdown' | 'both';
  readonly title?: string;
  readonly color: ColorChoice;
}

/** Writes documentation of specs. Nothing is written where one of them has an error. */
export function doc(inputs: readonly string[], options: DocCommandOptions): void {
  const specs: DocSpec[] = [];
  const diagnostics: Diagnostic[] = [];
  const sources = new Map<string, string>();
  for (const file of new Set(inputs.flatMap(specsIn))) {
    const read = analyzeFile(file);
    const path = file === '-' ? standardInput : file;
    const { root } = read.analysis.project;
    specs.push({ file: displayName(path)(root.file), analysis: read.analysis });
    diagnostics.push(...read.diagnostics);
    for (const [name, text] of read.sources) sources.set(name, text);
  }
  noteDiagnostics(diagnostics, sources, options.color);
  if (diagnostics.some((d) => d.severity === 'error')) throw new SpecFault([]);
  const files = documentation(specs, {
    ...(options.title === undefined ? {} : { title: options.title }),
    formats: options.format === 'both' ? ['html', 'markdown'] : [options.format],
  });
  // Everything is ready before the first byte is written.
  for (const [path, text] of files) {
    const target = join(options.out, ...path.split('/'));
    mkdirSync(dirname(target), { recursive: true });
    writeAtomic(target, text);
  }
  note(`wrote ${files.size} files`);
  print(join(options.out, options.format === 'markdown' ? 'index.md' : 'index.html'));
}

/** A file itself, or every spec in a folder and below, in the order of their names. */
function specsIn(path: string): string[] {
  if (path === '-' || !isFolder(path)) return [path];
  const found = walk(path);
  if (found.length === 0) throw new InputFault(`${path}: there is no .mmd file in this folder`);
  return found;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Links to folders are not followed, so that a walk ends. */
function walk(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .filter((name) => !name.startsWith('.') && name !== 'node_modules')
    .map((name) => join(folder, name))
    .flatMap((path) => {
      if (lstatSync(path).isDirectory()) return walk(path);
      return basename(path).endsWith('.mmd') && !isFolder(path) ? [path] : [];
    });
}
