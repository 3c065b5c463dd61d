/** Analyses of texts in memory, with the standard library of this checkout. */
import { readdirSync, readFileSync } from 'node:fs';
import { analyze, type Analysis, type CompiledModel } from '../../compiler/driver.js';
import { renderText } from '../../compiler/diagnostics/render.js';
import { memoryHost } from '../../compiler/project/host.js';

const folder = new URL('../../stdlib/', import.meta.url);
export const library = Object.fromEntries(
  readdirSync(folder).map((name) => [
    name.replace(/\.mmd$/, ''),
    readFileSync(new URL(name, folder), 'utf8'),
  ]),
);

export function analyzeFiles(
  files: Readonly<Record<string, string>>,
  root: string,
  set: readonly string[] = [],
): Analysis {
  return analyze(memoryHost(files, library), root, files[root]!, { set });
}

export function analyzeText(text: string, set: readonly string[] = []): Analysis {
  return analyzeFiles({ 'spec.mmd': text }, 'spec.mmd', set);
}

/** Diagnostics as a user would read them. */
export const shown = (analysis: Analysis): string =>
  renderText(analysis.diagnostics, (file) => analysis.sources.get(file));

/** The one model of a text that must be free of problems. */
export function compileText(text: string, set: readonly string[] = []): CompiledModel {
  const analysis = analyzeText(text, set);
  const [model] = analysis.models.values();
  if (!model || analysis.diagnostics.length > 0) throw new Error(shown(analysis));
  return model;
}
