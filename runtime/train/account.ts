/**
 * What a run sums up between steps. All of it is part of a checkpoint, so that logs, metrics and guards of a resumed
 * run are those of one that was never interrupted.
 *
 * @module
 */
import { toRecord, type LogRecord } from '../run/log.js';
import { freshNorm, nextNorm, type NormState } from './guards.js';

/** Sums over steps. */
interface Sums {
  count: number;
  loss: number;
  terms: number[];
  norm: number;
}

/** Written to a checkpoint; numbers survive JSON exactly. */
export interface AccountJson {
  /** Since the last log record. */
  readonly window: Sums;
  /** Since the last checkpoint of `checkpointEvery`. */
  readonly period: Sums;
  readonly norm: NormState;
  /** Measured, and not in a log record yet. */
  readonly heldOut: Readonly<Record<string, number>> | null;
  /** The last log record, to read. */
  readonly last: LogRecord | null;
}

export class Account {
  private window: Sums;
  private period: Sums;
  private last: LogRecord | null;
  norm: NormState;
  heldOut: Readonly<Record<string, number>> | null;

  constructor(terms: number, from?: AccountJson) {
    this.window = from ? copy(from.window) : zero(terms);
    this.period = from ? copy(from.period) : zero(terms);
    this.norm = from?.norm ?? freshNorm;
    this.heldOut = from?.heldOut ?? null;
    this.last = from?.last ?? null;
  }

  /** @param factor,floor see {@link nextNorm} */
  add(loss: number, terms: ArrayLike<number>, norm: number, factor: number, floor: number): void {
    for (const sums of [this.window, this.period]) {
      sums.count++;
      sums.loss += loss;
      sums.norm += norm;
      for (let i = 0; i < sums.terms.length; i++) sums.terms[i] += terms[i];
    }
    this.norm = nextNorm(this.norm, norm, factor, floor);
  }

  /** The record of the steps since the last one. */
  flush(step: number, names: readonly string[], rate: number, seconds: number): LogRecord {
    const { window } = this;
    const k = window.count;
    const record = toRecord(
      step,
      window.loss / k,
      names,
      window.terms.map((term) => term / k),
      {
        rate,
        grad_norm: window.norm / k,
        seconds: Math.round(seconds * 1000) / 1000,
        ...(this.heldOut ? { held_out: this.heldOut } : {}),
      },
    );
    this.window = zero(names.length);
    this.heldOut = null;
    this.last = record;
    return record;
  }

  /** Means since the last call, by name, with what was last measured over held-out rows; a new period begins. */
  metrics(names: readonly string[]): Record<string, number> {
    const { period, last } = this;
    const k = period.count;
    const heldOut = this.heldOut ?? last?.held_out ?? {};
    this.period = zero(names.length);
    return {
      loss: period.loss / k,
      ...Object.fromEntries(names.map((name, i) => [name, period.terms[i] / k])),
      ...Object.fromEntries(Object.entries(heldOut).map(([name, value]) => [`held_out.${name}`, value])),
    };
  }

  toJson(): AccountJson {
    const { window, period, norm, heldOut, last } = this;
    return { window: copy(window), period: copy(period), norm, heldOut, last };
  }
}

function zero(terms: number): Sums {
  return { count: 0, loss: 0, terms: new Array<number>(terms).fill(0), norm: 0 };
}

function copy(sums: Sums): Sums {
  return { ...sums, terms: [...sums.terms] };
}
