/**
 * Builds `dist/`: every module and its types with the TypeScript compiler, for those who import the package, and the
 * command line as a few files in `dist/bundle/`, because reading hundreds of small ones takes longer than checking a
 * spec. `--clean` removes what earlier builds left, and is how a package is built.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join(root, 'dist', 'bundle');

/** Loaded from `node_modules` when needed: engines with native or wasm files, and what only some commands want. */
const external = [
  /^onnxruntime-/,
  /^prettier\b/,
  /^vega\b/,
  /^katex\b/,
  /^markdown-it\b/,
  /^d3-/,
  /^@dagrejs\//,
];

const clean = process.argv.includes('--clean');
if (clean) rmSync(join(root, 'dist'), { recursive: true, force: true });
compile();
const rolldown = await loadBundler();
if (rolldown) await bundle(rolldown);

function compile() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-b'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** The bundler, a native module that `npm ci --omit=optional` leaves out: then `bin/mmdc.js` runs the modules. */
async function loadBundler() {
  try {
    return (await import('rolldown')).rolldown;
  } catch (error) {
    if (clean) throw error;
    console.log('not bundled: the bundler is not installed');
    return undefined;
  }
}

async function bundle(rolldown) {
  const build = await rolldown({
    cwd: root,
    input: { mmdc: 'runtime/cli/main.ts', worker: 'runtime/worker/worker.ts' },
    platform: 'node',
    tsconfig: join(root, 'runtime', 'tsconfig.json'),
    external,
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    // Modules of the pure layers do nothing when loaded: one that nobody reads from is left out.
    treeshake: {
      moduleSideEffects: [{ test: /[\\/](grammar|compiler)[\\/][^.]*\.ts$/, sideEffects: false }],
    },
  });
  const { output } = await build.write({
    dir: out,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  });
  await build.close();
  const chunks = output.filter((file) => file.type === 'chunk');
  writeFileSync(join(out, 'LICENSES.txt'), licenses(chunks.flatMap((chunk) => chunk.moduleIds)));
  removeStale(new Set([...output.map((file) => file.fileName), 'LICENSES.txt']));
}

/** The licences of the packages whose code is in the bundle, which have to come with it. */
function licenses(modules) {
  const inside = `${sep}node_modules${sep}`;
  const folders = new Set(
    modules
      .filter((id) => id.includes(inside))
      .map((id) => {
        const at = id.lastIndexOf(inside) + inside.length;
        const [scope, name] = id.slice(at).split(sep);
        return id.slice(0, at) + (scope.startsWith('@') ? join(scope, name) : scope);
      }),
  );
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
    return `${name} ${version} (${license})${text}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

/** Removes chunks of earlier builds after a day: a training run that began before this build may still load its own. */
function removeStale(current) {
  const dayAgo = Date.now() - 24 * 60 * 60 * 1000;
  for (const name of existsSync(out) ? readdirSync(out) : []) {
    if (!current.has(name) && statSync(join(out, name)).mtimeMs < dayAgo) rmSync(join(out, name));
  }
}
