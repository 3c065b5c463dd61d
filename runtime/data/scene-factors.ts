/**
 * The factors of a scene of `builtin:scenes`, how they are drawn, and their embedding. See scenes.ts.
 *
 * @module
 */
import { Stream } from '../random/stream.js';
import type { Colour, Part, Scene } from './scene-drawing.js';
import { BLOCK, CLOUD, ROUND, WEDGE } from './scene-drawing.js';

const OBJECTS = 6;
const EMBEDDING = 16;

/** Draws a scene's factors. */
export function sampleScene(random: Stream): Scene {
  const between = (low: number, high: number): number => low + (high - low) * random.next();
  const label = random.below(OBJECTS);
  const horizon = between(15, 22);
  const x = between(10, 22);
  const size = between(13, 19);
  const foot = between(Math.max(horizon + 1.5, size + 2), 30.5);
  const light = between(-1, 1);

  // Either may be the brighter one, though mostly the sky is.
  const bright = between(0.4, 0.95);
  const sky = colour(random.next(), between(0.12, 0.6), bright);
  const ground = colour(
    random.next(),
    between(0.15, 0.6),
    bright > 0.62 ? between(0.25, 0.58) : between(0.7, 0.85),
  );
  const { first, second } = objectColours(random, sky, ground);

  const clouds = random.below(3);
  const things = random.below(3);
  const parts: Part[] = [];
  for (let i = 0; i < clouds; i++) parts.push(...cloud(random, horizon, sky));
  for (let i = 0; i < things; i++) {
    const thing = smallThing(random, x, size, horizon, sky, ground);
    if (thing !== undefined) parts.push(thing);
  }
  // What stands further up stands further back; clouds are behind everything.
  parts.sort(
    (a, b) => Number(a.shadow !== undefined) - Number(b.shadow !== undefined) || a.bottom - b.bottom,
  );
  parts.push(...object(label, x, foot, size, first, second, random));

  return {
    label,
    x,
    foot,
    size,
    light,
    horizon,
    sky,
    ground,
    object: first,
    bend: between(-1.5, 1.5),
    bendAt: between(8, 24),
    exposure: between(0.85, 1.1),
    noise: between(0.008, 0.03),
    bands: between(0, 0.12),
    bandWidth: between(1.5, 4),
    parts,
  };
}

/** The parts of the main object, from back to front; `foot` is where it stands. */
function object(
  label: number,
  x: number,
  foot: number,
  size: number,
  first: Colour,
  second: Colour,
  random: Stream,
): Part[] {
  const stretch = 0.92 + 0.16 * random.next();
  const part = (
    kind: number,
    width: number,
    height: number,
    bottom: number,
    paint: Colour,
    shadow: boolean,
  ): Part => ({
    kind,
    x,
    bottom,
    width,
    height,
    colour: paint,
    ...(shadow ? { shadow: width * 0.55 } : {}),
  });
  const s = size;
  switch (label) {
    case 0:
      return [part(ROUND, s * 0.95, s * 0.95, foot, first, true)];
    case 1:
      return [part(BLOCK, s * 0.85 * stretch, (s * 0.85) / stretch, foot, first, true)];
    case 2:
      return [part(WEDGE, s * 1.15 * stretch, s / stretch, foot, first, true)];
    case 3:
      return [
        part(BLOCK, s * 0.85 * stretch, s * 0.55, foot, first, true),
        part(WEDGE, s * 1.12 * stretch, s * 0.48, foot - s * 0.53, second, false),
      ];
    case 4:
      return [
        part(BLOCK, Math.max(2.4, s * 0.18), s * 0.5, foot, first, true),
        part(ROUND, s * 0.72 * stretch, s * 0.68, foot - s * 0.36, second, false),
      ];
    default:
      return [
        part(ROUND, s * 0.66 * stretch, s * 0.62, foot, first, true),
        part(ROUND, s * 0.44, s * 0.44, foot - s * 0.56, second, false),
      ];
  }
}

/** Three overlapping discs of one colour. */
function cloud(random: Stream, horizon: number, sky: Colour): Part[] {
  const x = 3 + 26 * random.next();
  const width = 4 + 3.5 * random.next();
  const bottom = width * 0.7 + 0.5 + Math.max(0, horizon - 12) * 0.6 * random.next();
  // White on a dark sky, a rain cloud on a pale one.
  const target = (sky[0] + sky[1] + sky[2]) / 3 < 0.66 ? 1 : 0.4;
  const weight = 0.6 + 0.3 * random.next();
  const paint: Colour = [
    mixed(sky[0], target, weight),
    mixed(sky[1], target, weight),
    mixed(sky[2], target, weight),
  ];
  const puff = (dx: number, scale: number): Part => ({
    kind: CLOUD,
    x: x + dx * width,
    bottom,
    width: width * scale,
    height: width * 0.7 * scale,
    colour: paint,
  });
  return [puff(-0.5, 0.75), puff(0.55, 0.7), puff(0, 1)];
}

/** A stone or crate beside the object, or nothing where there is no room for it. */
function smallThing(
  random: Stream,
  x: number,
  size: number,
  horizon: number,
  sky: Colour,
  ground: Colour,
): Part | undefined {
  const width = 3 + 1.5 * random.next();
  // On the side where there is more room.
  const margin = size * 0.62 + width * 0.5 + 1;
  const room = (x < 16 ? 30 - x : x - 2) - margin;
  const away = margin + Math.max(0, room) * random.next();
  const at = x < 16 ? x + away : x - away;
  const bottom = horizon + 3 + (30.5 - horizon - 3) * random.next();
  const kind = [ROUND, BLOCK, WEDGE][random.below(3)]!;
  const { first } = objectColours(random, sky, ground);
  if (room < 0) return undefined;
  return { kind, x: at, bottom, width, height: width * 0.9, colour: first, shadow: width * 0.5 };
}

/** Two colours that stand out from the sky and the ground, and from each other. */
function objectColours(random: Stream, sky: Colour, ground: Colour): { first: Colour; second: Colour } {
  let best = { first: sky, second: sky };
  let contrast = -1;
  for (let attempt = 0; attempt < 6 && contrast < 0.33; attempt++) {
    const hue = random.next();
    const other = (hue + 0.15 + 0.7 * random.next()) % 1;
    const first = colour(hue, 0.45 + 0.5 * random.next(), 0.4 + 0.58 * random.next());
    const second = colour(other, 0.45 + 0.5 * random.next(), 0.4 + 0.58 * random.next());
    const least = Math.min(
      distance(first, sky),
      distance(first, ground),
      distance(second, sky),
      distance(second, ground),
      distance(first, second),
    );
    if (least > contrast) {
      contrast = least;
      best = { first, second };
    }
  }
  return best;
}

/** R, G, B in [0, 1] from hue, saturation and value in [0, 1]. */
function colour(hue: number, saturation: number, value: number): Colour {
  const channel = (n: number): number => {
    const k = (n + hue * 6) % 6;
    return value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [channel(5), channel(3), channel(1)];
}

function mixed(a: number, b: number, weight: number): number {
  return a + (b - a) * weight;
}

function distance(a: Colour, b: Colour): number {
  return Math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2);
}

const FACTORS = OBJECTS + 5 + 9;

/** The factors, each less its mean and over its standard deviation (measured where no formula is given). */
function factors(scene: Scene): number[] {
  const out: number[] = [];
  // An indicator of probability 1/6 has mean 1/6 and standard deviation sqrt(5)/6.
  for (let k = 0; k < OBJECTS; k++) out.push(((scene.label === k ? 1 : 0) - 1 / 6) / 0.3727);
  // A uniform number on an interval of length r has standard deviation r / sqrt(12).
  out.push((scene.x - 16) / 3.464);
  out.push((scene.size - 16) / 1.732);
  out.push((scene.foot - 25.4) / 3.09);
  out.push(scene.light / 0.5774);
  out.push((scene.horizon - 18.5) / 2.021);
  for (const [paint, mean, deviation] of [
    [scene.object, 0.46, 0.27],
    [scene.sky, 0.55, 0.18],
    [scene.ground, 0.45, 0.19],
  ] as const) {
    for (const value of paint) out.push((value - mean) / deviation);
  }
  return out;
}

let projection: Float32Array | undefined;

/** Writes the scene's embedding, a unit vector of 16 numbers: its factors by a Gaussian matrix of a fixed seed. */
export function embed(scene: Scene, out: Float32Array): void {
  projection ??= new Stream(0, 'scenes', 'embedding').normal(EMBEDDING * FACTORS);
  const from = factors(scene);
  let norm = 0;
  for (let i = 0; i < EMBEDDING; i++) {
    let sum = 0;
    for (let j = 0; j < FACTORS; j++) sum += projection[i * FACTORS + j]! * from[j]!;
    out[i] = sum;
    norm += sum * sum;
  }
  const scale = 1 / Math.sqrt(norm);
  for (let i = 0; i < EMBEDDING; i++) out[i] = out[i]! * scale;
}
