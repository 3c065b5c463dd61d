/**
 * Entry of the thread that decodes batches ahead; see `prefetch.ts`.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { allocateBatch, fillBatch } from '../data/batches.js';
import { DataFault } from '../data/fault.js';
import { openParts } from '../data/open.js';
import { compileBundle } from '../run/folder.js';
import { ahead, type PrefetchData, type PrefetchReply, type PrefetchRequest } from './prefetch.js';

const { bundle, root, project, leftOut, seed, batch } = workerData as PrefetchData;
const { info } = compileBundle(bundle);
const opened = (await openParts(info, root, { project })).part('train').dataset;
const without = new Set(leftOut);
const dataset = without.size === 0 ? opened : opened.take((row) => !without.has(row));

let next = 0;
let last = -1;
let running = false;

parentPort?.on('message', (request: PrefetchRequest) => {
  if ('from' in request) {
    next = request.from;
    last = next + ahead - 1;
  } else last = Math.max(last, request.taken + ahead);
  if (!running) void work();
});

async function work(): Promise<void> {
  running = true;
  while (next <= last) {
    const step = next++;
    const reply = make(step);
    parentPort?.postMessage(reply, 'arrays' in reply ? buffers(reply) : []);
    // Requests that came meanwhile are read before the next batch.
    await new Promise((resolve) => setImmediate(resolve));
  }
  running = false;
}

function make(step: number): PrefetchReply {
  const arrays = allocateBatch(dataset, batch);
  try {
    return { step, rows: fillBatch(dataset, { seed, step: step - 1, batch }, arrays), arrays };
  } catch (error) {
    if (error instanceof DataFault) return { step, fault: error.message, help: error.help };
    throw error;
  }
}

function buffers({ arrays }: Extract<PrefetchReply, { arrays: unknown }>): ArrayBuffer[] {
  return Object.values(arrays).map(({ data }) => data.buffer as ArrayBuffer);
}
