/**
 * The extension: finds `mmdc`, starts `mmdc lsp`, and restarts it on demand.
 *
 * The server is, in this order: the command of the setting `mmdiff.server.command`; the `mmdc` that the workspace has
 * installed; `mmdiff` on the path, the second name of the same program, because `mmdc` may be Mermaid's.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { commands, window, workspace } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';

/** @type {LanguageClient | undefined} */
let client;

/** How the server is started. */
export function serverOptions(command, folders) {
  if (command.length > 0) return { command: command[0], args: [...command.slice(1), 'lsp', '--stdio'] };
  for (const folder of folders) {
    const module = join(folder, 'node_modules', 'mmdc', 'bin', 'mmdc.js');
    if (existsSync(module)) return { module, args: ['lsp'], transport: TransportKind.stdio };
  }
  const windows = process.platform === 'win32';
  return {
    command: windows ? 'mmdiff.cmd' : 'mmdiff',
    args: ['lsp', '--stdio'],
    options: { shell: windows },
  };
}

async function start() {
  const command = workspace.getConfiguration('mmdiff').get('server.command') ?? [];
  const folders = (workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  client = new LanguageClient('mmdiff', 'mmdc', serverOptions(command, folders), {
    documentSelector: [{ language: 'mmdiff' }],
  });
  try {
    await client.start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    void window.showErrorMessage(
      `mmdc could not be started: ${reason}. Install it in the workspace (npm i -D mmdc) or set mmdiff.server.command.`,
    );
  }
}

export async function activate(context) {
  context.subscriptions.push(
    commands.registerCommand('mmdiff.restart', async () => {
      await client?.dispose();
      await start();
    }),
    { dispose: () => client?.dispose() },
  );
  await start();
}

export async function deactivate() {
  await client?.dispose();
}
