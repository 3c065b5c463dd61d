/**
 * The model that most examples vary: points in the plane, as small as a whole model can be.
 *
 * @module
 */

const lines = {
  import: 'import { MLP } from "std/backbones"',
  modality: 'modality x: vector[2]',
  space: 'space z: f32[2]',
  encoder: 'encoder x = x',
  process: 'process { steps: 100, retention: cosine, origin: x }',
  backbone: 'backbone h = concat(z, given) |> MLP(t, width: 32)',
  decoder: 'decoder z = h |> linear(2)',
  task: 'task generate: x',
  loss: '',
  train: 'train { batch: 32, steps: 1_000 }',
  data: 'data { x: npy("points.npy") }',
  eval: '',
};

type Line = keyof typeof lines;

/** The model with some of its lines replaced ('' leaves one out), after other declarations. */
export function points(changed: Partial<Record<Line, string>> = {}, declarations = ''): string {
  const { import: imports, ...members } = { ...lines, ...changed };
  const body = Object.values(members).flatMap((line) =>
    line === '' ? [] : [`  ${line.replaceAll('\n', '\n  ')}`],
  );
  const parts = [imports, declarations.trim(), `model Points {\n${body.join('\n')}\n}`];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Two modalities: points, the origin, and the colour of each, aggregated. */
export function colouredPoints(changed: Partial<Record<Line, string>> = {}): string {
  return points({
    modality: 'modality x: vector[2]\nmodality colour: category["red", "green", "blue"]',
    encoder: 'encoder x = x\nencoder colour = colour |> linear(2)',
    process: 'process { steps: 100, retention: cosine, origin: x, weights { colour: nested } }',
    decoder: 'decoder z = h |> linear(2)\ndecoder colour = h |> linear(3)',
    task: 'task generate: x, colour\ntask paint: x -> colour\ntask place: colour -> x { guidance: 2.0 }',
    data: 'data { x: npy("points.npy"), colour: npy("colours.npy") }',
    ...changed,
  });
}
