/**
 * The compiler's view of the file system: files of one project, read through real paths so that nothing outside its
 * root is ever opened, and the standard library that ships with the package.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host, ReadResult } from '../compiler/project/host.js';

/** Folder of the installed package: where `stdlib/` lies, from source and from `dist/` alike. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** Largest file that is read as a spec, in bytes. */
const maxBytes = 16 * 1024 * 1024;

/**
 * The root of the project that `file` belongs to: the nearest folder upwards with a `package.json`, a `.git` or an
 * `mmd.json`, else the file's own folder. Imports never leave it.
 */
export function projectRoot(file: string): string {
  const own = dirname(resolve(file));
  for (let folder = own; ; folder = dirname(folder)) {
    if (['package.json', '.git', 'mmd.json'].some((name) => existsSync(join(folder, name)))) return folder;
    if (dirname(folder) === folder) return own;
  }
}

/** Host for the project around `file`, and the name of `file` in it. */
export function fileHost(file: string): { host: Host; name: string } {
  const path = resolve(file);
  const root = projectRoot(path);
  const library = join(packageRoot(), 'stdlib');
  const host: Host = {
    read: (name) => readInside(root, join(root, ...name.split('/'))),
    readLibrary: (name) =>
      /^[A-Za-z0-9_-]+$/.test(name) && existsSync(join(library, `${name}.mmd`))
        ? readFileSync(join(library, `${name}.mmd`), 'utf8')
        : undefined,
    libraryModules: () =>
      readdirSync(library)
        .filter((name) => name.endsWith('.mmd'))
        .map((name) => basename(name, '.mmd'))
        .sort(),
  };
  return { host, name: relative(root, path).split(sep).join('/') };
}

function readInside(root: string, path: string): ReadResult {
  try {
    const real = realpathSync(path);
    const inside = relative(realpathSync(root), real);
    if (inside.startsWith('..') || resolve(inside) === inside)
      return { ok: false, reason: 'outside', detail: root };
    const stat = statSync(real);
    if (!stat.isFile()) return { ok: false, reason: 'unreadable', detail: 'not a file' };
    if (stat.size > maxBytes)
      return { ok: false, reason: 'unreadable', detail: `larger than ${maxBytes} bytes` };
    return { ok: true, text: readFileSync(real, 'utf8') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return { ok: false, reason: code === 'ENOENT' ? 'missing' : 'unreadable', detail: code ?? String(error) };
  }
}
