/**
 * The settings that blocks have, read off the analysis of a small model that is whole: for files in which nothing could
 * be read yet.
 *
 * @module
 */
import type { Model } from '../../grammar/ast.js';
import { analyze } from '../driver.js';
import { memoryHost } from '../project/host.js';
import { Memo } from './memo.js';
import type { Observations } from './observations.js';

const text = `model M {
  modality x: vector[2] { likelihood: cosine }
  modality y: vector[2]
  space z: f32[2]
  encoder x = x
  encoder y = y { scale: none }
  process { weights { y: nested } }
  backbone h = concat(z, given) |> linear(2)
  decoder x = h
  decoder y = h
  task any: x, y { guidance: 1 }
  loss { L2 { x: 1, y: 1 } }
  train { roles { all: 0.5, tasks: 0.4, any: 0.1 } }
  data { x: npy("x.npy") }
}
model N = M {
  process { alpha: cosine }
}`;

let made: Observations | undefined;

/** Settings by path, with `x` and `y` for modalities and `any` for a task. */
export function referenceSettings(): Observations {
  if (made) return made;
  const memo = new Memo();
  const { project } = analyze(memoryHost({}, {}), 'reference.mmd', text, { memo });
  const of = (name: string) => memo.observed(project.root.declared.get(name) as Model) as Observations;
  made = of('M');
  // Of two settings that exclude each other, only the one that is there is looked for.
  for (const [key, setting] of of('N').settings.get('process') ?? [])
    made.settings.get('process')?.set(key, setting);
  return made;
}
