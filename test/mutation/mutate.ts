/** Damage to texts, the same for the same seed: tokens dropped, doubled, swapped, exchanged; bits of characters flipped. */
import { scan } from '../../grammar/scan.js';

/** Numbers below `n` from a linear congruential generator (Numerical Recipes). */
export function seeded(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

type Pick = ReturnType<typeof seeded>;
type Spans = readonly (readonly [start: number, end: number])[];

const extremes = [
  '0',
  '-1',
  '1e18',
  '9007199254740991',
  '0.5',
  '1e-300',
  '""',
  '[]',
  't',
  'given',
  'true',
  '"x"',
];

const ways: readonly ((text: string, spans: Spans, pick: Pick) => string)[] = [
  function drop(text, spans, pick) {
    const [start, end] = spans[pick(spans.length)]!;
    return text.slice(0, start) + text.slice(end);
  },
  function double(text, spans, pick) {
    const [start, end] = spans[pick(spans.length)]!;
    return `${text.slice(0, end)} ${text.slice(start)}`;
  },
  function swap(text, spans, pick) {
    const i = pick(spans.length - 1);
    const [[a, b], [c, d]] = [spans[i]!, spans[i + 1]!];
    return `${text.slice(0, a)}${text.slice(c, d)} ${text.slice(a, b)}${text.slice(d)}`;
  },
  // What stands elsewhere in the file: most of these still read, and so reach the checker.
  function exchange(text, spans, pick) {
    const [[a, b], [c, d]] = [spans[pick(spans.length)]!, spans[pick(spans.length)]!];
    return text.slice(0, a) + text.slice(c, d) + text.slice(b);
  },
  function extreme(text, spans, pick) {
    const numbers = spans.filter(([start]) => /\d/.test(text[start]!));
    const [start, end] = (numbers.length > 0 ? numbers : spans)[pick(numbers.length || spans.length)]!;
    return text.slice(0, start) + extremes[pick(extremes.length)]! + text.slice(end);
  },
  function flip(text, _, pick) {
    const at = pick(text.length);
    return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << pick(8))) + text.slice(at + 1);
  },
];

/** `text` damaged in one to three places. */
export function mutate(text: string, pick: Pick): string {
  let result = text;
  for (let n = 1 + pick(3); n > 0; n--) {
    const spans = scan(result).tokens.map((t) => [t.startOffset, t.startOffset + t.image.length] as const);
    if (spans.length > 1) result = ways[pick(ways.length)]!(result, spans, pick);
  }
  return result;
}
