/**
 * Draws a scene of `builtin:scenes`: antialiased parts over sky and ground, with light, shadow and texture. See
 * scenes.ts.
 *
 * @module
 */
import type { Stream } from '../random/stream.js';

const SIZE = 32;

/** Classes of the mask; a part's kind is its class. */
export const SKY = 0;
export const GROUND = 1;
export const ROUND = 2;
export const BLOCK = 3;
export const WEDGE = 4;
export const CLOUD = 5;

/** R, G, B in [0, 1]. */
export type Colour = readonly [number, number, number];

/** One shape; lengths in pixels, y down. */
export interface Part {
  readonly kind: number;
  /** Centre. */
  readonly x: number;
  readonly bottom: number;
  readonly width: number;
  readonly height: number;
  readonly colour: Colour;
  /** Half the width of its shadow on the ground, for parts that stand on it. */
  readonly shadow?: number;
}

export interface Scene {
  readonly label: number;
  readonly x: number;
  readonly foot: number;
  readonly size: number;
  readonly light: number;
  readonly horizon: number;
  /** The horizon is bent by so many pixels, most at `bendAt`. */
  readonly bend: number;
  readonly bendAt: number;
  readonly sky: Colour;
  readonly ground: Colour;
  readonly object: Colour;
  readonly exposure: number;
  /** Standard deviation of the noise, of 1. */
  readonly noise: number;
  /** Contrast of the bands on the ground and their width in pixels. */
  readonly bands: number;
  readonly bandWidth: number;
  /** From back to front. */
  readonly parts: readonly Part[];
}

// One scene is drawn at a time, so these are shared.
const canvas = new Float32Array(SIZE * SIZE * 3);
const noise = new Float32Array(SIZE * SIZE);

/** Draws into `image` [32, 32, 3], 0 .. 255, and `mask` [32, 32]. */
export function drawScene(scene: Scene, random: Stream, image: Uint8Array, mask: Uint8Array): void {
  drawBackground(scene, mask);
  for (const part of scene.parts) if (part.shadow !== undefined) drawShadow(part, part.shadow, scene, mask);
  for (const part of scene.parts) drawPart(part, scene.light, mask);
  random.normal(noise);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const at = y * SIZE + x;
      const light =
        scene.exposure * (1 + 0.14 * scene.light * ((x - 15.5) / 15.5) - 0.05 * ((y - 15.5) / 15.5));
      for (let c = 0; c < 3; c++) {
        const value = canvas[3 * at + c]! * light + noise[at]! * scene.noise;
        image[3 * at + c] = Math.round(255 * Math.max(0, Math.min(1, value)));
      }
    }
  }
}

function drawBackground(scene: Scene, mask: Uint8Array): void {
  const { sky, ground, horizon, bend, bendAt, bands, bandWidth } = scene;
  for (let x = 0; x < SIZE; x++) {
    const away = (x + 0.5 - bendAt) / 16;
    const edge = horizon + bend * (1 - away * away);
    for (let y = 0; y < SIZE; y++) {
      const at = y * SIZE + x;
      // Share of the pixel that is ground.
      const cover = clamp(y + 1 - edge);
      // The sky pales towards the horizon; the bands of the ground widen towards the viewer.
      const pale = 0.3 * clamp((y + 1) / horizon);
      const depth = Math.max(0, y + 0.5 - edge);
      const phase = Math.sqrt(depth * 8) / bandWidth + x * 0.02 * bend;
      const wave = Math.abs((phase % 1) - 0.5) * 4 - 1;
      const shade = (1 + bands * wave) * (0.88 + 0.016 * depth);
      for (let c = 0; c < 3; c++) {
        const up = sky[c]! + (1 - sky[c]!) * pale;
        canvas[3 * at + c] = up * (1 - cover) + ground[c]! * shade * cover;
      }
      mask[at] = cover > 0.5 ? GROUND : SKY;
    }
  }
}

/** A soft dark ellipse at a part's foot, away from the light, on the ground alone. */
function drawShadow(part: Part, half: number, scene: Scene, mask: Uint8Array): void {
  const x0 = part.x - scene.light * half * 0.7;
  const y0 = part.bottom - 0.3;
  const rx = half * 1.15;
  const ry = Math.max(0.9, half * 0.28);
  for (let y = first(y0 - ry); y < last(y0 + ry); y++) {
    for (let x = first(x0 - rx); x < last(x0 + rx); x++) {
      const at = y * SIZE + x;
      if (mask[at] !== GROUND) continue;
      const u = (x + 0.5 - x0) / rx;
      const v = (y + 0.5 - y0) / ry;
      const dark = 1 - 0.5 * clamp(1.6 * (1 - u * u - v * v));
      for (let c = 0; c < 3; c++) canvas[3 * at + c]! *= dark;
    }
  }
}

/** Draws a part with edges one pixel wide; the mask takes the part where it covers half of a pixel or more. */
function drawPart(part: Part, light: number, mask: Uint8Array): void {
  const { kind, bottom, width, height } = part;
  const top = bottom - height;
  const left = part.x - width / 2;
  const distance = kind === BLOCK ? inBlock : kind === WEDGE ? inWedge : inDisc;
  const flat = kind === CLOUD;
  for (let y = first(top - 1); y < last(bottom + 1); y++) {
    for (let x = first(left - 1); x < last(left + width + 1); x++) {
      const dx = x + 0.5 - part.x;
      const dy = y + 0.5 - top;
      const cover = clamp(0.5 + distance(dx, dy, width, height));
      if (cover === 0) continue;
      const at = y * SIZE + x;
      const shade = flat ? 1 : shading(kind, dx / (width / 2), dy / (height / 2) - 1, light);
      for (let c = 0; c < 3; c++) {
        const paint = part.colour[c]! * shade;
        canvas[3 * at + c] = canvas[3 * at + c]! * (1 - cover) + paint * cover;
      }
      if (cover >= 0.5) mask[at] = kind;
    }
  }
}

// Distance to the edge in pixels, positive inside; dx from the axis, dy from the top.

function inDisc(dx: number, dy: number, width: number, height: number): number {
  const u = dx / (width / 2);
  const v = dy / (height / 2) - 1;
  return ((1 - Math.sqrt(u * u + v * v)) * Math.min(width, height)) / 2;
}

function inBlock(dx: number, dy: number, width: number, height: number): number {
  return Math.min(width / 2 - Math.abs(dx), dy, height - dy);
}

function inWedge(dx: number, dy: number, width: number, height: number): number {
  const slope = width / 2 / height;
  return Math.min(height - dy, (slope * dy - Math.abs(dx)) / Math.sqrt(1 + slope * slope));
}

/** Brightness at (u, v) in [-1, 1]^2 of a part lit from the side: a sphere, a block with a darker side, a pyramid with two faces. */
function shading(kind: number, u: number, v: number, light: number): number {
  if (kind === ROUND) {
    const towards = u * light * 0.6 - v * 0.7;
    return 0.84 + 0.3 * towards;
  }
  if (kind === WEDGE) return u * light >= 0 ? 1.05 : 0.8;
  return 0.95 + 0.12 * u * light;
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

function first(value: number): number {
  return Math.max(0, Math.floor(value));
}

function last(value: number): number {
  return Math.min(SIZE, Math.ceil(value));
}
