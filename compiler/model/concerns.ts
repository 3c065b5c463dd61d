/**
 * Which problems of a project concern which of its models: one that is broken leaves the others usable.
 *
 * @module
 */
import type { Model, Network, TopLevel } from '../../grammar/ast.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { Module, Project } from '../project/project.js';

/**
 * Whether an error is about a model: it lies in the model, in one of its bases, in a network that was elaborated for it,
 * or where nothing else can be blamed (an override, what stands between declarations).
 * @param used networks that the model uses, directly or not
 */
export function concerns(
  error: Diagnostic,
  project: Project,
  model: Model,
  used: ReadonlySet<Network>,
): boolean {
  const module = project.modules.get(error.file);
  if (!module) return true;
  const { start, end } = error.range;
  const around = module.tree.declarations.find((d) => d.range.start <= start && end <= d.range.end);
  if (around?.kind === 'Network') return used.has(around);
  if (around) return module === project.root && basesOf(model, module).has(around);
  // An import that failed is missed by those that use it.
  return !module.tree.imports.some((item) => item.range.start <= start && end <= item.range.end);
}

function basesOf(model: Model, module: Module): Set<Model> {
  const chain = new Set<Model>();
  let current: Model | undefined = model;
  while (current && !chain.has(current)) {
    chain.add(current);
    const base: TopLevel | undefined = current.base && module.declared.get(current.base.text);
    current = base?.kind === 'Model' ? base : undefined;
  }
  return chain;
}
