import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createOnigScanner, createOnigString, loadWASM } from 'vscode-oniguruma';
import textmate from 'vscode-textmate';
import { beforeAll, describe, expect, it } from 'vitest';
import { scan } from '../../grammar/scan.js';
import * as T from '../../grammar/tokens.js';
import { root } from '../repository/sources.js';

const folder = join(root, 'editors', 'vscode');
const json = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, never>;
let grammar: textmate.IGrammar;

beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve('vscode-oniguruma/release/onig.wasm');
  await loadWASM(readFileSync(wasm));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({ createOnigScanner, createOnigString }),
    loadGrammar: (scope) => {
      const path = join(folder, 'syntaxes', 'mmdiff.tmLanguage.json');
      return Promise.resolve(
        scope === 'source.mmdiff' ? textmate.parseRawGrammar(readFileSync(path, 'utf8'), path) : null,
      );
    },
  });
  grammar = (await registry.loadGrammar('source.mmdiff')) as textmate.IGrammar;
});

const specs = ['examples', 'stdlib', 'test/good/syntax', 'test/good/model'].flatMap((name) =>
  readdirSync(join(root, name))
    .filter((file) => file.endsWith('.mmd'))
    .map((file) => join(name, file)),
);

/** The scopes that a token of a kind may have. */
function wanted(image: string, type: unknown): RegExp {
  if (type === T.Key) return /^variable\.other\.property|^entity\.name/;
  if (T.KEYWORDS.get(image) === type) return /^(keyword|storage|constant\.language)/;
  if (type === T.NumberToken) return /^constant\.numeric/;
  if (type === T.StringToken) return /^string|^constant\.character/;
  if (type === T.Ident) return /^(variable|entity|support|keyword\.control\.import)/;
  return /^(keyword\.operator|punctuation)/;
}

describe('the TextMate grammar', () => {
  it('is what scripts/textmate.mjs writes, as are the snippets', () => {
    const done = spawnSync(process.execPath, [join(root, 'scripts', 'textmate.mjs'), '--check'], {
      encoding: 'utf8',
    });
    expect(done.stderr).toBe('');
    expect(done.status).toBe(0);
  });

  it.each(specs)('reads %s as the language does', (file) => {
    const text = readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n');
    const scopes = new Map<number, string>();
    let [state, start]: [textmate.StateStack, number] = [textmate.INITIAL, 0];
    for (const line of text.split('\n')) {
      const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
      for (const token of tokens)
        for (let i = token.startIndex; i < token.endIndex; i++)
          scopes.set(start + i, token.scopes[token.scopes.length - 1]);
      state = ruleStack;
      start += line.length + 1;
    }
    const { tokens, comments } = scan(text);
    for (const { image, startOffset, tokenType } of tokens) {
      // TextMate reads line by line: a colon on the next line cannot be seen.
      const type =
        tokenType === T.Key && /^\s*\n/.test(text.slice(startOffset + image.length)) ? T.Ident : tokenType;
      expect(scopes.get(startOffset), `\`${image}\` at ${startOffset}`).toMatch(wanted(image, type));
    }
    for (const { range, doc } of comments)
      expect(scopes.get(range.start)).toMatch(
        doc ? /^comment\.line\.documentation/ : /^comment\.line\.double-slash/,
      );
  });
});

describe('the extension', () => {
  const manifest = json('package.json') as unknown as {
    version: string;
    files: string[];
    contributes: {
      languages: { id: string; configuration: string }[];
      grammars: { path: string }[];
      snippets: { path: string }[];
      problemMatchers: {
        pattern: {
          regexp: string;
          severity?: number;
          code?: number;
          message?: number;
          file?: number;
          line?: number;
          column?: number;
        }[];
      }[];
    };
  };

  it('has the files that it names, a language id of its own and the version of the package', () => {
    const { languages, grammars, snippets } = manifest.contributes;
    expect(languages[0].id).toBe('mmdiff');
    for (const path of [
      languages[0].configuration,
      ...grammars.map((g) => g.path),
      ...snippets.map((s) => s.path),
      'icon.png',
      'README.md',
    ])
      expect(existsSync(join(folder, path)), path).toBe(true);
    expect(manifest.version).toBe(
      (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version,
    );
  });

  it('matches the problems that `mmdc check` prints', () => {
    const done = spawnSync(
      process.execPath,
      [join(root, 'bin', 'mmdc.js'), 'check', 'test/bad/model/0509-encoder.mmd'],
      { cwd: root, encoding: 'utf8' },
    );
    const [first, second] = manifest.contributes.problemMatchers[0].pattern.map(
      ({ regexp }) => new RegExp(regexp),
    );
    const lines = done.stdout.split('\n');
    const at = lines.findIndex((line) => first.test(line));
    expect(first.exec(lines[at])?.slice(1, 3)).toEqual(['error', 'MMD0509']);
    expect(second.exec(lines[at + 1])?.slice(1)).toEqual([
      'test/bad/model/0509-encoder.mmd',
      expect.stringMatching(/^\d+$/),
      expect.stringMatching(/^\d+$/),
    ]);
  });

  it('is bundled into one file that an editor can load', () => {
    execFileSync(process.execPath, [join(root, 'scripts', 'extension.mjs'), '--bundle'], { cwd: root });
    // The editor's own module is not there: whatever is asked of it is a class.
    const probe = `
      const Module = require('module');
      const any = () => new Proxy(class {}, { get: (t, key) => (key in t || typeof key === 'symbol' ? t[key] : (t[key] = any())) });
      const load = Module._load;
      Module._load = (name, ...rest) => (name === 'vscode' ? any() : load(name, ...rest));
      const { activate, deactivate, serverOptions } = require(${JSON.stringify(join(folder, 'dist', 'extension.cjs'))});
      console.log(JSON.stringify([typeof activate, typeof deactivate, serverOptions(['npx', 'mmdc'], []), serverOptions([], [])]));`;
    const out = JSON.parse(execFileSync(process.execPath, ['-e', probe], { encoding: 'utf8' })) as unknown[];
    expect(out.slice(0, 2)).toEqual(['function', 'function']);
    expect(out[2]).toEqual({ command: 'npx', args: ['mmdc', 'lsp', '--stdio'] });
    expect(out[3]).toMatchObject({ args: ['lsp', '--stdio'] });
  });
});
