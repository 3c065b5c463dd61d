/**
 * The worker as functions.
 *
 * @module
 */
import type { Request, Response, Results } from './protocol.js';

type Bare = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

export class FrontEnd {
  private readonly worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  private readonly waiting = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: Error) => void }
  >();
  private last = 0;

  constructor() {
    this.worker.addEventListener('message', ({ data }: MessageEvent<Response>) => {
      const entry = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.ok) entry?.resolve(data.value as never);
      else entry?.reject(new Error(data.message));
    });
  }

  ask<R extends Bare>(request: R): Promise<Results[R['kind']]> {
    const id = ++this.last;
    this.worker.postMessage({ ...request, id });
    return new Promise<Results[R['kind']]>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
    });
  }
}
