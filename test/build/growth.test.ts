import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../compiler/driver.js';
import { memoryHost } from '../../compiler/project/host.js';

// Time that grows faster than the program, for programs that bring out where it once did.
const read = (name: string): string =>
  readFileSync(new URL(`../../stdlib/${name}.mmd`, import.meta.url), 'utf8');
const library = Object.fromEntries(
  ['prelude', 'backbones', 'embeddings'].map((name) => [name, read(name)] as const),
);

const repeat = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

const programs: Record<string, (count: number) => string> = {
  'networks that nothing uses': (count) =>
    repeat(count, (i) => `network Net${i}(x: f32[C]) -> f32[C] {\n  x |> linear(C) |> silu\n}`),
  'unknown networks': (count) =>
    repeat(count, (i) => `network Net${i}(x: f32[C]) -> f32[C] {\n  x |> Nat${i}x(3)\n}`),
  'unknown values in a long body': (count) =>
    `network Net(x: f32[C]) -> f32[C] {\n${repeat(count, (i) => `  let y${i} = x + z${i}z`)}\n  y0\n}`,
  'unused imports': (count) => repeat(count, (i) => `import { MLP as M${i} } from "std/backbones"`),
  'a chain of variants': (count) =>
    `model M0 {\n}\n${repeat(count >> 1, (i) => `model M${i + 1} = M${i} {\n}`)}`,
};

/** Least processor time of some runs, in milliseconds. */
function cost(text: string): number {
  let least = Infinity;
  for (let round = 0; round < 3; round++) {
    const start = process.cpuUsage();
    const { diagnostics } = analyze(memoryHost({ 'main.mmd': text }, library), 'main.mmd', text);
    const { user, system } = process.cpuUsage(start);
    expect(Array.isArray(diagnostics)).toBe(true);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

describe('the time of a check grows with the length of the program', () => {
  it.each(Object.entries(programs))('%s', (_name, make) => {
    const [short, long] = [500, 4000].map((count) => cost(make(count)));
    // Eight times the length: eight times the time, with room for the collector; squared would be up to 64 times.
    expect(long! / short!).toBeLessThan(24);
  });
});
