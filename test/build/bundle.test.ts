import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The bundle as `npm run build` left it (`npm test` builds first).
const root = fileURLToPath(new URL('../../', import.meta.url));
const bundle = join(root, 'dist', 'bundle');
const spec = join('examples', 'digits.mmd');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmdc-build-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A module hook that appends the address of everything that is imported to a file. */
const hooks = (log: string): string => `
  import { appendFileSync } from 'node:fs';
  export async function resolve(specifier, context, next) {
    const result = await next(specifier, context);
    appendFileSync(${JSON.stringify(log)}, result.url + '\\n');
    return result;
  }`;

/** Runs the bundled command line; what it imported, built-in modules apart. */
function imported(...args: string[]): { status: number | null; stdout: string; urls: string[] } {
  const log = join(folder, `${args[0]}.log`);
  writeFileSync(log, '');
  const register = `
    import { register } from 'node:module';
    register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hooks(log)))});`;
  const preload = `data:text/javascript,${encodeURIComponent(register)}`;
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', preload, join(bundle, 'mmdc.js'), ...args],
    { cwd: root, encoding: 'utf8' },
  );
  const urls = readFileSync(log, 'utf8').split('\n');
  return { status, stdout, urls: [...new Set(urls)].filter((url) => url.startsWith('file:')) };
}

describe('what the bundled commands load', () => {
  it.each([['check', spec], ['explain', 'MMD0401'], ['--version']])(
    '%s: a few files of the bundle',
    (...args) => {
      const { status, urls } = imported(...args);
      expect(status).toBe(0);
      expect(urls.filter((url) => !url.includes('/dist/bundle/'))).toEqual([]);
      expect(urls.length).toBeGreaterThan(0);
      expect(urls.length).toBeLessThanOrEqual(25);
    },
  );

  it('check leaves out what other commands and forms need', () => {
    const names = imported('check', spec).urls.map((url) => url.replace(/.*\//, ''));
    expect(names.filter((name) => /^(pages|worker|onnx|executor|report|train|sample)/.test(name))).toEqual(
      [],
    );
    expect(imported('check', '--format', 'sarif', spec).urls.join(' ')).toMatch(/\/pages-/);
  });

  it('fmt loads Prettier, and nothing else from outside the bundle', () => {
    const { status, urls } = imported('fmt', '--check', spec);
    expect(status).toBe(0);
    const outside = urls.filter((url) => !url.includes('/dist/bundle/'));
    expect(outside.length).toBeGreaterThan(0);
    expect(outside.filter((url) => !url.includes('/node_modules/prettier/'))).toEqual([]);
  });
});

describe('the bundle', () => {
  it('has the entry of the worker thread beside the chunk that starts it', () => {
    const starters = readdirSync(bundle).filter(
      (name) =>
        name.endsWith('.js') && readFileSync(join(bundle, name), 'utf8').includes('new URL("./worker.js"'),
    );
    expect(starters.length).toBeGreaterThan(0);
    expect(readdirSync(bundle)).toContain('worker.js');
  });

  it('comes with source maps that lead to the sources', () => {
    const entry = readFileSync(join(bundle, 'mmdc.js'), 'utf8');
    expect(entry).toMatch(/\/\/# sourceMappingURL=mmdc\.js\.map\s*$/);
    const map = JSON.parse(readFileSync(join(bundle, 'mmdc.js.map'), 'utf8')) as { sources: string[] };
    expect(map.sources).toContain('../../runtime/cli/main.ts');
  });

  it('comes with the licence of every package in it', () => {
    const text = readFileSync(join(bundle, 'LICENSES.txt'), 'utf8');
    const packages = new Set<string>();
    for (const name of readdirSync(bundle).filter((name) => name.endsWith('.js.map'))) {
      const { sources } = JSON.parse(readFileSync(join(bundle, name), 'utf8')) as { sources: string[] };
      for (const source of sources) {
        const found = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source);
        if (found) packages.add(found[1]!);
      }
    }
    expect(packages).toContain('chevrotain');
    for (const name of packages) expect(text).toMatch(new RegExp(`^${name} \\d.* \\(.+\\)$`, 'm'));
  });
});

describe('bin/mmdc.js', () => {
  const minutes = (n: number): Date => new Date(Date.UTC(2026, 0, 1, 0, n));

  /** A package whose files say which of them ran, with these times; what its command prints. */
  function run(times: Readonly<Record<string, number>>): string {
    const home = mkdtempSync(join(folder, 'package-'));
    writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
    cpSync(join(root, 'bin'), join(home, 'bin'), { recursive: true });
    const files: Record<string, string> = {
      'dist/bundle/mmdc.js': "console.log('bundle')",
      'dist/runtime/cli/main.js': "console.log('modules')",
    };
    for (const [file, time] of Object.entries(times)) {
      mkdirSync(dirname(join(home, file)), { recursive: true });
      writeFileSync(join(home, file), files[file] ?? '{}');
      utimesSync(join(home, file), minutes(time), minutes(time));
    }
    return spawnSync(process.execPath, [join(home, 'bin', 'mmdc.js')], { encoding: 'utf8' }).stdout.trim();
  }

  it('runs the bundle of an installed package, and of a checkout that was built', () => {
    expect(run({ 'dist/bundle/mmdc.js': 0, 'dist/runtime/cli/main.js': 0 })).toBe('bundle');
    expect(
      run({
        'dist/runtime/cli/main.js': 1,
        'dist/compiler/tsconfig.tsbuildinfo': 1,
        'dist/runtime/tsconfig.tsbuildinfo': 2,
        'dist/bundle/mmdc.js': 3,
      }),
    ).toBe('bundle');
  });

  it('runs what the TypeScript compiler wrote after the bundle, in whatever layer', () => {
    for (const layer of ['grammar', 'compiler', 'runtime']) {
      const times = { 'dist/bundle/mmdc.js': 1, 'dist/runtime/cli/main.js': 0 };
      expect(run({ ...times, [`dist/${layer}/tsconfig.tsbuildinfo`]: 2 })).toBe('modules');
    }
  });

  it('runs the modules where there is no bundle', () => {
    expect(run({ 'dist/runtime/cli/main.js': 0 })).toBe('modules');
  });
});
