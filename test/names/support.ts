/** Small programs in memory, with the standard library of this checkout. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Diagnostic, Fix } from '../../compiler/diagnostics/diagnostic.js';
import { analyze } from '../../compiler/driver.js';
import { memoryHost } from '../../compiler/project/host.js';

const folder = new URL('../../stdlib/', import.meta.url);
export const library = Object.fromEntries(
  readdirSync(folder).map((name) => [
    name.replace(/\.mmd$/, ''),
    readFileSync(new URL(name, folder), 'utf8'),
  ]),
);

export interface Checked {
  readonly list: readonly Diagnostic[];
  readonly files: Readonly<Record<string, string>>;
}

/** Checks `main.mmd` of some files, or a text of its own. */
export function check(
  files: string | Readonly<Record<string, string>>,
  set: readonly string[] = [],
): Checked {
  const all = typeof files === 'string' ? { 'main.mmd': files } : files;
  return {
    list: analyze(memoryHost(all, library), 'main.mmd', all['main.mmd']!, { set }).diagnostics,
    files: all,
  };
}

/** `MMD0301 linaer`: the code and the text at the place, with the file's name unless it is the root. */
export function found({ list, files }: Checked): string[] {
  return list.map((d) => {
    const text = files[d.file]?.slice(d.range.start, d.range.end) ?? '';
    return `${d.file === 'main.mmd' ? '' : `${d.file} `}${d.code} ${text}`;
  });
}

/** The files with a fix applied. */
export function applied(files: Readonly<Record<string, string>>, fix: Fix): Record<string, string> {
  const result = { ...files };
  for (const edit of [...fix.edits].sort((a, b) => b.range.start - a.range.start)) {
    const text = result[edit.file]!;
    result[edit.file] = text.slice(0, edit.range.start) + edit.text + text.slice(edit.range.end);
  }
  return result;
}

/** A model that uses `Head`, with parts replaced. */
export function model(
  parts: Partial<Record<'lets' | 'encoder' | 'process' | 'backbone' | 'decoder' | 'more', string>> = {},
): string {
  const {
    lets = '',
    encoder = 'x',
    process = 'process { steps: 100, origin: x }',
    backbone = 'concat(z, given) |> MLP(t, width: 8, depth: 1)',
    decoder = 'h |> linear(2)',
    more = '',
  } = parts;
  return `model M {
  ${lets}
  modality x: vector[2]
  space z: f32[2]
  encoder x = ${encoder}
  ${process}
  backbone h = ${backbone}
  decoder z = ${decoder}
  task generate: x
  ${more}
}
`;
}

export const mlp = 'import { MLP } from "std/backbones"\n';
