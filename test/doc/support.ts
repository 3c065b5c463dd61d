import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyze, type CompiledModel } from '../../compiler/driver.js';
import type { DocSpec } from '../../compiler/docs/index.js';
import { memoryHost } from '../../compiler/project/host.js';
import { packageRoot } from '../../runtime/host.js';

const root = packageRoot();
const library = Object.fromEntries(
  readdirSync(join(root, 'stdlib')).map((name) => [
    name.replace(/\.mmd$/, ''),
    readFileSync(join(root, 'stdlib', name), 'utf8'),
  ]),
);

/** A spec that must be without errors. */
export function specOf(text: string, file = 'main.mmd'): DocSpec {
  const analysis = analyze(memoryHost({ [file]: text }, library), file, text);
  const errors = analysis.diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((d) => `${d.code} ${d.message}`).join('\n'));
  return { file, analysis };
}

export function modelOf(text: string): CompiledModel {
  return [...specOf(text).analysis.models.values()][0];
}

export function exampleSpecs(): DocSpec[] {
  return readdirSync(join(root, 'examples'))
    .filter((name) => name.endsWith('.mmd'))
    .map((name) => specOf(readFileSync(join(root, 'examples', name), 'utf8'), name));
}

/** A small model with the given process block and further members. */
export function small(process: string, more = '', doc = ''): string {
  return `${doc}model Small {
  modality picture: image[8, 8, 1]
  modality kind: category[3]
  space u: f32[8, 8, 1]
  encoder picture = picture
  encoder kind = kind |> project(shape(u))
  process { ${process} }
  backbone body = concat(u, given) |> conv(4) |> silu
  ${process.includes('origin: picture') ? 'decoder u = body |> conv(1)' : 'decoder picture = body |> conv(1)'}
  decoder kind = body |> pool |> linear(3)
  task both: picture, kind
  task name: picture -> kind
  ${more}
}
`;
}
