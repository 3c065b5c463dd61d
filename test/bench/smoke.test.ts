/**
 * Every benchmark starts and prints its table, at sizes that take no time (`BENCH_TINY`). What it measures is not looked
 * at. A benchmark that is added has to be added here.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { present } from '../executors/present.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const hasOrt = present.includes('ort');
const python = process.env['MMDC_PYTHON'];
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-'));
  copyFileSync(join(root, 'bench', 'peers', 'transformer.mmd'), join(folder, 'small.mmd'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs `node bench/...`; its standard output, where it succeeds. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 110_000,
    env: { ...process.env, MMDC_PYTHON: '', BENCH_TINY: '1', BENCH_THREADS: '1', ...env },
  });
  expect(status, `${args.join(' ')}\n${stderr}`).toBe(0);
  return stdout;
}

const own = {
  'check/check.mjs': { args: () => ['200'], table: /unused networks +\d+ .*\nmodels +\d+ / },
  'cold/cold.mjs': { args: () => ['1'], table: /node -e 0 +\d+ +\d+\n +mmdc check .*\n +ratio/ },
  'doc/doc.mjs': {
    args: () => ['1', relative(root, folder)],
    table: /mmdc check, 1 specs +\d+ +\d+\n +mmdc doc .* \d+/,
  },
  'lsp/lsp.mjs': { args: () => ['100'], table: /lines +opening.*\n +100 +[\d.]+/ },
  'memory/memory.mjs': { args: () => ['201', 'reference'], table: /reference +[\d.]+ +[\d.]+ +[+-][\d.]+ %/ },
} as const;

/** What `node bench/run.js ops/NAME` prints a row of. */
const operations: Readonly<Record<string, RegExp>> = {
  convolution: / {2}blocked by 16 .* \d+ GFLOP\/s/,
  elementwise: / {2}QuickGelu +[\d.]+ +[\d.]+/,
  reduction: / {2}ReduceSum +[\d.]+ +[\d.]+/,
  scatter: / {2}one-hot, Gemm +[\d.]+ +[\d.]+/,
  options: / {2}no arena +[\d.]+ +[\d.]+/,
  profile: /by ONNX operator\n +[\d.]+ {2}\w+/,
  step: / {2}ort-wasm +[\d.]+ +[\d.]+/,
};
const spec = ['bench/peers/transformer.mmd', 'train.batch=2'];

/** Rows of a Markdown table by their first cell. */
const row = (title: RegExp): RegExp => new RegExp(`^\\| ${title.source} \\| .*\\d`, 'm');
const peers: Readonly<Record<string, RegExp>> = {
  transformer: row(/transformer, training step/),
  dit: row(/DiT, training step/),
  unet: row(/U-Net, training step/),
  sampling: row(/digits, 64 pictures for labels in 20 steps/),
  compile: row(/U-Net, training step/),
};

/** Run on every change; the others, which take longer, in the long suite. */
const quick = ['check/check.mjs', 'cold/cold.mjs', 'ops/profile', 'ops/scatter', 'transformer', 'sampling'];
const long = Boolean(process.env.MMDC_LONG);

/** A test of its own for every benchmark, skipped with the reason where it cannot or need not run. */
function each(names: readonly string[], check: (name: string) => void, reason = ''): void {
  for (const name of names) {
    const skipped = reason || (long || quick.includes(name) ? '' : 'set MMDC_LONG');
    it.skipIf(skipped !== '')(`${name}${skipped && ` (skipped: ${skipped})`}`, () => check(name));
  }
}

describe('a benchmark prints its table', () => {
  each(Object.keys(own), (name) => {
    const { args, table } = own[name as keyof typeof own];
    expect(run([`bench/${name}`, ...args()])).toMatch(table);
  });

  const withoutOrt = hasOrt ? '' : 'no onnxruntime-node';
  each(
    Object.keys(operations).map((name) => `ops/${name}`),
    (name) => {
      const takesSpec = ['ops/options', 'ops/profile', 'ops/step'].includes(name);
      expect(run(['bench/run.js', name, ...(takesSpec ? spec : [])])).toMatch(operations[name.slice(4)]!);
    },
    withoutOrt,
  );
  each(Object.keys(peers), (name) => expect(run(['bench/run.js', name])).toMatch(peers[name]!), withoutOrt);

  const withoutPeer = withoutOrt || (python ? '' : 'no MMDC_PYTHON') || (long ? '' : 'set MMDC_LONG');
  // Every peer: its networks are written against parameters of the library, which change.
  const suffix = withoutPeer && ` (skipped: ${withoutPeer})`;
  it.skipIf(withoutPeer).each(Object.keys(peers).filter((name) => name !== 'compile'))(
    `%s, against PyTorch${suffix}`,
    (name) => {
      const stdout = run(['bench/run.js', name], { MMDC_PYTHON: python!, BENCH_SIDES: 'ours,eager' });
      const cells = peers[name]!.exec(stdout)?.[0].split(' | ') ?? [];
      expect(cells[5]).toMatch(/^[\d.]+ \(/);
      // The same work: losses of the first steps, or pictures, agree.
      expect(Number(cells.at(-1))).toBeLessThan(1e-4);
    },
  );

  it('and none is left out here', () => {
    const found = (path: string, end: string) =>
      readdirSync(join(root, 'bench', path)).filter((name) => name.endsWith(end));
    const modules = ['check', 'cold', 'doc', 'lsp', 'memory'].flatMap((dir) =>
      found(dir, '.mjs')
        .filter((name) => name !== 'program.mjs')
        .map((name) => `${dir}/${name}`),
    );
    expect(modules).toEqual(Object.keys(own));
    const ops = found('ops', '.ts').map((name) => name.replace('.ts', ''));
    expect(ops.filter((name) => name !== 'harness').sort()).toEqual(Object.keys(operations).sort());
    // `data` starts with libraries of its own, which are installed for it alone.
    expect(readdirSync(join(root, 'bench')).sort()).toEqual(
      [
        'README.md',
        'check',
        'cold',
        'data',
        'doc',
        'lsp',
        'memory',
        'ops',
        'peers',
        'pytorch',
        'run.js',
      ].sort(),
    );
  });
});
