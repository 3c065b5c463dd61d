/**
 * Integer polynomials over named dimensions: what a dimension expression in a signature (`P^2 * C`, `H / 2`) means.
 * Division is exact: 2 * (H / 2) is H, and dividing by what does not divide has no value.
 *
 * @module
 */

/** Coefficients by monomial; a monomial is its variables with powers, sorted: `H`, `C*P^2`, `` for the constant. */
export class Polynomial {
  private constructor(readonly terms: ReadonlyMap<string, number>) {}

  static constant(value: number): Polynomial {
    return new Polynomial(value === 0 ? new Map() : new Map([['', value]]));
  }

  static variable(name: string): Polynomial {
    return new Polynomial(new Map([[name, 1]]));
  }

  /** The value, where no variable is left. */
  get value(): number | undefined {
    if (this.terms.size === 0) return 0;
    return this.terms.size === 1 ? this.terms.get('') : undefined;
  }

  /** Variables that occur, sorted. */
  get variables(): string[] {
    const names = new Set<string>();
    for (const key of this.terms.keys()) for (const { name } of factors(key)) names.add(name);
    return [...names].sort();
  }

  add(other: Polynomial, scale = 1): Polynomial {
    const terms = new Map(this.terms);
    for (const [key, coefficient] of other.terms) accumulate(terms, key, scale * coefficient);
    return new Polynomial(terms);
  }

  subtract(other: Polynomial): Polynomial {
    return this.add(other, -1);
  }

  multiply(other: Polynomial): Polynomial {
    const terms = new Map<string, number>();
    for (const [a, x] of this.terms)
      for (const [b, y] of other.terms) accumulate(terms, product(a, b), x * y);
    return new Polynomial(terms);
  }

  power(exponent: number): Polynomial {
    let result = Polynomial.constant(1);
    for (let i = 0; i < exponent; i++) result = result.multiply(this);
    return result;
  }

  /** Exact quotient by a single term, or undefined where a coefficient or a power does not divide. */
  divide(other: Polynomial): Polynomial | undefined {
    if (other.terms.size !== 1) return this.equals(other) ? Polynomial.constant(1) : undefined;
    const [[key, coefficient]] = [...other.terms];
    const terms = new Map<string, number>();
    for (const [own, value] of this.terms) {
      const rest = quotient(own, key);
      if (rest === undefined || value % coefficient !== 0) return undefined;
      terms.set(rest, value / coefficient);
    }
    return new Polynomial(terms);
  }

  equals(other: Polynomial): boolean {
    return (
      this.terms.size === other.terms.size && [...this.terms].every(([k, v]) => other.terms.get(k) === v)
    );
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
    const quotient = (target - constant) / slope;
    const root = degree === 1 ? quotient : Math.round(quotient ** (1 / degree));
    return degree > 0 && Number.isSafeInteger(root) && root > 0 && root ** degree === quotient
      ? root
      : undefined;
  }

  toString(): string {
    if (this.terms.size === 0) return '0';
    return [...this.terms]
      .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1))
      .map(([key, coefficient], i) => {
        const size = Math.abs(coefficient);
        const body =
          key === ''
            ? String(size)
            : size === 1
              ? key.replaceAll('*', ' * ')
              : `${size} * ${key.replaceAll('*', ' * ')}`;
        return i === 0
          ? coefficient < 0
            ? `-${body}`
            : body
          : coefficient < 0
            ? ` - ${body}`
            : ` + ${body}`;
      })
      .join('');
  }
}

interface Factor {
  readonly name: string;
  readonly power: number;
}

function factors(key: string): Factor[] {
  if (key === '') return [];
  return key.split('*').map((part) => {
    const [name, power] = part.split('^');
    return { name, power: power === undefined ? 1 : Number(power) };
  });
}

function monomial(powers: ReadonlyMap<string, number>): string {
  return [...powers]
    .filter(([, power]) => power !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, power]) => (power === 1 ? name : `${name}^${power}`))
    .join('*');
}

function product(a: string, b: string): string {
  if (a === '') return b;
  if (b === '') return a;
  const powers = new Map<string, number>();
  for (const { name, power } of [...factors(a), ...factors(b)])
    powers.set(name, (powers.get(name) ?? 0) + power);
  return monomial(powers);
}

function quotient(a: string, b: string): string | undefined {
  const powers = new Map(factors(a).map((f) => [f.name, f.power]));
  for (const { name, power } of factors(b)) {
    const left = (powers.get(name) ?? 0) - power;
    if (left < 0) return undefined;
    powers.set(name, left);
  }
  return monomial(powers);
}

function accumulate(terms: Map<string, number>, key: string, value: number): void {
  const sum = (terms.get(key) ?? 0) + value;
  if (sum === 0) terms.delete(key);
  else terms.set(key, sum);
}
