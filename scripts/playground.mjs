/**
 * Builds the playground, one static page with the front end compiled for the browser, and serves it on this machine.
 *
 *     npm run playground                    builds into site/playground, serves it and prints the address
 *     npm run playground -- --port 8080     at this port; any free one unless told
 *     npm run playground -- --build DIR     only builds
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { build: { type: 'string' }, port: { type: 'string' } } });
const out = resolve(values.build ?? join(root, 'site', 'playground'));

const texts = (folder) =>
  Object.fromEntries(
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.mmd'))
      .map((name) => [name.replace(/\.mmd$/, ''), readFileSync(join(root, folder, name), 'utf8')]),
  );

async function bundle() {
  const build = await rolldown({
    cwd: root,
    input: { main: 'playground/main.ts', worker: 'playground/worker.ts' },
    platform: 'browser',
    tsconfig: join(root, 'playground', 'tsconfig.json'),
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: {
      define: { LIBRARY: JSON.stringify(texts('stdlib')), EXAMPLES: JSON.stringify(texts('examples')) },
    },
    // The worker is an entry of its own, under the name that the page asks for.
    plugins: [{ name: 'worker', resolveId: (id) => (id === './worker.js' ? { id, external: true } : null) }],
  });
  await build.write({
    dir: out,
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[hash].js',
  });
  await build.close();
}

/** Only what an earlier build made is removed: the folder may be anyone's. */
function clear() {
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out)) if (/^chunk-[\w-]+\.js$/.test(name)) rmSync(join(out, name));
}

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

function serve() {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const file = resolve(out, `.${decodeURIComponent(path === '/' ? '/index.html' : path)}`);
    const type = types[extname(file)];
    try {
      if (type === undefined || relative(out, file).split(sep)[0] === '..')
        throw new Error('not a file of the page');
      const content = readFileSync(file);
      response.writeHead(200, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(content);
    } catch {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    }
  });
  server.on('error', (error) => {
    console.error(`error: ${error.message}`);
    process.exit(1);
  });
  server.listen(Number(values.port ?? 0), '127.0.0.1', () => {
    console.log(`http://127.0.0.1:${server.address().port}/`);
  });
}

clear();
await bundle();
copyFileSync(join(root, 'playground', 'index.html'), join(out, 'index.html'));
const { pageStyle } = await import('../dist/compiler/docs/style.js');
writeFileSync(
  join(out, 'style.css'),
  pageStyle + readFileSync(join(root, 'playground', 'style.css'), 'utf8'),
);
if (values.build === undefined) serve();
