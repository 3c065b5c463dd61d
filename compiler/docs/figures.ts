/**
 * Numbers, times and counts as people read them.
 *
 * @module
 */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const MINUS = '\u2212';

/** Four significant digits; powers of ten outside 0.001 .. 1e6. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return 'not a number';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  if (value === 0) return '0';
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : '';
  if (Number.isInteger(value) && size < 1e6) return sign + grouped.format(size);
  if (size >= 1e6 || size < 1e-3) {
    const [mantissa, exponent] = size.toExponential(3).split('e');
    return `${sign}${Number(mantissa)} × 10${superscript(Number(exponent))}`;
  }
  return sign + String(Number(size.toPrecision(4)));
}

/** 12,345,678 */
export function count(value: number): string {
  return grouped.format(value);
}

/** 1.2 M, 345 k */
export function roughly(value: number): string {
  for (const [unit, name] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (value >= unit) return `${Number((value / unit).toPrecision(3))} ${name}`;
  }
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
}

/** "2 h 05 min", "3 min 20 s", "4.2 s" */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours} h ${two(minutes)} min` : `${minutes} min ${two(whole % 60)} s`;
}

/** "2026-03-01 14:05 UTC"; what is not a time stays as it is. */
export function moment(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function superscript(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(d)]).join('');
  return exponent < 0 ? `⁻${digits}` : digits;
}
