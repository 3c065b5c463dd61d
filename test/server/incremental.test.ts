import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../compiler/driver.js';
import { Workspace, type WorkspaceHost } from '../../compiler/server/index.js';
import { aboutSetting } from '../../compiler/model/about.js';
import { referenceSettings } from '../../compiler/server/reference.js';
import { memoryHost } from '../../compiler/project/host.js';
import { IncrementalParser } from '../../grammar/incremental.js';
import { parse } from '../../grammar/index.js';
import { root } from '../repository/sources.js';

const read = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.mmd'))
      .map((name) => [name.replace('.mmd', ''), readFileSync(join(root, folder, name), 'utf8')]),
  );
const library = read('stdlib');
const syntax = Object.values(read('test/good/syntax'));
const files = (texts: Record<string, string>): WorkspaceHost => ({
  ...memoryHost(texts, library),
  files: () => Object.keys(texts),
});

/** Edits at any place: what people type, and what cuts a file in two. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(12), fc.nat(300)),
  insert: fc.constantFrom(
    '',
    ' ',
    '\n',
    '}',
    '{',
    '(',
    '"',
    '// ',
    '/// doc\n',
    'x',
    ' |> silu',
    '\nmodel A {\n',
    '\nnetwork N(x: f32[C]) -> f32[C] {\n  x\n}\n',
    '\nimport { UNet } from "std/backbones"\n',
    ': ',
    'let y = 2\n',
    '\nmodality q: vector[2]\n',
  ),
});
const apply = (
  text: string,
  { at, remove, insert }: { at: number; remove: number; insert: string },
): string => {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + insert + text.slice(start + remove);
};

describe('reading a file again', () => {
  it('gives what reading it from the beginning gives, whatever was edited', () => {
    let reused = 0;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...syntax), { minLength: 1, maxLength: 3 }),
        fc.array(edit, { minLength: 1, maxLength: 8 }),
        (texts, edits) => {
          const parser = new IncrementalParser();
          let text = texts.join('\n');
          let before = new Set(parser.parse(text).tree.declarations);
          for (const one of edits) {
            text = apply(text, one);
            const result = parser.parse(text);
            expect(result).toEqual(parse(text));
            reused += result.tree.declarations.filter((d) => before.has(d)).length;
            before = new Set(result.tree.declarations);
          }
        },
      ),
      { numRuns: Number(process.env['RUNS'] ?? 200) },
    );
    expect(reused).toBeGreaterThan(100);
  });
});

describe('checking a document again', () => {
  const points = readFileSync(join(root, 'test/server/points.mmd'), 'utf8');
  const models = readFileSync(join(root, 'test/good/model/variants.mmd'), 'utf8');

  it('gives what checking it from the beginning gives, whatever was edited', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(points, models, `${points}\n${models.replace(/import.*\n/g, '')}`),
        fc.array(edit, { minLength: 1, maxLength: 5 }),
        (start, edits) => {
          const workspace = new Workspace(files({}));
          let text = start;
          workspace.change('a.mmd', text);
          workspace.checked('a.mmd');
          for (const one of [...edits, { at: 0, remove: 0, insert: '\n\n' }]) {
            text = apply(text, one);
            workspace.change('a.mmd', text);
            const again = workspace.checked('a.mmd')?.analysis;
            const fresh = analyze(memoryHost({}, library), 'a.mmd', text);
            expect(again?.diagnostics).toEqual(fresh.diagnostics);
            expect([...(again?.models.keys() ?? [])]).toEqual([...fresh.models.keys()]);
          }
        },
      ),
      { numRuns: Number(process.env['RUNS'] ?? 40) },
    );
  });

  it('elaborates only what an edit can change', () => {
    const text = `import { MLP } from "std/backbones"\n${points.replace(/import.*\n/, '')}\n${points.slice(points.indexOf('/// Points')).replace('model Points', 'model Others').replace('|> Wide ', '')}`;
    const workspace = new Workspace(files({}));
    const check = (changed: string): number => {
      const before = workspace.elaborations('a.mmd');
      workspace.change('a.mmd', changed);
      expect(workspace.checked('a.mmd')?.analysis.diagnostics).toEqual([]);
      return workspace.elaborations('a.mmd') - before;
    };
    expect(check(text)).toBe(2);
    expect(check(`\n\n// moved\n${text}`)).toBe(0);
    expect(check(text.replace('linear(16)', 'linear(17)'))).toBe(1);
    // `Others` does not use the network.
    expect(check(text.replace('x |> silu |> linear(2 * C)', 'x |> relu |> linear(2 * C)'))).toBe(1);
    expect(check(text.replace('x |> silu |> linear(2 * C)', 'x |> gelu |> linear(2 * C)'))).toBe(1);
  });

  it('stops when the text changes meanwhile, and leaves the rest in order', () => {
    const workspace = new Workspace(files({}));
    workspace.change(
      'a.mmd',
      `${points}\n${points.slice(points.indexOf('/// Points')).replace('model Points', 'model Others')}`,
    );
    const steps = workspace.check('a.mmd');
    expect(steps.next().done).toBe(false);
    workspace.change('a.mmd', points);
    let step = steps.next();
    while (!step.done) step = steps.next();
    expect(step.value).toBeUndefined();
    expect(workspace.checked('a.mmd')?.analysis.diagnostics).toEqual([]);
    expect(workspace.isChecked('a.mmd')).toBe(true);
  });
});

describe('settings', () => {
  it('all have a sentence', () => {
    const { settings } = referenceSettings();
    expect([...settings.keys()]).toEqual(
      expect.arrayContaining([
        'process',
        'process.weights',
        'loss',
        'loss.L2',
        'train',
        'train.roles',
        'data',
        'eval',
        'task.any',
        'modality.x',
        'encoder.x',
      ]),
    );
    const without = [...settings].flatMap(([path, keys]) =>
      [...keys.keys()].filter((key) => !aboutSetting(path, key)).map((key) => `${path}.${key}`),
    );
    expect(without).toEqual([]);
  });
});
