/**
 * Networks are checked once where they are defined, over symbols, and at each use with numbers. A definite mistake in a
 * network that nothing uses is found by this pass alone; one in a network that is used is reported once, for all uses.
 *
 * @module
 */
import type { Diagnostics } from '../diagnostics/collect.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import type { Project } from '../project/project.js';
import { Budget, Definition } from './definition.js';

export interface DefinitionsChecked {
  /** Whether a report of the elaboration is about what this pass has reported. */
  settles(diagnostic: Diagnostic): boolean;
}

/**
 * Checks the networks of all files but those of the standard library, which tests check.
 * @param library whether those too
 */
export function checkDefinitions(
  project: Project,
  diagnostics: Diagnostics,
  library = false,
): DefinitionsChecked {
  const reported = new Map<string, { code: string; start: number; end: number }[]>();
  const budget = new Budget();
  for (const module of project.modules.values()) {
    if (module.library && !library) continue;
    for (const declaration of module.tree.declarations) {
      if (declaration.kind !== 'Network') continue;
      const definition = new Definition(project, module, diagnostics, budget, (code, { start, end }) => {
        const list = reported.get(module.file);
        if (list) list.push({ code, start, end });
        else reported.set(module.file, [{ code, start, end }]);
      });
      definition.check(declaration);
    }
  }
  return {
    // The result of a branch is inside the result of its body.
    settles: ({ code, file, range }) =>
      (reported.get(file) ?? []).some((r) => r.code === code && range.start <= r.start && r.end <= range.end),
  };
}
