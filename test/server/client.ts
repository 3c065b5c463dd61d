/** A client of `mmdc lsp`: the real command in a process of its own, spoken to over its standard streams. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type Diagnostic,
  type InitializeResult,
  type PublishDiagnosticsParams,
} from 'vscode-languageserver-protocol/node.js';
import { root } from '../repository/sources.js';

export const command = [join(root, 'bin', 'mmdc.js'), 'lsp', '--stdio'];

export class Client {
  readonly folder = mkdtempSync(join(tmpdir(), 'mmdc-lsp-'));
  readonly process: ChildProcess;
  readonly connection;
  readonly published: PublishDiagnosticsParams[] = [];
  stderr = '';
  private readonly texts = new Map<string, { version: number; text: string }>();
  private heard = new Set<() => void>();

  constructor(...more: string[]) {
    writeFileSync(join(this.folder, 'mmd.json'), '{}');
    this.process = spawn(process.execPath, [...more, ...command], { cwd: this.folder, stdio: 'pipe' });
    const { stdin, stdout, stderr } = this.process;
    if (!stdin || !stdout || !stderr) throw new Error('the server has no streams');
    stderr.on('data', (data: Buffer) => (this.stderr += String(data)));
    this.connection = createProtocolConnection(
      new StreamMessageReader(stdout),
      new StreamMessageWriter(stdin),
    );
    this.connection.onNotification('textDocument/publishDiagnostics', (params: PublishDiagnosticsParams) => {
      this.published.push(params);
      for (const listener of this.heard) listener();
    });
    this.connection.onRequest('client/registerCapability', () => null);
    this.connection.listen();
  }

  async start(): Promise<InitializeResult> {
    const result: InitializeResult = await this.connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(this.folder).href,
      capabilities: { workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } },
    });
    await this.connection.sendNotification('initialized', {});
    return result;
  }

  uri(name: string): string {
    return pathToFileURL(join(this.folder, name)).href;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  async open(name: string, text: string): Promise<void> {
    this.texts.set(name, { version: 1, text });
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri: this.uri(name), languageId: 'mmdiff', version: 1, text },
    });
  }

  /** Replaces the first occurrence of a text. */
  async edit(name: string, from: string, to: string): Promise<number> {
    const known = this.texts.get(name);
    if (!known) throw new Error(`${name} is not open`);
    const at = known.text.indexOf(from);
    if (at < 0) throw new Error(`there is no ${from} in ${name}`);
    const start = positionIn(known.text, at);
    const end = positionIn(known.text, at + from.length);
    const version = known.version + 1;
    this.texts.set(name, {
      version,
      text: known.text.slice(0, at) + to + known.text.slice(at + from.length),
    });
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: this.uri(name), version },
      contentChanges: [{ range: { start, end }, text: to }],
    });
    return version;
  }

  text(name: string): string {
    return this.texts.get(name)?.text ?? '';
  }

  /** The diagnostics of a document in its newest version. */
  async diagnostics(name: string): Promise<Diagnostic[]> {
    const version = this.texts.get(name)?.version;
    return this.until(() => {
      const found = this.published.findLast((p) => p.uri === this.uri(name));
      return found && (version === undefined || found.version === version) ? found.diagnostics : undefined;
    }, `diagnostics of ${name}`);
  }

  /** Waits for what a published diagnostic makes true. */
  until<T>(found: () => T | undefined, what: string): Promise<T> {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${what} did not come\n${this.stderr}`)), 30_000);
      const look = (): void => {
        const value = found();
        if (value === undefined) return;
        clearTimeout(timer);
        this.heard.delete(look);
        done(value);
      };
      this.heard.add(look);
      look();
    });
  }

  /** A request about the place of `@` in a piece of the document's text. */
  at<R>(method: string, name: string, marked: string, more: object = {}): Promise<R> {
    const text = this.text(name);
    const at = text.indexOf(marked.replace('@', ''));
    if (at < 0) throw new Error(`there is no ${marked} in ${name}`);
    const position = positionIn(text, at + marked.indexOf('@'));
    return this.connection.sendRequest(method, { textDocument: { uri: this.uri(name) }, position, ...more });
  }

  about<R>(method: string, name: string, more: object = {}): Promise<R> {
    return this.connection.sendRequest(method, { textDocument: { uri: this.uri(name) }, ...more });
  }

  /** Ends the server as the protocol says; its exit code. */
  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((done) => this.process.once('exit', done));
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    const status = await ended;
    this.connection.dispose();
    rmSync(this.folder, { recursive: true, force: true });
    return status;
  }
}

export function positionIn(text: string, offset: number): { line: number; character: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length - 1, character: before[before.length - 1].length };
}
