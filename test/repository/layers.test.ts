import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cycles, importsOf, projectFiles, root, textOf, type Import } from './sources.js';

/** Layers from the lowest up, with the layers that each may import. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  grammar: ['grammar'],
  compiler: ['grammar', 'compiler'],
  runtime: ['grammar', 'compiler', 'runtime'],
};
const pure = ['grammar', 'compiler'];

const layerOf = (file: string): string => file.split('/')[0];
const sources = projectFiles().filter((file) => file.endsWith('.ts') && layerOf(file) in allowed);
const imports = new Map(sources.map((file) => [file, importsOf(file, textOf(file))]));

const isNode = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier.split('/')[0]);

/** `file -> target` of every import that a rule refuses. */
const offences = (refused: (layer: string, item: Import) => boolean): string[] =>
  [...imports].flatMap(([file, list]) =>
    list.filter((item) => refused(layerOf(file), item)).map((item) => `${file} -> ${item.target}`),
  );

/** The folder under its layer that a file belongs to, `compiler/graph` for `compiler/graph/kernels/erf.ts`. */
const areaOf = (file: string): string => file.split('/').slice(0, 2).join('/');

/** Edges between what `name` makes of files, over imports that are there at run time. */
function edges(name: (file: string) => string): Map<string, Set<string>> {
  const result = new Map<string, Set<string>>();
  for (const [file, list] of imports) {
    const targets = result.get(name(file)) ?? new Set<string>();
    result.set(name(file), targets);
    for (const { target, local, typeOnly } of list) {
      if (local && !typeOnly && name(target) !== name(file)) targets.add(name(target));
    }
  }
  return result;
}

describe('layers', () => {
  it('has every layer to look at, and imports that lead to files', () => {
    expect(new Set(sources.map(layerOf))).toEqual(new Set(Object.keys(allowed)));
    expect(
      offences(
        (_, { target, local }) => local && !target.endsWith('.json') && !existsSync(join(root, target)),
      ),
    ).toEqual([]);
  });

  it('imports downward only', () => {
    expect(
      offences((layer, { target, local }) => local && !allowed[layer].includes(layerOf(target))),
    ).toEqual([]);
  });

  it('keeps grammar and compiler free of Node', () => {
    expect(offences((layer, { target, local }) => pure.includes(layer) && !local && isNode(target))).toEqual(
      [],
    );
  });

  it('keeps tensor engines to their executors', () => {
    const engine = /^onnxruntime-/;
    const elsewhere = [...imports].filter(
      ([file, list]) =>
        !file.startsWith('runtime/executors/') && list.some(({ target }) => engine.test(target)),
    );
    expect(elsewhere.map(([file]) => file)).toEqual([]);
  });

  it('has no cycle between folders', () => {
    const groups = cycles(edges(areaOf));
    expect(groups.filter((group) => group.some((area) => !area.endsWith('.ts')))).toEqual([]);
  });
});

describe('reading imports', () => {
  it('tells every way of importing, and what is erased', () => {
    const text = [
      "import { a } from './a.js';",
      "import type { B } from '../b.js';",
      "import { type C, type D } from 'c';",
      "import { e, type F } from 'node:fs';",
      "export * from './g.js';",
      "export type { H } from './h.js';",
      "const i = await import('./i.js');",
      "type J = import('./j.js').J;",
      "import './k.js';",
    ].join('\n');
    expect(importsOf('x/y/z.ts', text)).toEqual([
      { target: 'x/y/a.ts', local: true, typeOnly: false },
      { target: 'x/b.ts', local: true, typeOnly: true },
      { target: 'c', local: false, typeOnly: true },
      { target: 'node:fs', local: false, typeOnly: false },
      { target: 'x/y/g.ts', local: true, typeOnly: false },
      { target: 'x/y/h.ts', local: true, typeOnly: true },
      { target: 'x/y/i.ts', local: true, typeOnly: false },
      { target: 'x/y/j.ts', local: true, typeOnly: true },
      { target: 'x/y/k.ts', local: true, typeOnly: false },
    ]);
  });

  it('finds cycles of any length, and none in a graph without', () => {
    const graph = (text: string) =>
      new Map(text.split(' ').map((edge) => [edge[0], new Set(edge.slice(2))] as const));
    expect(cycles(graph('a:b b:c c:a d:a'))).toEqual([['a', 'b', 'c']]);
    expect(cycles(graph('a:bc b:d c:d d:'))).toEqual([]);
    expect(cycles(graph('a:b b:ac c:d d:ec e:'))).toEqual([
      ['c', 'd'],
      ['a', 'b'],
    ]);
  });
});
