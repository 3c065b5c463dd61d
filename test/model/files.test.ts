/**
 * Programs as tests. Those in `good/model` have no problem at all; those in `bad/model` give exactly the diagnostics
 * that the comments at their end say, and no other codes than those in their names (`0509-...`, `0302+0510-...`).
 * A folder is a project whose root file is `main.mmd`; a line `// set: PATH=VALUE` is an override.
 * UPDATE_EXPECTED=1 writes the comments anew.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Diagnostic, Fix } from '../../compiler/diagnostics/diagnostic.js';
import { codes } from '../../compiler/diagnostics/table.js';
import { LineMap } from '../../grammar/index.js';
import { analyzeFiles, shown } from './support.js';

interface Program {
  readonly name: string;
  /** Path of the root file on disk. */
  readonly path: string;
  readonly root: string;
  readonly files: Readonly<Record<string, string>>;
  readonly set: readonly string[];
}

const expectation = /^\/\/~.*\n/gm;

function programs(kind: 'good' | 'bad'): Program[] {
  const folder = fileURLToPath(new URL(`../${kind}/model/`, import.meta.url));
  return readdirSync(folder).map((entry) => {
    const path = join(folder, entry);
    const single = !statSync(path).isDirectory();
    const names = single
      ? [entry]
      : readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.mmd'));
    const files = Object.fromEntries(
      names.map((name) => [
        name.replaceAll('\\', '/'),
        readFileSync(single ? path : join(path, name), 'utf8').replaceAll(expectation, ''),
      ]),
    );
    const root = single ? entry : 'main.mmd';
    const set = [...files[root]!.matchAll(/^\/\/ set: (.*)$/gm)].map((m) => m[1]!);
    return { name: entry, path: single ? path : join(path, root), root, files, set };
  });
}

const analysis = ({ files, root, set }: Program) => analyzeFiles(files, root, set);

/** Diagnostics as the comments that announce them. */
function announce(
  program: Program,
  list: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
): string {
  const at = (file: string, start: number, end: number): string => {
    const text = sources.get(file) ?? '';
    const { line, column } = new LineMap(text).position(start);
    const [first, ...more] = text.slice(start, end).split('\n');
    const place = file === program.root ? '' : `${file}:`;
    return `${place}${line}:${column} "${first}${more.length > 0 ? '...' : ''}"`;
  };
  const fix = ({ title, safe, edits }: Fix) => [
    `//~   fix${safe ? ' (safe)' : ''}: ${title}`,
    ...edits.map((e) => `//~     ${at(e.file, e.range.start, e.range.end)} -> ${JSON.stringify(e.text)}`),
  ];
  return list
    .flatMap((d) => [
      `//~ ${d.severity} ${d.code} ${at(d.file, d.range.start, d.range.end)}`,
      `//~   ${d.message}`,
      ...d.labels.map((l) => `//~   label ${at(l.file, l.range.start, l.range.end)}: ${l.message}`),
      ...(d.help === undefined ? [] : [`//~   help: ${d.help}`]),
      ...d.fixes.flatMap(fix),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

function apply(program: Program, { edits }: Fix): Program {
  const files = { ...program.files };
  for (const { file, range, text } of edits) {
    files[file] = files[file]!.slice(0, range.start) + text + files[file]!.slice(range.end);
  }
  return { ...program, files };
}

describe('good programs', () => {
  const list = programs('good');

  it('are many', () => expect(list.length).toBeGreaterThanOrEqual(120));

  it.each(list.map((p) => [p.name, p] as const))('%s has no problem', (_, program) => {
    const result = analysis(program);
    expect(shown(result)).toBe('');
    expect(result.models.size).toBeGreaterThan(0);
  });

  // Names of parameters are an interface: checkpoints are read by them. Of a repetition, the first round stands for all.
  // `npx vitest run test/model -u` rewrites the file.
  it('make the parameters that are listed', async () => {
    const lines = list.flatMap((program) =>
      [...analysis(program).models].flatMap(([model, { layout }]) => [
        `${program.name} ${model}`,
        ...[...layout.trainable, ...layout.statistics]
          .filter(({ name }) => !/repeat_\d+\.[1-9]/.test(name))
          .map(({ name, shape }) => `  ${name} [${shape.join(', ')}]`),
      ]),
    );
    await expect(lines.join('\n') + '\n').toMatchFileSnapshot('../good/parameters.txt');
  });
});

describe('bad programs', () => {
  const list = programs('bad');

  it('are many, and yield every code that the checker reports', () => {
    expect(list.length).toBeGreaterThanOrEqual(250);
    // What a file of its own cannot show: see project.test.ts, and parse.test.ts for a file that is too large.
    const named = new Set(['MMD0107', 'MMD0207', ...list.flatMap(({ name }) => codesOf(name))]);
    expect([...reportedCodes()].filter((code) => !named.has(code))).toEqual([]);
    const syntax = codes().filter((code) => code.startsWith('MMD01'));
    expect(syntax.filter((code) => !named.has(code))).toEqual([]);
  });

  it('and the tests of what runs yield the others', () => {
    const named = new Set(list.flatMap(({ name }) => codesOf(name)));
    const tests = fileURLToPath(new URL('..', import.meta.url));
    const text = readdirSync(tests, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts') && !/diagnostics[\\/]|model[\\/]files/.test(name))
      .map((name) => readFileSync(join(tests, name), 'utf8'))
      .join('');
    expect(codes().filter((code) => !named.has(code) && !text.includes(code))).toEqual([]);
  });

  it.each(list.map((p) => [p.name, p] as const))('%s', (name, program) => {
    const { diagnostics, sources } = analysis(program);
    expect([...new Set(diagnostics.map((d) => d.code))].sort()).toEqual(codesOf(name));
    const announced = announce(program, diagnostics, sources);
    const whole = program.files[program.root]! + announced;
    if (process.env['UPDATE_EXPECTED']) writeFileSync(program.path, whole);
    else expect(readFileSync(program.path, 'utf8')).toBe(whole);
    for (const d of diagnostics) for (const fix of d.fixes) checkFix(program, diagnostics, d, fix);
  });
});

/** A fix takes its problem away, and leaves a text that can be read. */
function checkFix(program: Program, before: readonly Diagnostic[], d: Diagnostic, fix: Fix): void {
  // Those of an override are for the command line.
  if (fix.edits.some((e) => !(e.file in program.files))) return;
  const after = analysis(apply(program, fix)).diagnostics;
  const same = (list: readonly Diagnostic[]) => list.filter((other) => other.code === d.code).length;
  expect(same(after), fix.title).toBeLessThan(same(before));
  const unread = (list: readonly Diagnostic[]) => list.filter((other) => other.code.startsWith('MMD01'));
  expect(unread(after).length).toBeLessThanOrEqual(unread(before).length);
}

/** `0302+0510-several.mmd` announces MMD0302 and MMD0510. */
function codesOf(name: string): string[] {
  return (/^[\d+]+/.exec(name)?.[0] ?? '')
    .split('+')
    .map((code) => `MMD${code}`)
    .sort();
}

/** Codes that the compiler's own sources report; those of syntax are the parser's, with tests of their own. */
function reportedCodes(): Set<string> {
  const folder = fileURLToPath(new URL('../../compiler/', import.meta.url));
  const codes = new Set<string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || /diagnostics[\\/]/.test(name)) continue;
    for (const [code] of readFileSync(join(folder, name), 'utf8').matchAll(/(?<=')MMD\d{4}(?=')/g))
      codes.add(code);
  }
  return codes;
}
