/**
 * Batches that are decoded ahead in a thread of their own, for data that are decoded when they are read. Which rows a step
 * has is a function of seed and step, so what comes is the same as without the thread.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import type { BatchArray } from '../data/batches.js';
import type { BatchSource } from '../train/feeds.js';
import { InputFault } from '../faults.js';
import type { Bundle } from '../run/folder.js';

/** What the thread has to open. */
export interface PrefetchData {
  readonly bundle: Bundle;
  readonly root: string | undefined;
  /** Folder of the spec's project. */
  readonly project: string;
  /** Training rows that are left out because they are rows for evaluation too. */
  readonly leftOut: readonly number[];
  readonly seed: number;
  readonly batch: number;
}

/** Batches that the thread keeps ready: memory is bounded by as many. */
export const ahead = 3;

export type PrefetchRequest = { readonly from: number } | { readonly taken: number };

export type PrefetchReply =
  | {
      readonly step: number;
      readonly rows: Int32Array;
      readonly arrays: Readonly<Record<string, BatchArray>>;
    }
  | { readonly step: number; readonly fault: string; readonly help: string | undefined };

export class Prefetch implements BatchSource {
  private readonly worker: Worker;
  private readonly ready = new Map<number, PrefetchReply>();
  private next: number | undefined;
  private waiting: { step: number; resolve: (reply: PrefetchReply) => void } | undefined;
  private broken: Error | undefined;
  private fail: ((error: Error) => void) | undefined;

  constructor(data: PrefetchData) {
    this.worker = new Worker(new URL('./reader.js', import.meta.url), { workerData: data });
    this.worker.on('message', (reply: PrefetchReply) => {
      if (this.waiting?.step === reply.step) {
        const { resolve } = this.waiting;
        this.waiting = undefined;
        resolve(reply);
      } else this.ready.set(reply.step, reply);
    });
    this.worker.on('error', (error: unknown) => {
      this.broken = error instanceof Error ? error : new Error(String(error));
      this.fail?.(this.broken);
    });
  }

  /** @throws InputFault for rows that cannot be decoded */
  async fill(step: number, into: Readonly<Record<string, BatchArray>>): Promise<Int32Array> {
    if (this.broken) throw this.broken;
    if (step !== this.next) {
      this.ready.clear();
      this.ask({ from: step });
    }
    this.next = step + 1;
    const reply = this.ready.get(step) ?? (await this.wait(step));
    this.ready.delete(step);
    if ('fault' in reply) throw new InputFault(reply.fault, reply.help);
    this.ask({ taken: step });
    for (const [name, { data }] of Object.entries(reply.arrays)) into[name].data.set(data);
    return reply.rows;
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private ask(request: PrefetchRequest): void {
    this.worker.postMessage(request);
  }

  private wait(step: number): Promise<PrefetchReply> {
    return new Promise((resolve, reject) => {
      this.waiting = { step, resolve };
      this.fail = reject;
    });
  }
}
