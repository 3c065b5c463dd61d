/** Dimension arithmetic held to integers: whatever is said of polynomials is true of their values. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Polynomial } from '../../compiler/types/polynomial.js';

const names = ['A', 'B', 'C'] as const;
type Values = Record<(typeof names)[number], number>;

/** An expression as a polynomial and as a function of its variables. */
interface Term {
  readonly p: Polynomial;
  readonly at: (v: Values) => number;
}

const leaf: fc.Arbitrary<Term> = fc.oneof(
  fc.integer({ min: -5, max: 5 }).map((n) => ({ p: Polynomial.constant(n), at: () => n })),
  fc.constantFrom(...names).map((name) => ({ p: Polynomial.variable(name), at: (v: Values) => v[name] })),
);
const term: fc.Arbitrary<Term> = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.tuple(fc.constantFrom('+', '-', '*', '/'), tie('term'), tie('term')).map(([op, x, y]): Term => {
      if (op === '+') return { p: x.p.add(y.p), at: (v) => x.at(v) + y.at(v) };
      if (op === '-') return { p: x.p.subtract(y.p), at: (v) => x.at(v) - y.at(v) };
      const quotient = op === '/' ? x.p.divide(y.p) : undefined;
      if (quotient) return { p: quotient, at: (v) => x.at(v) / y.at(v) };
      return { p: x.p.multiply(y.p), at: (v) => x.at(v) * y.at(v) };
    }),
  ),
})).term;
const values = fc.record({
  A: fc.integer({ min: 1, max: 7 }),
  B: fc.integer({ min: 1, max: 7 }),
  C: fc.integer({ min: 1, max: 7 }),
});
const positive = () => true;
const close = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));

describe('polynomials', () => {
  it('that are equal have equal values, and those that differ never do', () => {
    fc.assert(
      fc.property(term, term, values, (x, y, v) => {
        const answer = x.p.compare(y.p, positive);
        const [a, b] = [x.at(v), y.at(v)];
        if (!Number.isFinite(a) || !Number.isFinite(b)) return;
        if (answer === 'equal') expect(close(a, b)).toBe(true);
        if (answer === 'different') expect(a).not.toBe(b);
      }),
      { numRuns: 3000 },
    );
  });

  it('compute what their expressions do, divisions included', () => {
    fc.assert(
      fc.property(term, values, (x, v) => {
        const wanted = x.at(v);
        if (!Number.isFinite(wanted)) return;
        // Variables are put in by asking for the one value that the difference from it leaves.
        const [name] = x.p.variables;
        if (name !== undefined) return;
        expect(close(x.p.value!, wanted)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  const H = Polynomial.variable('H');
  const C = Polynomial.variable('C');
  const P = Polynomial.variable('P');
  const n = Polynomial.constant;

  it('undo exact division', () => {
    expect(
      n(2)
        .multiply(H.divide(n(2))!)
        .equals(H),
    ).toBe(true);
    const patches = H.divide(P)!.multiply(C.divide(P)!).multiply(P.power(2));
    expect(patches.equals(H.multiply(C))).toBe(true);
    expect(H.divide(H.add(n(1)))).toBeUndefined();
    expect(H.divide(n(0))).toBeUndefined();
    expect(String(H.divide(n(2))!.multiply(C))).toBe('C * H / 2');
    expect(String(H.add(n(1)).divide(n(2)))).toBe('(H + 1) / 2');
    expect(String(H.divide(P)!.subtract(n(1)))).toBe('H / P - 1');
  });

  it('know what no dimension can be', () => {
    const twice = n(2).multiply(C);
    expect(C.compare(twice, positive)).toBe('different');
    expect(C.compare(C.add(n(1)), positive)).toBe('different');
    expect(C.compare(H, positive)).toBe('unknown');
    expect(twice.compare(n(2).multiply(H).add(n(1)), () => false)).toBe('different');
    // An `int` parameter may be zero or negative.
    expect(C.compare(twice, () => false)).toBe('unknown');
    expect(twice.add(n(1)).divide(n(2))!.fractional).toBe(true);
    expect(C.add(n(1)).divide(n(2))!.fractional).toBe(false);
    expect(n(7).divide(n(2))!.fractional).toBe(true);
  });

  it('are solved for a single unknown', () => {
    // P^2 C = 16 with P = 4 gives C = 1.
    expect(n(16).multiply(C).solve('C', 16)).toBe(1);
    expect(C.power(2).solve('C', 49)).toBe(7);
    expect(C.power(2).solve('C', 50)).toBeUndefined();
    expect(C.divide(n(2))!.add(n(1)).solve('C', 4)).toBe(6);
    expect(n(12).divide(C)!.solve('C', 4)).toBe(3);
    expect(
      String(
        P.power(2)
          .multiply(C)
          .isolate('C', n(4).multiply(P.power(2)).multiply(H)),
      ),
    ).toBe('4 * H');
    expect(C.power(2).isolate('C', H)).toBeUndefined();
  });
});
