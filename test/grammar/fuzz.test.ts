/** Damaged files: nothing throws or hangs, every place lies in the text, and one mistake makes one problem, mostly. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SyntaxProblem } from '../../grammar/index.js';
import { parse, walk } from '../../grammar/index.js';
import { scan } from '../../grammar/scan.js';

const GOOD = new URL('../good/syntax/', import.meta.url);
const texts = readdirSync(GOOD)
  .filter((file) => file.endsWith('.mmd') && file !== 'empty.mmd')
  .map((file) => readFileSync(new URL(file, GOOD), 'utf8'));

/** Numbers below `n` from a linear congruential generator (Numerical Recipes), the same ones every time. */
function seeded(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

type Damage = (
  text: string,
  spans: readonly (readonly [number, number])[],
  pick: (n: number) => number,
) => string;

const damages: Record<string, Damage> = {
  drop: (text, spans, pick) => {
    const [a, b] = spans[pick(spans.length)];
    return text.slice(0, a) + text.slice(b);
  },
  double: (text, spans, pick) => {
    const [a, b] = spans[pick(spans.length)];
    return `${text.slice(0, b)} ${text.slice(a)}`;
  },
  swap: (text, spans, pick) => {
    const i = pick(spans.length - 1);
    const [[a, b], [c, d]] = [spans[i], spans[i + 1]];
    return `${text.slice(0, a)}${text.slice(c, d)} ${text.slice(a, b)}${text.slice(d)}`;
  },
  cut: (text, spans, pick) => text.slice(0, spans[pick(spans.length)][1]),
  foreign: (text, spans, pick) => {
    const [a] = spans[pick(spans.length)];
    return `${text.slice(0, a)} ${['(', ')', '[', ']', '{', '}', '=', ':', '"', 'model', '|>'][pick(11)]} ${text.slice(a)}`;
  },
  flip: (text, _spans, pick) => {
    const at = pick(text.length);
    return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << pick(8))) + text.slice(at + 1);
  },
};

/** Parses and checks what holds for every text. */
function check(text: string): readonly SyntaxProblem[] {
  const started = performance.now();
  const { tree, problems } = parse(text);
  expect(performance.now() - started).toBeLessThan(2000);
  let holes = 0;
  walk(tree, (node) => {
    const { start, end } = node.range;
    expect(start >= 0 && start <= end && end <= text.length).toBe(true);
    if (node.kind === 'Error' || node.kind === 'ErrorType' || (node.kind === 'Name' && node.text === ''))
      holes++;
  });
  if (holes > 0) expect(problems.length).toBeGreaterThan(0);
  for (const { range, message, related } of problems) {
    for (const place of [range, ...(related ?? []).map((r) => r.range)]) {
      expect(place.start >= 0 && place.start <= place.end && place.end <= text.length).toBe(true);
    }
    expect(message).not.toMatch(/undefined|NaN|\[object|Token/);
  }
  return problems;
}

describe('a file damaged in one place', () => {
  it.each(Object.keys(damages))('by %s', (name) => {
    const pick = seeded(7);
    const counts: number[] = [];
    for (let i = 0; i < 250; i++) {
      const text = texts[i % texts.length];
      const spans = scan(text).tokens.map(
        (token) => [token.startOffset, token.startOffset + token.image.length] as const,
      );
      counts.push(check(damages[name](text, spans, pick)).length);
    }
    const mean = counts.reduce((sum, n) => sum + n, 0) / counts.length;
    expect(mean).toBeLessThan(1.6);
    expect(Math.max(...counts)).toBeLessThanOrEqual(7);
  });
});

it('a file damaged in many places', () => {
  const pick = seeded(11);
  const names = Object.keys(damages);
  for (let i = 0; i < 300; i++) {
    let text = texts[i % texts.length];
    for (let n = 0; n < 8; n++) {
      const spans = scan(text).tokens.map(
        (token) => [token.startOffset, token.startOffset + token.image.length] as const,
      );
      if (spans.length > 1) text = damages[names[pick(names.length)]](text, spans, pick);
    }
    check(text);
  }
});

it('noise', () => {
  const pick = seeded(13);
  const alphabet = [
    ...'abz_09.,:;=+-*/^!<>|&(){}[]"\\ \n\r\t\u00e9\ud83d\0',
    'model ',
    'let ',
    'if ',
    'else ',
    '|>',
    '..',
  ];
  for (let i = 0; i < 500; i++) {
    check(Array.from({ length: pick(80) }, () => alphabet[pick(alphabet.length)]).join(''));
  }
});

it('reads words of an import in places of others', () => {
  for (const text of ['import {} from :', 'import { A as: B } from "x"', 'import { from: } as "x"'])
    expect(parse(text).problems.length).toBeGreaterThan(0);
});
