/**
 * Networks and where their pages are: what a name in a spec or the library leads to.
 *
 * @module
 */
import type { Network } from '../../grammar/ast.js';
import type { Module, Project } from '../project/project.js';
import { walk } from '../../grammar/visit.js';

export interface NetworkDoc {
  readonly name: string;
  /** Up to the body: `network pool(x: f32[...S, C]) -> f32[C]`. */
  readonly signature: string;
  readonly source: string;
  readonly doc: string;
  /** Names of the networks that it calls. */
  readonly calls: readonly string[];
}

/** The networks that a module declares, in source order. */
export function networksOf(module: Module): NetworkDoc[] {
  return [...module.declared.values()]
    .filter((declaration): declaration is Network => declaration.kind === 'Network')
    .map((network) => ({
      name: network.name.text,
      signature: module.text
        .slice(network.range.start, network.result.range.end)
        .replace(/\s+/g, ' ')
        .replace(/([[(]) /g, '$1')
        .replace(/,? ([\])])/g, '$1'),
      source: module.text.slice(network.doc?.range.start ?? network.range.start, network.range.end),
      doc: network.doc?.text.trim() ?? '',
      calls: callsOf(network),
    }));
}

function callsOf(network: Network): string[] {
  const names = new Set<string>();
  walk(network.body, (node) => {
    if (node.kind === 'Call') names.add(node.callee.text);
    if (node.kind === 'Ref') names.add(node.name.text);
  });
  return [...names];
}

/** The module that declares the network `name` means in `module`, and what it is called there. */
export function resolveNetwork(
  project: Project,
  module: Module,
  name: string,
): { readonly file: string; readonly name: string } | undefined {
  const visible = module.scope.get(name) ?? project.prelude.get(name);
  if (visible?.declaration.kind !== 'Network') return undefined;
  return { file: visible.module.file, name: visible.declaration.name.text };
}
