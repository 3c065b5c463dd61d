import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { spawn, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  DocumentSymbol,
  FoldingRange,
  Hover,
  InitializeResult,
  InlayHint,
  Location,
  SelectionRange,
  SemanticTokens,
  SignatureHelp,
  SymbolInformation,
  TextEdit,
  WorkspaceEdit,
} from 'vscode-languageserver-protocol';
import { applyEdits } from '../../compiler/server/navigation.js';
import { root } from '../repository/sources.js';
import { Client, command } from './client.js';

const spec = readFileSync(join(root, 'test', 'server', 'points.mmd'), 'utf8');
const client = new Client();
let initialized: InitializeResult;

beforeAll(async () => {
  initialized = await client.start();
  await client.open('points.mmd', spec);
});
afterAll(async () => {
  expect(await client.stop()).toBe(0);
});

const markdown = (hover: Hover | null): string => (hover ? (hover.contents as { value: string }).value : '');
const hover = async (marked: string): Promise<string> =>
  markdown(await client.at<Hover | null>('textDocument/hover', 'points.mmd', marked));
const labels = (items: readonly CompletionItem[]): string[] => items.map((item) => item.label);

describe('the language server', () => {
  it('says what it can do', () => {
    const c = initialized.capabilities;
    expect(initialized.serverInfo?.name).toBe('mmdc');
    for (const name of [
      'hover',
      'completion',
      'signatureHelp',
      'definition',
      'references',
      'rename',
      'documentSymbol',
      'workspaceSymbol',
      'semanticTokens',
      'foldingRange',
      'selectionRange',
      'inlayHint',
      'documentFormatting',
      'documentRangeFormatting',
      'codeAction',
      'codeLens',
    ])
      expect(c, name).toHaveProperty(`${name}Provider`);
  });

  it('tells problems as one types, and that they are gone', async () => {
    expect(await client.diagnostics('points.mmd')).toEqual([]);
    await client.edit('points.mmd', 'linear(16)', 'linaer(16)');
    const [problem] = await client.diagnostics('points.mmd');
    expect(problem).toMatchObject({ code: 'MMD0301', severity: 1, source: 'mmdc' });
    expect(problem.message).toContain('did you mean `linear`?');
    await client.edit('points.mmd', 'linaer(16)', 'linear(16)');
    expect(await client.diagnostics('points.mmd')).toEqual([]);
  });

  it('shows on hover what a thing is', async () => {
    expect(await hover('modality la@bel')).toMatch(
      /modality label: category\[4\][^]*f32\[4\][^]*categorical/,
    );
    expect(await hover('|> M@LP(t')).toMatch(/network MLP\([^]*std\/backbones[^]*`f32\[32\]`/);
    expect(await hover('label |> lin@ear')).toMatch(/linear\(x: tensor, width: int[^]*`f32\[16\]`/);
    expect(await hover('project(sha@pe(z))')).toContain('shape(');
    expect(await hover('mod@el Points')).toBe('');
    expect(await hover('model Poi@nts')).toMatch(/Points and the class[^]*parameters[^]*\| t \|/);
    expect(await hover('task dr@aw')).toMatch(/label given, x produced[^]*guidance 2/);
    expect(await hover('given) |> Wi@de')).toMatch(/network Wide[^]*Twice as wide/);
  });

  it('shows settings with their meaning, what was filled in and why, and coefficients', async () => {
    expect(await hover('ste@ps: 100')).toMatch(/steps: int, at least 2[^]*number of steps/);
    expect(await hover('proc@ess {')).toMatch(
      /Filled in:[^]*`predict: x0` \(works with any number of components\)[^]*\| t \|[^]*sigma/,
    );
    expect(await hover('weights { la@bel: nested')).toMatch(/nested\(scale: float = 1\)[^]*c of label/);
    expect(await hover('back@bone h')).toMatch(/gives `f32\[32\]`[^]*parameters/);
  });

  it('shows the shape of an expression inside a network, for the use at hand', async () => {
    expect(await hover('x |> silu |> lin@ear(2 * C)')).toMatch(/`f32\[\d+\]` in this use of `Wide`: C = \d+/);
    expect(await hover('f32[@C], k')).toContain('A dimension');
  });

  it('completes what can stand at a place, and nothing else', async () => {
    const at = async (before: string, typed: string): Promise<CompletionItem[]> => {
      const name = `c${Math.random().toString(36).slice(2)}.mmd`;
      await client.open(name, spec.replace(before, before + typed.replace('@', '')));
      const mark = before + typed;
      const text = client.text(name);
      const offset = text.indexOf(mark.replace('@', '')) + mark.indexOf('@');
      const lines = text.slice(0, offset).split('\n');
      return client.about<CompletionItem[]>('textDocument/completion', name, {
        position: { line: lines.length - 1, character: lines[lines.length - 1].length },
      });
    };
    const members = labels(await at('z: f32[2]\n', '  @'));
    expect(members).toEqual(expect.arrayContaining(['encoder', 'decoder', 'task', 'modality', 'eval']));
    expect(members).not.toContain('space');
    expect(members).not.toContain('linear');
    expect(labels(await at('z: f32[2]\n', '  encoder @'))).toEqual([]);
    expect(labels(await at('z: f32[2]\n', '  task other: @'))).toEqual(['x', 'label']);
    expect(labels(await at('z: f32[2]\n', '  modality w: @'))).toEqual([
      'image',
      'mask',
      'category',
      'vector',
      'binary',
      'tokens',
    ]);
    const stages = labels(await at('encoder x = x', ' |> @'));
    expect(stages).toEqual(expect.arrayContaining(['linear', 'Wide', 'MLP', 'project', 'repeat']));
    expect(stages).not.toContain('label');
    const values = labels(await at('encoder x = ', '@'));
    expect(values).toEqual(expect.arrayContaining(['x', 'z', 'half']));
    expect(values).not.toContain('label');
    expect(values).not.toContain('given');
    const keys = labels(await at('process {', ' @'));
    expect(keys).toEqual(expect.arrayContaining(['retention', 'predict', 'alpha']));
    expect(keys).not.toContain('steps');
    expect(keys).not.toContain('batch');
    expect(labels(await at('process {', ' retention: @\n'))).toEqual(['cosine', 'linear', 'half']);
    expect(labels(await at('process {', ' predict: @\n'))).toEqual(['x0', 'v', 'eps', 'half']);
    expect(labels(await at('draw: label -> x { ', '@'))).toEqual(
      expect.arrayContaining(['sampler', 'steps', 'readout']),
    );
    const named = labels(await at('encoder x = x', ' |> linear(2, @)'));
    expect(named.slice(0, 2)).toEqual(['bias:', 'init:']);
    expect(labels(await at('import { ', '@'))).toEqual(expect.arrayContaining(['UNet', 'DiT']));
    expect(labels(await at('from "', '@'))).toEqual(
      expect.arrayContaining(['std/backbones', 'std/embeddings', './points.mmd'].slice(0, 2)),
    );
    expect(labels(await at('/// Points', ' @'))).toEqual([]);
    const [model] = (await at('', '@')).filter((item) => item.label === 'model');
    expect(model.insertText).toContain('${1:Digits}');
  });

  it('helps with the arguments of a call', async () => {
    const help = await client.at<SignatureHelp>(
      'textDocument/signatureHelp',
      'points.mmd',
      'MLP(t, width@: 32',
    );
    expect(help.signatures[0].label).toMatch(/^MLP\(x: f32\[\.\.\.S\], .*width: int/);
    const active = help.signatures[0].parameters?.[help.activeParameter ?? -1];
    expect(active?.label).toMatch(/^width: int/);
    const form = await client.at<SignatureHelp>(
      'textDocument/signatureHelp',
      'points.mmd',
      'cosine(1e-3, @warmup',
    );
    expect(form.signatures[0].label).toBe('cosine(peak: float, warmup: int = 0, floor: float = 0)');
    expect(form.activeParameter).toBe(1);
  });

  it('goes to declarations: of the file, of the library, and to imported files', async () => {
    const to = async (marked: string) => client.at<Location>('textDocument/definition', 'points.mmd', marked);
    expect((await to('encoder la@bel =')).range.start).toEqual({ line: 14, character: 11 });
    expect((await to('weights { la@bel:')).range.start).toEqual({ line: 14, character: 11 });
    expect((await to('origin: @x')).range.start).toEqual({ line: 13, character: 11 });
    expect((await to('given) |> Wi@de')).range.start).toEqual({ line: 5, character: 8 });
    const library = await to('M@LP(t');
    expect(library.uri).toMatch(/stdlib\/backbones\.mmd$/);
    expect((await to('"std/back@bones"')).uri).toBe(library.uri);
  });

  it('finds references and renames, in every file, and refuses what would break', async () => {
    client.write(
      'user.mmd',
      'import { Wide } from "./points.mmd"\n\nnetwork Wider(x: f32[C]) -> f32[8 * C] {\n  x |> Wide(4) |> Wide\n}\n',
    );
    await client.connection.sendNotification('workspace/didChangeWatchedFiles', {
      changes: [{ uri: client.uri('user.mmd'), type: 1 }],
    });
    const found = await client.at<Location[]>('textDocument/references', 'points.mmd', 'network Wi@de', {
      context: { includeDeclaration: true },
    });
    expect(found.map(({ uri }) => uri.split('/').at(-1)).sort()).toEqual([
      'points.mmd',
      'points.mmd',
      'user.mmd',
      'user.mmd',
      'user.mmd',
    ]);
    const { changes = {} } = await client.at<WorkspaceEdit>(
      'textDocument/rename',
      'points.mmd',
      'modality la@bel',
      { newName: 'kind' },
    );
    const renamed = applyEdits(client.text('points.mmd'), Object.values(changes)[0]);
    expect(renamed).not.toMatch(/\blabel\b(?!s\.npy)/);
    expect(renamed).toContain('data { x: npy("points.npy"), kind: npy("labels.npy") }');
    const refused = (newName: string, marked = 'modality la@bel') =>
      client.at('textDocument/rename', 'points.mmd', marked, { newName }).then(
        () => 'done',
        (error: Error) => error.message,
      );
    expect(await refused('x')).toMatch(/would be a problem: .*`x`/);
    expect(await refused('model')).toContain('is a word of the language');
    expect(await refused('2x')).toContain('is not a name');
    expect(await refused('other', 'M@LP(t')).toContain('standard library');
    expect(await refused('other', 'label |> lin@ear')).toContain('belongs to the language');
  });

  it('lists symbols, of the document and of the project', async () => {
    const symbols = await client.about<DocumentSymbol[]>('textDocument/documentSymbol', 'points.mmd');
    expect(symbols.map((s) => s.name)).toEqual(['Wide', 'Points']);
    expect(symbols[1].children?.map((s) => s.name)).toEqual([
      'half',
      'x',
      'label',
      'z',
      'x',
      'label',
      'process',
      'h',
      'z',
      'label',
      'generate',
      'draw',
      'train',
      'data',
    ]);
    const all = await client.connection.sendRequest<SymbolInformation[]>('workspace/symbol', {
      query: 'wde',
    });
    expect(new Set(all.map((s) => s.name))).toEqual(new Set(['Wide', 'Wider']));
  });

  it('gives meaning to words', async () => {
    const { legend } = initialized.capabilities.semanticTokensProvider as {
      legend: { tokenTypes: string[] };
    };
    const { data } = await client.about<SemanticTokens>('textDocument/semanticTokens/full', 'points.mmd');
    const lines = client.text('points.mmd').split('\n');
    const found = new Map<string, string>();
    let [line, character] = [0, 0];
    for (let i = 0; i < data.length; i += 5) {
      if (data[i] > 0) character = 0;
      line += data[i];
      character += data[i + 1];
      const word = lines[line].slice(character, character + data[i + 2]);
      if (!found.has(word)) found.set(word, legend.tokenTypes[data[i + 3]]);
    }
    expect(Object.fromEntries(found)).toMatchObject({
      import: 'keyword',
      MLP: 'function',
      network: 'keyword',
      C: 'typeParameter',
      k: 'parameter',
      Points: 'class',
      half: 'variable',
      label: 'property',
      category: 'type',
      cosine: 'enumMember',
      steps: 'property',
      linear: 'function',
      draw: 'event',
    });
  });

  it('folds, and selects ever more', async () => {
    const folds = await client.about<FoldingRange[]>('textDocument/foldingRange', 'points.mmd');
    expect(folds).toContainEqual({ startLine: 11, endLine: 40 });
    expect(folds).toContainEqual({ startLine: 2, endLine: 4, kind: 'comment' });
    const [selection] = await client.about<SelectionRange[]>('textDocument/selectionRange', 'points.mmd', {
      positions: [{ line: 18, character: 30 }],
    });
    let depth = 0;
    for (let at: SelectionRange | undefined = selection; at; at = at.parent) depth++;
    expect(depth).toBeGreaterThan(4);
  });

  it('shows shapes along pipes', async () => {
    const range = { start: { line: 0, character: 0 }, end: { line: 100, character: 0 } };
    const hints = await client.about<InlayHint[]>('textDocument/inlayHint', 'points.mmd', { range });
    const onLine = (n: number) => hints.filter((h) => h.position.line === n).map((h) => h.label);
    expect(onLine(18)).toEqual(['f32[4]', 'f32[16]', 'f32[2]']);
    expect(onLine(7)).toHaveLength(2);
    const few = await client.about<InlayHint[]>('textDocument/inlayHint', 'points.mmd', {
      range: { start: { line: 18, character: 0 }, end: { line: 19, character: 0 } },
    });
    expect(few).toHaveLength(3);
  });

  it('formats the document and a range, and leaves what cannot be read', async () => {
    await client.open('messy.mmd', 'model A{\n  space   z: f32[3]\n  modality   x: vector[3]\n}');
    const options = { options: { tabSize: 2, insertSpaces: true } };
    const all = await client.about<TextEdit[]>('textDocument/formatting', 'messy.mmd', options);
    expect(applyEdits(client.text('messy.mmd'), all)).toBe(
      'model A {\n  space z: f32[3]\n  modality x: vector[3]\n}\n',
    );
    const range = { start: { line: 2, character: 0 }, end: { line: 2, character: 5 } };
    const one = await client.about<TextEdit[]>('textDocument/rangeFormatting', 'messy.mmd', {
      ...options,
      range,
    });
    expect(applyEdits(client.text('messy.mmd'), one)).toBe(
      'model A{\n  space   z: f32[3]\n  modality x: vector[3]\n}',
    );
    await client.edit('messy.mmd', 'f32[3]', 'f32[');
    expect(await client.about('textDocument/formatting', 'messy.mmd', options)).toEqual([]);
  });

  it('offers every fix', async () => {
    await client.open(
      'fixes.mmd',
      spec
        .replace('label |> linear(16) |> project(shape(z))', 'label |> linear(16)')
        .replace('import { MLP }', 'import { DiT, MLP }'),
    );
    const diagnostics = await client.diagnostics('fixes.mmd');
    expect(diagnostics.map((d) => d.code).sort()).toEqual(['MMD0322', 'MMD0509']);
    const range = { start: { line: 0, character: 0 }, end: { line: 100, character: 0 } };
    const actions = await client.about<CodeAction[]>('textDocument/codeAction', 'fixes.mmd', {
      range,
      context: { diagnostics },
    });
    expect(actions.map((a) => a.title)).toEqual([
      'remove `DiT`',
      'append `|> project(shape(z))`',
      'Fix all that is safe to fix',
    ]);
    const edits = actions.flatMap((a) =>
      a.kind === 'quickfix' ? Object.values(a.edit?.changes ?? {}).flat() : [],
    );
    expect(applyEdits(client.text('fixes.mmd'), edits)).toBe(spec);
  });

  it('shows parameters and memory above declarations', async () => {
    const lenses = await client.about<CodeLens[]>('textDocument/codeLens', 'points.mmd');
    const resolved = await Promise.all(
      lenses.map((lens) => client.connection.sendRequest<CodeLens>('codeLens/resolve', lens)),
    );
    const titles = resolved.map((lens) => lens.command?.title ?? '');
    expect(titles[0]).toMatch(/^[\d.]+ k parameters, \d+ kB to train with batch 64, [\d.]+ GFLOP a step$/);
    // 4 x 16 and a bias, then 16 x 2 and a bias.
    expect(titles).toContain(`${4 * 16 + 16 + 16 * 2 + 2} parameters`);
    expect(titles).toContain('0 parameters');
  });
});

describe('the language server in bad weather', () => {
  it('keeps up with rapid edits, and shows the last state', async () => {
    await client.open('rapid.mmd', spec);
    for (let i = 0; i < 60; i++)
      await client.edit(
        'rapid.mmd',
        i % 2 === 0 ? 'linear(16)' : 'lin(16)',
        i % 2 === 0 ? 'lin(16)' : 'linear(16)',
      );
    expect(await client.diagnostics('rapid.mmd')).toEqual([]);
    for (const c of ' |> nonsense') {
      const text = client.text('rapid.mmd');
      const line = text.split('\n').find((l) => l.includes('encoder x = x')) ?? '';
      await client.edit('rapid.mmd', line, line + c);
    }
    expect((await client.diagnostics('rapid.mmd')).map((d) => d.code)).toEqual(['MMD0301']);
  });

  it('hears that a request was cancelled', async () => {
    await client.open(
      'slow.mmd',
      spec +
        Array.from({ length: 40 }, (_, i) =>
          spec.slice(spec.indexOf('/// Points')).replace('model Points', `model P${i}`),
        ).join('\n'),
    );
    const { CancellationTokenSource } = await import('vscode-languageserver-protocol');
    const source = new CancellationTokenSource();
    const asked = client.connection.sendRequest(
      'textDocument/hover',
      { textDocument: { uri: client.uri('slow.mmd') }, position: { line: 10, character: 8 } },
      source.token,
    );
    source.cancel();
    await expect(asked).rejects.toMatchObject({ code: -32800 });
    // Symbols need no analysis and do not wait for it.
    expect((await client.about<DocumentSymbol[]>('textDocument/documentSymbol', 'slow.mmd')).length).toBe(42);
    expect(await client.diagnostics('slow.mmd')).toEqual([]);
  });

  it('notices files that vanish and come back, and edits of what is imported', async () => {
    client.write('part.mmd', 'network Part(x: f32[C]) -> f32[C] {\n  x\n}\n');
    await client.open(
      'main.mmd',
      spec
        .replace('import {', 'import { Part } from "./part.mmd"\nimport {')
        .replace('h |> linear(4)', 'h |> Part |> linear(4)'),
    );
    expect(await client.diagnostics('main.mmd')).toEqual([]);
    const changed = async (type: number) =>
      client.connection.sendNotification('workspace/didChangeWatchedFiles', {
        changes: [{ uri: client.uri('part.mmd'), type }],
      });
    const shows = (code: string | undefined) =>
      client.until(() => {
        const last = client.published.findLast((p) => p.uri === client.uri('main.mmd'));
        return last?.diagnostics[0]?.code === code ? true : undefined;
      }, String(code));
    rmSync(join(client.folder, 'part.mmd'));
    await changed(3);
    await shows('MMD0201');
    client.write('part.mmd', 'network Part(x: f32[C]) -> f32[C] {\n  x\n}\n');
    await changed(1);
    await shows(undefined);
    await client.open('part.mmd', 'network Part(x: f32[C]) -> f32[C] {\n  x\n}\n');
    await client.edit('part.mmd', 'Part', 'Other');
    await shows('MMD0204');
    await client.connection.sendNotification('textDocument/didClose', {
      textDocument: { uri: client.uri('part.mmd') },
    });
    await shows(undefined);
    await expect(
      client.about('textDocument/hover', 'gone.mmd', { position: { line: 0, character: 0 } }),
    ).rejects.toThrow('there is no document');
  });

  it('answers unknown methods, bad parameters and broken messages, and goes on', async () => {
    await expect(client.connection.sendRequest('textDocument/nonsense', {})).rejects.toMatchObject({
      code: -32601,
    });
    await expect(client.connection.sendRequest('textDocument/hover', { position: 3 })).rejects.toThrow();
    const body = '{"jsonrpc": "2.0", "id": 99, "method": ';
    client.process.stdin?.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
    client.process.stdin?.write('Content-Length: 2\r\n\r\n[]');
    client.process.stdin?.write('Content-Length: 4\r\n\r\nnull');
    expect(await hover('model Poi@nts')).toContain('parameters');
  });

  it('ends with its editor, without one that said goodbye too', async () => {
    const server = spawn(process.execPath, command, { stdio: 'pipe' });
    const ended = new Promise<number | null>((done) => server.once('exit', done));
    server.stdin.end();
    expect(await ended).toBe(1);
  });
});

it('`lsp`, `check` and `fmt` load no tensor engine', async () => {
  const spec = join(root, 'examples', 'digits.mmd');
  // Every module that is asked for goes through here.
  const watch = `data:text/javascript,${encodeURIComponent(
    `import { register } from 'node:module';
     register('data:text/javascript,' + encodeURIComponent(
       "export const resolve = (name, context, next) => { if (/onnxruntime|tfjs/.test(name)) process._rawDebug('ENGINE ' + name); return next(name, context); };"
     ));`,
  )}`;
  for (const args of [
    ['check', spec],
    ['fmt', '--check', spec],
  ]) {
    const done = spawnSync(process.execPath, ['--import', watch, join(root, 'bin', 'mmdc.js'), ...args], {
      encoding: 'utf8',
    });
    expect(done.status).toBe(0);
    expect(done.stderr).not.toContain('ENGINE');
  }
  const watched = new Client('--import', watch);
  await watched.start();
  await watched.open('a.mmd', readFileSync(spec, 'utf8'));
  expect(await watched.diagnostics('a.mmd')).toEqual([]);
  await watched.about('textDocument/codeLens', 'a.mmd');
  await watched.stop();
  expect(watched.stderr).not.toContain('ENGINE');
  const info = spawnSync(process.execPath, ['--import', watch, join(root, 'bin', 'mmdc.js'), 'info'], {
    encoding: 'utf8',
  });
  expect(info.stderr).toContain('ENGINE');
});
