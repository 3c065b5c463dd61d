/**
 * The content hash of a graph: what a checkpoint and an artifact are known by.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Graph } from './ir.js';
import { printNode, printOutput } from './text.js';

/**
 * SHA-256 in hexadecimal over the lines of the text form. Neither origins nor the graph's name count: two graphs with one
 * hash compute the same from the same inputs, whatever file they came from.
 */
export function hash(graph: Graph): string {
  const state = sha256.create();
  for (const node of graph.nodes) state.update(utf8ToBytes(`${printNode(node)}\n`));
  for (const output of graph.outputs) state.update(utf8ToBytes(`${printOutput(output)}\n`));
  return bytesToHex(state.digest());
}
