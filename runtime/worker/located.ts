/**
 * Where in the spec a failure of an executor comes from.
 *
 * @module
 */
import { LineMap } from '../../grammar/lines.js';
import type { RunFault } from '../executors/fault.js';
import type { Bundle } from '../run/folder.js';

/**
 * The fault's message and, where the engine named the node that failed, the place in the spec that the node was lowered
 * from, with its line.
 *
 * @param files the spec's own files by name, as the origins of nodes have them
 */
export function located(fault: RunFault, files: Bundle['files']): string {
  const { origin } = fault;
  const text = origin === undefined ? undefined : files[origin.file];
  if (origin === undefined || text === undefined) return fault.message;
  const { line, column } = new LineMap(text).position(origin.start);
  const shown = text.split(/\r\n|\r|\n/)[line - 1]!.trim();
  return `${fault.message}\n  at ${origin.file}:${line}:${column}: ${shown}`;
}
