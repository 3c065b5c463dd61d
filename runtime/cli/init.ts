/**
 * `mmdc init`.
 *
 * @module
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { InputFault } from '../faults.js';
import { writeAtomic } from '../files/atomic.js';
import { projectFiles } from '../init/files.js';
import { note, print } from './output.js';

/** Writes a new project into a folder that is empty or not there. @throws InputFault for any other */
export function init(dir: string): void {
  const folder = resolve(dir);
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat && !stat.isDirectory())
    throw new InputFault(`${dir} is a file`, 'name a folder that is new or empty');
  // A repository that was just made counts as empty.
  const there = stat ? readdirSync(folder).filter((name) => name !== '.git') : [];
  if (there.length > 0) {
    const some = there.slice(0, 3).join(', ');
    throw new InputFault(
      `${dir} is not empty: it holds ${some}${there.length > 3 ? ' and more' : ''}`,
      'name a folder that is new or empty; nothing was written',
    );
  }
  mkdirSync(folder, { recursive: true });
  const files = projectFiles(modelName(basename(folder)));
  for (const [name, text] of Object.entries(files)) writeAtomic(join(folder, name), text);
  print(
    Object.keys(files)
      .map((name) => join(dir, name))
      .join('\n'),
  );
  const inside = relative(process.cwd(), folder) === '' ? '' : `cd ${dir} && `;
  note(`next: ${inside}mmdc check model.mmd && mmdc train model.mmd --out runs/first --steps 50`);
}

/** The folder's name as that of a model: `my-scenes` is `MyScenes`. */
function modelName(folder: string): string {
  const name = folder
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
  return /^[A-Za-z]/.test(name) ? name : `Model${name}`;
}
