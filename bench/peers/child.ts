/**
 * A process that answers requests, one JSON object a line.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Replies {
  readonly seconds: number;
  readonly session?: number;
  readonly values: readonly number[];
  readonly times: readonly number[];
  readonly version: string;
  readonly bytes: number;
  readonly rate: number;
  readonly result: readonly number[];
}

export class Child {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private closed = '';

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    this.process.on('error', (error) => (this.closed = error.message));
    const { stdout } = this.process;
    if (!stdout) throw new Error(`${command} has no output`);
    this.lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async ask(what: string, details: Readonly<Record<string, unknown>> = {}): Promise<Replies> {
    this.process.stdin?.write(`${JSON.stringify({ do: what, ...details })}\n`);
    const { value, done } = await this.lines.next();
    if (done)
      throw new Error(`a process of the benchmark ended while it was asked to ${what} ${this.closed}`);
    return JSON.parse(value as string) as Replies;
  }

  end(): void {
    this.process.stdin?.end();
  }
}
