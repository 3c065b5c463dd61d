/**
 * The name check: a static pass over the trees of a project's own files. It sees what elaboration cannot, which only
 * evaluates what a model uses: networks that nothing calls, branches that are not taken, and what is never used.
 *
 * What is reserved (MMD0310): the functions of the language for networks and imports, since every call in the file
 * would change its meaning; `t` and `given` for what a model declares. A `let` with the name of a function or a
 * network is a warning (MMD0324). Parameters and modalities may take the name of a function: they are named for
 * those who call the network or hold the data.
 *
 * @module
 */
import type { Diagnostics } from '../diagnostics/collect.js';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.js';
import type { Module, Project } from '../project/project.js';
import { reportUnused } from './expressions.js';
import { FileNames, type Uses } from './file.js';
import { checkImports } from './imports.js';
import { checkModelNames } from './models.js';
import { checkNetwork } from './networks.js';

export interface NamesChecked {
  /** Whether a report of the elaboration is about a name that this pass has settled. */
  settles(diagnostic: Diagnostic): boolean;
}

const nameCodes = ['MMD0301', 'MMD0307', 'MMD0308'];

/** Checks the names of all files but those of the standard library. */
export function checkNames(project: Project, diagnostics: Diagnostics, uses?: Uses): NamesChecked {
  const settled = new Set<string>();
  const key = ({ file, range }: Place) => `${file}:${range.start}:${range.end}`;
  for (const module of project.modules.values()) {
    if (module.library) continue;
    const names = new FileNames(project, module, diagnostics, (place) => settled.add(key(place)), uses);
    checkFile(module, names);
  }
  return { settles: (d) => nameCodes.includes(d.code) && settled.has(key(d)) };
}

function checkFile(module: Module, file: FileNames): void {
  const { declarations } = module.tree;
  for (const declaration of declarations) {
    if (declaration.kind === 'Network') checkNetwork(file, declaration);
    else checkModelNames(file, declaration);
  }
  // A constant may be used by a variant alone, or by what its base declares.
  for (const declaration of declarations) {
    if (declaration.kind !== 'Model') continue;
    for (const member of declaration.members)
      if (member.kind === 'Let') reportUnused(file, member, () => true);
  }
  checkImports(file);
}
