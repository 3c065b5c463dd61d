/**
 * Which paths a program touches, through the file system's own functions: for `hostile.mjs`, that a name in an archive
 * makes no reader look or write outside of its folder.
 *
 * @module
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const watched = [
  'openSync',
  'readFileSync',
  'writeFileSync',
  'appendFileSync',
  'createReadStream',
  'createWriteStream',
  'mkdirSync',
  'readdirSync',
  'statSync',
  'lstatSync',
  'existsSync',
  'rmSync',
  'unlinkSync',
  'truncateSync',
  'renameSync',
  'linkSync',
  'symlinkSync',
  'copyFileSync',
  'open',
];

/**
 * @param allowed folders whose files may be touched
 * @returns paths outside of them, as they come; `stop` takes the watch away again
 */
export function watchPaths(allowed) {
  const outside = new Set();
  const places = allowed.map((place) => resolve(place));
  const note = (path) => {
    if (typeof path !== 'string' && !(path instanceof URL) && !Buffer.isBuffer(path)) return;
    const full = resolve(path instanceof URL ? fileURLToPath(path) : String(path));
    // Libraries are loaded when they are first needed, from wherever they are installed.
    if (full.includes(`${sep}node_modules${sep}`)) return;
    if (!places.some((place) => full === place || full.startsWith(place + sep))) outside.add(full);
  };
  const original = [];
  for (const [object, names] of [
    [fs, watched],
    [fs.promises, ['open', 'readFile', 'writeFile', 'mkdir', 'rm', 'stat', 'readdir']],
  ])
    for (const name of names) {
      const real = object[name];
      original.push([object, name, real]);
      object[name] = function (...args) {
        note(args[0]);
        if (/^(rename|link|symlink|copy)/.test(name)) note(args[1]);
        return Reflect.apply(real, this, args);
      };
    }
  syncBuiltinESMExports();
  return {
    outside,
    stop() {
      for (const [object, name, real] of original) object[name] = real;
      syncBuiltinESMExports();
    },
  };
}
