/**
 * `mmdc watch`: a page of a run, served to this machine alone while the command runs.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, resolve } from 'node:path';
import { isLocked } from '../checkpoint/lock.js';
import { eventsFile, readEvents } from '../run/events.js';
import { compileRun, readRun } from '../run/folder.js';
import { logFile, readLog } from '../run/log.js';
import { note, print } from './output.js';

export interface WatchOptions {
  readonly port: number;
}

/** Prints the page's address and serves it until the process is interrupted. */
export async function watch(dir: string, { port }: WatchOptions): Promise<void> {
  const server = await serve(dir, port);
  print(server.url);
  note('the page is for this machine alone; press Ctrl-C to end');
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, done);
  });
  await server.close();
}

export interface LiveServer {
  /** With the token that every request must bring. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page of the run in `dir` on the loopback interface.
 * @param port 0: any that is free
 */
export async function serve(dir: string, port: number): Promise<LiveServer> {
  const { model } = compileRun(dir);
  const { renderLive, renderLivePart } = await import('../report/index.js');
  const token = randomBytes(16).toString('hex');
  const parameters = model.layout.trainable.map(({ name, shape, size }) => ({ name, shape, count: size }));
  let drawn: { tag: string; html: Promise<string> } | undefined;
  const part = (): { tag: string; html: Promise<string> } => {
    const running = isLocked(dir);
    const tag = `"${createHash('sha256')
      .update(JSON.stringify([running, sizeOf(logFile(dir)), sizeOf(eventsFile(dir))]))
      .digest('hex')
      .slice(0, 32)}"`;
    if (drawn?.tag !== tag) {
      const log = readLog(dir);
      const planned = readRun(dir).steps;
      const done = log.at(-1)?.step ?? 0;
      const state = running
        ? 'The run is going on.'
        : done >= planned
          ? 'The run is finished.'
          : 'The run does not go on now.';
      const html = renderLivePart({
        log,
        steps: { done, planned },
        parameters,
        events: readEvents(dir),
        state,
      });
      drawn = { tag, html };
    }
    return drawn;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, type: string, text: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, {
        'Content-Type': `${type}; charset=utf-8`,
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'no-referrer',
        'X-Content-Type-Options': 'nosniff',
        'Content-Security-Policy': "default-src 'none'",
        ...headers,
      });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    const { port: own } = server.address() as AddressInfo;
    // A page elsewhere whose name was made to resolve to this machine sends its own name here.
    if (![`127.0.0.1:${own}`, `localhost:${own}`].includes(request.headers.host ?? ''))
      return send(403, 'text/plain', 'this address is for this machine alone');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(405, 'text/plain', 'nothing can be changed here', { Allow: 'GET, HEAD' });
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (!sameText(url.searchParams.get('token') ?? '', token))
      return send(403, 'text/plain', 'the address needs the token that `mmdc watch` printed');
    if (url.pathname === '/') {
      const nonce = randomBytes(16).toString('base64');
      const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
      return send(200, 'text/html', renderLive(basename(resolve(dir)), nonce), {
        'Content-Security-Policy': policy,
      });
    }
    if (url.pathname !== '/part') return send(404, 'text/plain', 'there is no such page');
    const { tag, html } = part();
    if (request.headers['if-none-match'] === tag) return send(304, 'text/html', '', { ETag: tag });
    send(200, 'text/html', await html, { ETag: tag });
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      note(`warning: ${error instanceof Error ? error.message : String(error)}`);
      if (!response.headersSent) response.writeHead(500).end();
    });
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?token=${token}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? -1;
}

function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
