/**
 * `mmdc compile` of a graph that was written before: reading it back, in full distrust.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { GraphFormatError } from '../../compiler/graph/format.js';
import type { Graph } from '../../compiler/graph/ir.js';
import { fromJSON } from '../../compiler/graph/json.js';
import { optimize, type OptimizeOptions } from '../../compiler/passes/index.js';
import { InputFault, UsageFault } from '../faults.js';

/** Whether a file is a graph in its JSON form and no spec. */
export function isGraphFile(file: string): boolean {
  return file.endsWith('.json');
}

/**
 * A graph from its JSON form.
 *
 * @throws InputFault with the place of what is wrong: a line where it is no JSON, else a JSON pointer.
 */
export function readGraph(file: string): Graph {
  const text = readFileSync(file, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputFault(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    return fromJSON(value);
  } catch (error) {
    if (!(error instanceof GraphFormatError)) throw error;
    const newer = error.place === '/version';
    throw new InputFault(
      `${file}: ${error.message}`,
      newer ? 'install the mmdc that wrote it' : 'write it anew with `mmdc compile` from its spec',
    );
  }
}

export interface GraphOptions {
  readonly out: string;
  readonly dump?: string;
  readonly model?: string;
  readonly set?: readonly string[];
}

/**
 * The graph of a file after the passes, under the file's name.
 *
 * @throws UsageFault for options that only a spec can have; InputFault as {@link readGraph}
 */
export function compileGraph(
  file: string,
  options: GraphOptions,
  passes: OptimizeOptions,
): Record<string, Graph> {
  const specOnly = [
    options.set?.length ? '--set' : '',
    options.model === undefined ? '' : '--model',
    options.dump === undefined ? '' : '--dump',
  ].find((name) => name !== '');
  if (specOnly !== undefined) throw new UsageFault(`${specOnly} is for specs, and ${file} is a graph`);
  const name = basename(file).replace(/(\.graph)?\.json$/, '');
  if (resolve(join(options.out, `${name}.graph.json`)) === resolve(file)) {
    throw new InputFault(`${options.out} is the folder of ${file} itself`, 'choose another one with `--out`');
  }
  return { [name]: optimize(readGraph(file), passes) };
}
