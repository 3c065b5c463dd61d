/**
 * Starting a job in a worker thread and following it from the main thread.
 *
 * @module
 */
import { Worker } from 'node:worker_threads';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.js';
import { InputFault, SpecFault } from '../faults.js';
import type { Job, Message, WorkerData } from './protocol.js';

/** A fault of the program that happened in the worker. */
class WorkerFault extends Error {
  constructor(message: string, stack: string) {
    super(message);
    this.stack = stack;
  }
}

export interface JobOptions {
  readonly onMessage: (message: Message) => void;
  /** Called before the promise rejects, with what the job reports about its spec. */
  readonly onDiagnostics?: (diagnostics: readonly Diagnostic[]) => void;
  /** Called at the first SIGINT or SIGTERM; the job ends at its next step. A second signal ends the process at once. */
  readonly onInterrupt?: () => void;
}

/**
 * Runs a job to its end.
 * @returns whether it was interrupted
 * @throws SpecFault, InputFault
 */
export async function runJob(job: Job, options: JobOptions): Promise<{ interrupted: boolean }> {
  const stop = new SharedArrayBuffer(4);
  const data: WorkerData = { job, stop };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: data });
  let interrupted = false;
  const onSignal = (): void => {
    if (interrupted) process.exit(130);
    interrupted = true;
    options.onInterrupt?.();
    Atomics.store(new Int32Array(stop), 0, 1);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let fault: Error | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: Message) => {
        switch (message.kind) {
          case 'diagnostics':
            options.onDiagnostics?.(message.diagnostics);
            fault = new SpecFault(message.diagnostics);
            break;
          case 'input':
            fault = new InputFault(message.message, message.help);
            break;
          case 'internal':
            fault = new WorkerFault(message.message, message.stack);
            break;
          default:
            options.onMessage(message);
        }
      });
      worker.on('error', reject);
      worker.on('exit', (code) =>
        code === 0 ? resolve() : reject(fault ?? new Error(`the worker thread ended with code ${code}`)),
      );
    });
  } finally {
    // After an interrupt the process is about to end, and a second signal still means: at once.
    if (!interrupted) {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    }
  }
  if (fault) throw fault;
  return { interrupted };
}
