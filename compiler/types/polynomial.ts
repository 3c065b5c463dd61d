/**
 * Polynomials over named integers: what a dimension (`patch^2 * C`, `H / 2`) means. Division is exact, so that it is
 * undone by multiplication: coefficients are fractions and powers may be negative, 2 * (H / 2) is H and
 * (H / p) * (W / p) * p^2 is H * W. That the divisions leave no remainder is an obligation of whoever uses the dimensions
 * with numbers.
 *
 * @module
 */

/** What stands between the parts of a monomial's key: names may hold any readable character (`gcd(8, C)`). */
const times = '\u0001';
const power = '\u0002';

/** Beyond this a polynomial is no longer computed with: hostile programs square sums again and again. */
const mostTerms = 256;

/** Whether a name stands for a positive integer. */
export type Positive = (name: string) => boolean;

export class Polynomial {
  private static readonly small = new Map<number, Polynomial>();

  /**
   * @param terms integer coefficients by monomial; the key of the constant is empty
   * @param denominator of all of them, positive
   */
  private constructor(
    readonly terms: ReadonlyMap<string, number>,
    readonly denominator: number,
  ) {}

  private static of(terms: Map<string, number>, denominator: number): Polynomial {
    let common = denominator;
    for (const value of terms.values()) {
      if (common === 1) break;
      common = gcd(common, value);
    }
    if (denominator < 0) common = -common;
    if (common !== 1) for (const [key, value] of terms) terms.set(key, value / common);
    return new Polynomial(terms, denominator / common);
  }

  static constant(value: number): Polynomial {
    let made = Polynomial.small.get(value);
    if (made) return made;
    made = new Polynomial(value === 0 ? new Map() : new Map([['', value]]), 1);
    if (Math.abs(value) < 4096) Polynomial.small.set(value, made);
    return made;
  }

  static variable(name: string): Polynomial {
    return new Polynomial(new Map([[name, 1]]), 1);
  }

  /** The value, where no variable is left; a fraction where a division leaves a remainder. */
  get value(): number | undefined {
    if (this.terms.size === 0) return 0;
    const constant = this.terms.size === 1 ? this.terms.get('') : undefined;
    return constant === undefined ? undefined : constant / this.denominator;
  }

  /** Variables that occur, sorted. */
  get variables(): string[] {
    const names = new Set<string>();
    for (const key of this.terms.keys()) for (const { name } of factors(key)) names.add(name);
    return [...names].sort();
  }

  /** Whether it is small enough, in terms and coefficients, to be exact. */
  get exact(): boolean {
    if (this.terms.size > mostTerms || !Number.isSafeInteger(this.denominator)) return false;
    for (const value of this.terms.values()) if (!Number.isSafeInteger(value)) return false;
    return true;
  }

  add(other: Polynomial, scale = 1): Polynomial {
    const [a, b] = [this.denominator, other.denominator];
    const common = (a / gcd(a, b)) * b;
    const terms = new Map<string, number>();
    for (const [key, value] of this.terms) terms.set(key, value * (common / a));
    for (const [key, value] of other.terms) accumulate(terms, key, scale * value * (common / b));
    return Polynomial.of(terms, common);
  }

  subtract(other: Polynomial): Polynomial {
    return this.add(other, -1);
  }

  multiply(other: Polynomial): Polynomial {
    const terms = new Map<string, number>();
    for (const [a, x] of this.terms)
      for (const [b, y] of other.terms) accumulate(terms, product(a, b), x * y);
    return Polynomial.of(terms, this.denominator * other.denominator);
  }

  power(exponent: number): Polynomial {
    let result = Polynomial.constant(1);
    for (let i = 0; i < exponent; i++) result = result.multiply(this);
    return result;
  }

  /** The exact quotient by a single term, or by what it is equal to; undefined for other divisors and for zero. */
  divide(other: Polynomial): Polynomial | undefined {
    if (other.terms.size === 0) return undefined;
    if (other.terms.size > 1) return this.equals(other) ? Polynomial.constant(1) : undefined;
    const [[key, coefficient]] = [...other.terms];
    const inverse = monomial(new Map(factors(key).map((f) => [f.name, -f.power])));
    const terms = new Map<string, number>();
    for (const [own, value] of this.terms)
      accumulate(terms, product(own, inverse), value * other.denominator);
    return Polynomial.of(terms, this.denominator * coefficient);
  }

  /**
   * Whether no integers make this one: the numerators of all but the constant share a factor with the denominator that
   * the constant does not have ((2 C + 1) / 2 is never an integer).
   */
  get fractional(): boolean {
    const constant = this.terms.get('') ?? 0;
    let common = this.denominator;
    for (const [key, value] of this.terms) {
      if (key === '') continue;
      if (factors(key).some((f) => f.power < 0)) return false;
      common = gcd(common, value);
    }
    return common > 1 && constant % common !== 0;
  }

  equals(other: Polynomial): boolean {
    if (this === other) return true;
    if (this.terms.size !== other.terms.size || this.denominator !== other.denominator) return false;
    for (const [key, value] of this.terms) if (other.terms.get(key) !== value) return false;
    return true;
  }

  /**
   * The sign it has whatever its variables are, where that can be told: 1 or -1 where all terms have one sign and
   * positive variables, 0 for zero itself, undefined otherwise.
   */
  sign(positive: Positive): -1 | 0 | 1 | undefined {
    let sign: -1 | 0 | 1 = 0;
    for (const [key, value] of this.terms) {
      const own = value > 0 ? 1 : -1;
      if (sign === -own || !factors(key).every((f) => positive(f.name))) return undefined;
      sign = own;
    }
    return sign;
  }

  /**
   * Whether two dimensions are equal for all values of their variables, for none, or that depends on the values (or
   * cannot be told): then it is settled when there are numbers.
   */
  compare(other: Polynomial, positive: Positive): 'equal' | 'different' | 'unknown' {
    if (this.equals(other)) return 'equal';
    const difference = this.subtract(other);
    const sign = difference.sign(positive);
    if (sign !== undefined) return sign === 0 ? 'equal' : 'different';
    // 2 C = 2 D + 1 has no solution in integers.
    const constant = difference.terms.get('') ?? 0;
    let common = 0;
    for (const [key, value] of difference.terms) {
      if (key === '') continue;
      if (factors(key).some((f) => f.power < 0)) return 'unknown';
      common = gcd(common, value);
    }
    return constant % common === 0 ? 'unknown' : 'different';
  }

  /**
   * The value of `name` for which this polynomial equals `target`: defined when `name` is the only variable and
   * occurs with one power, and the root is a positive integer.
   */
  solve(name: string, target: number): number | undefined {
    let constant = 0;
    let slope = 0;
    let degree = 0;
    for (const [key, coefficient] of this.terms) {
      if (key === '') {
        constant = coefficient;
        continue;
      }
      const [factor, ...others] = factors(key);
      if (factor.name !== name || others.length > 0 || degree !== 0) return undefined;
      slope = coefficient;
      degree = factor.power;
    }
    if (degree === 0) return undefined;
    const numerator = target * this.denominator - constant;
    const quotient = degree > 0 ? numerator / slope : slope / numerator;
    const order = Math.abs(degree);
    const root = order === 1 ? quotient : Math.round(quotient ** (1 / order));
    return Number.isSafeInteger(root) && root > 0 && root ** order === quotient ? root : undefined;
  }

  /** The polynomial that `name` has to be for this one to equal `target`, where it occurs once and to the first power. */
  isolate(name: string, target: Polynomial): Polynomial | undefined {
    let rest = target;
    let slope: Polynomial | undefined;
    for (const [key, value] of this.terms) {
      const parts = factors(key);
      const own = parts.find((f) => f.name === name);
      const coefficient = new Polynomial(new Map([[key, value]]), this.denominator);
      if (!own) rest = rest.subtract(coefficient);
      else if (own.power !== 1 || slope) return undefined;
      else slope = coefficient.divide(Polynomial.variable(name));
    }
    return slope && rest.divide(slope);
  }

  toString(): string {
    if (this.terms.size === 0) return '0';
    const terms = [...this.terms].sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1));
    const single = terms.length === 1;
    const body = terms
      .map(([key, coefficient], i) => {
        const text = show(key, Math.abs(coefficient), single ? this.denominator : 1);
        if (i === 0) return coefficient < 0 ? `-${text}` : text;
        return coefficient < 0 ? ` - ${text}` : ` + ${text}`;
      })
      .join('');
    return single || this.denominator === 1 ? body : `(${body}) / ${this.denominator}`;
  }
}

function show(key: string, coefficient: number, denominator: number): string {
  const text = ({ name, power: n }: Factor) => (Math.abs(n) === 1 ? name : `${name}^${Math.abs(n)}`);
  const parts = factors(key);
  const above = parts.filter((f) => f.power > 0).map(text);
  const below = parts.filter((f) => f.power < 0).map(text);
  if (coefficient !== 1 || above.length === 0) above.unshift(String(coefficient));
  if (denominator !== 1) below.unshift(String(denominator));
  return [above.join(' * '), ...below].join(' / ');
}

interface Factor {
  readonly name: string;
  readonly power: number;
}

function factors(key: string): Factor[] {
  if (key === '') return [];
  return key.split(times).map((part) => {
    const at = part.indexOf(power);
    return at < 0 ? { name: part, power: 1 } : { name: part.slice(0, at), power: Number(part.slice(at + 1)) };
  });
}

function monomial(powers: ReadonlyMap<string, number>): string {
  return [...powers]
    .filter(([, n]) => n !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, n]) => (n === 1 ? name : `${name}${power}${n}`))
    .join(times);
}

function product(a: string, b: string): string {
  if (a === '') return b;
  if (b === '') return a;
  const powers = new Map<string, number>();
  for (const { name, power: n } of [...factors(a), ...factors(b)])
    powers.set(name, (powers.get(name) ?? 0) + n);
  return monomial(powers);
}

function accumulate(terms: Map<string, number>, key: string, value: number): void {
  const sum = (terms.get(key) ?? 0) + value;
  if (sum === 0) terms.delete(key);
  else terms.set(key, sum);
}

function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
