import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as prettier from 'prettier';
import { afterAll, describe, expect, it } from 'vitest';
import { root } from '../repository/sources.js';

/** Prettier as its users have it: its own command line and interface, the plugin by the package's name. */
const folder = mkdtempSync(join(tmpdir(), 'mmdc-prettier-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cli = join(root, 'node_modules', 'prettier', 'bin', 'prettier.cjs');
function run(...args: string[]) {
  // From the repository, where the plugin's name leads to the package itself.
  const done = spawnSync(process.execPath, [cli, '--no-config', '--plugin', 'mmdc/prettier', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  return { status: done.status, out: done.stdout, err: done.stderr };
}
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const plugins = [join(root, 'dist', 'grammar', 'prettier.js')];
const messy = 'model A{space z :f32[3]\n  modality   x: vector[3] // x\n}\n';
const neat = 'model A {\n  space z: f32[3]\n  modality x: vector[3] // x\n}\n';

describe("Prettier's command line with the plugin", () => {
  it('knows files by their extension, formats and checks them', () => {
    const path = file('a.mmd', messy);
    expect(run(path)).toMatchObject({ status: 0, out: neat });
    expect(run('--check', path).status).toBe(1);
    expect(run('--write', path).status).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe(neat);
    expect(run('--check', path).status).toBe(0);
  });

  it('formats a range, in the file as in Markdown', () => {
    const at = messy.indexOf('modality');
    const path = file('range.mmd', messy);
    const { out } = run(`--range-start=${at}`, `--range-end=${at + 4}`, path);
    expect(out).toBe('model A{space z :f32[3]\n  modality x: vector[3] // x\n}\n');
    const markdown = file('a.md', `# Title\n\n\`\`\`mmd\n${messy}\`\`\`\n`);
    expect(run(markdown).out).toBe(`# Title\n\n\`\`\`mmd\n${neat}\`\`\`\n`);
  });

  it('leaves a file with a syntax error alone and shows the place', () => {
    const path = file('bad.mmd', 'model A {\n  encoder x =\n}\n');
    const { status, err } = run('--write', path);
    expect(status).toBe(2);
    expect(err).toMatch(/expected an expression[^]*> 2 \|\s+encoder x =/);
    expect(readFileSync(path, 'utf8')).toBe('model A {\n  encoder x =\n}\n');
  });
});

describe("Prettier's interface with the plugin", () => {
  const format = (text: string, options: prettier.Options = {}) =>
    prettier.format(text, { parser: 'mmd', plugins, ...options });

  it('infers the parser from names of files', async () => {
    expect((await prettier.getFileInfo('x/y.mmd', { plugins })).inferredParser).toBe('mmd');
    expect(await prettier.format(messy, { filepath: 'a.mmd', plugins })).toBe(neat);
    expect(await prettier.check(neat, { filepath: 'a.mmd', plugins })).toBe(true);
  });

  it('respects options: width, tabs, ends of lines, embedded languages, pragmas', async () => {
    const text = '/// *a*\nmodel A { modality x: vector[3] { likelihood: cosine(kappa: 10) } }';
    expect(await format(text, { printWidth: 40 })).toMatch(/\{\n\s+likelihood/);
    expect(await format(text, { useTabs: true })).toContain('\n\tmodality');
    expect(await format(text, { endOfLine: 'crlf' })).toMatch(/^[^\n]*\r\n/);
    expect(await format(text)).toContain('/// _a_');
    expect(await format(text, { embeddedLanguageFormatting: 'off' })).toContain('/// *a*');
    expect(await format(messy, { requirePragma: true })).toBe(messy);
    expect(await format(`// @format\n${messy}`, { requirePragma: true })).toContain(neat);
    expect(await format(messy, { insertPragma: true })).toBe(`// @format\n\n${neat}`);
    expect(await format(`// @noformat\n${messy}`, { checkIgnorePragma: true })).toContain(messy);
  });

  it('keeps the cursor', async () => {
    const cursorOffset = messy.indexOf('x: vector');
    const done = await prettier.formatWithCursor(messy, { parser: 'mmd', plugins, cursorOffset });
    expect(done.formatted.slice(done.cursorOffset)).toMatch(/^x: vector/);
  });
});
