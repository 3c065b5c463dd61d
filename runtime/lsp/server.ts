/**
 * `mmdc lsp`: the language server's connection. What it answers is in `compiler/server`; here are messages, files, and
 * the order in which things are done. One document is analysed at a time, a model at a step, so that edits and
 * cancellations are heard in between; a request waits until the document is in the state it needs.
 *
 * @module
 */
import { TextDocument } from 'vscode-languageserver-textdocument';
import {
  createConnection,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  TextDocuments,
  TextDocumentSyncKind,
  type CancellationToken,
  type Connection,
  type InitializeResult,
} from 'vscode-languageserver/node.js';
import * as features from '../../compiler/server/index.js';
import type { Checked, LensData, Parsed } from '../../compiler/server/index.js';
import { format, FormatError } from '../../grammar/index.js';
import { version } from '../version.js';
import { Projects, type Located } from './projects.js';

/** The longest that analysis goes on before messages are heard again, in milliseconds. */
const slice = 8;

const capabilities: InitializeResult['capabilities'] = {
  textDocumentSync: {
    openClose: true,
    change: TextDocumentSyncKind.Incremental,
    save: { includeText: false },
  },
  hoverProvider: true,
  completionProvider: {
    triggerCharacters: ['|', '>', ' ', '{', ':', ',', '(', '"', '/', '.'].filter((c) => c !== ' '),
  },
  signatureHelpProvider: { triggerCharacters: ['(', ','], retriggerCharacters: [','] },
  definitionProvider: true,
  referencesProvider: true,
  documentHighlightProvider: true,
  renameProvider: { prepareProvider: true },
  documentSymbolProvider: true,
  workspaceSymbolProvider: true,
  foldingRangeProvider: true,
  selectionRangeProvider: true,
  inlayHintProvider: true,
  documentFormattingProvider: true,
  documentRangeFormattingProvider: true,
  codeActionProvider: { codeActionKinds: ['quickfix', 'source.fixAll'] },
  codeLensProvider: { resolveProvider: true },
  semanticTokensProvider: {
    legend: { tokenTypes: [...features.tokenTypes], tokenModifiers: [...features.tokenModifiers] },
    full: true,
    range: true,
  },
};

/** Serves the editor at the other end of the streams until it says that it is done. */
export function serve(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): void {
  const connection = createConnection(input, output);
  new Server(connection).listen();
}

class Server {
  private readonly projects = new Projects();
  private readonly documents = new TextDocuments(TextDocument);
  private readonly checks = new Map<string, Promise<Checked | undefined>>();
  /** Documents whose problems are to be told. */
  private readonly waiting = new Set<string>();
  private telling = false;
  /** Files that have problems shown because a document imports them, by the document. */
  private readonly shownElsewhere = new Map<string, Set<string>>();

  constructor(private readonly connection: Connection) {}

  listen(): void {
    const { connection, documents } = this;
    let watches = false;
    connection.onInitialize((params): InitializeResult => {
      watches = params.capabilities.workspace?.didChangeWatchedFiles?.dynamicRegistration ?? false;
      return { capabilities, serverInfo: { name: 'mmdc', version: version() } };
    });
    connection.onInitialized(() => {
      if (watches)
        void connection.client.register(DidChangeWatchedFilesNotification.type, {
          watchers: [{ globPattern: '**/*.mmd' }],
        });
    });
    documents.onDidOpen(({ document }) => this.projects.opened(document.uri));
    documents.onDidChangeContent(({ document }) => {
      const { workspace, file } = this.projects.locate(document.uri);
      workspace.change(file, document.getText());
      this.tell(document.uri);
      for (const other of workspace.dependents(file)) this.tell(this.projects.uri(workspace, other));
    });
    documents.onDidClose(({ document }) => {
      const { workspace, file } = this.projects.locate(document.uri);
      const dependents = workspace.dependents(file);
      workspace.close(file);
      this.waiting.delete(document.uri);
      void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
      this.forgetElsewhere(document.uri);
      for (const other of dependents) this.tell(this.projects.uri(workspace, other));
      this.projects.closed(document.uri);
    });
    connection.onDidChangeWatchedFiles(({ changes }) => {
      this.projects.listsChanged();
      for (const { uri } of changes) {
        const { workspace, file } = this.projects.locate(uri);
        if (workspace.isOpen(file)) continue;
        const dependents = workspace.dependents(file);
        workspace.touched(file);
        for (const other of dependents) this.tell(this.projects.uri(workspace, other));
      }
    });
    this.requests();
    documents.listen(connection);
    connection.listen();
  }

  // ---- states

  /** The document, checked as it stands when the analysis is done. Requests for the same document share one analysis. */
  private checked(at: Located): Promise<Checked | undefined> {
    let running = this.checks.get(at.uri);
    if (!running) {
      running = this.check(at).finally(() => this.checks.delete(at.uri));
      this.checks.set(at.uri, running);
    }
    return running;
  }

  private async check({ workspace, file }: Located): Promise<Checked | undefined> {
    for (;;) {
      await breath();
      if (workspace.text(file) === undefined) return undefined;
      const steps = workspace.check(file);
      let since = performance.now();
      let step = steps.next();
      while (!step.done) {
        if (performance.now() - since > slice) {
          await breath();
          since = performance.now();
        }
        step = steps.next();
      }
      if (step.value) return step.value;
      // It was edited meanwhile: again, with what it is now.
    }
  }

  // ---- diagnostics

  private tell(uri: string): void {
    this.waiting.add(uri);
    if (this.telling) return;
    this.telling = true;
    void this.tellAll().finally(() => {
      this.telling = false;
    });
  }

  private async tellAll(): Promise<void> {
    for (const uri of this.waiting) {
      await breath();
      this.waiting.delete(uri);
      const at = this.projects.locate(uri);
      if (!at.workspace.isOpen(at.file)) continue;
      try {
        const checked = await this.checked(at);
        if (checked && !this.waiting.has(uri)) this.show(at, checked);
      } catch (error) {
        this.connection.console.error(
          `mmdc: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }
    }
  }

  private show({ uri, workspace, file }: Located, checked: Checked): void {
    const toUri = (name: string): string => this.projects.uri(workspace, name);
    const before = this.shownElsewhere.get(uri) ?? new Set<string>();
    const now = new Set<string>();
    for (const [name, diagnostics] of features.diagnosticsOf(checked, toUri)) {
      const own = name === file;
      // What is open tells of its own problems.
      if (!own && workspace.isOpen(name)) continue;
      const other = toUri(name);
      if (!own && diagnostics.length === 0 && !before.has(other)) continue;
      if (!own && diagnostics.length > 0) now.add(other);
      const number = own ? this.documents.get(uri)?.version : undefined;
      void this.connection.sendDiagnostics({
        uri: own ? uri : other,
        diagnostics,
        ...(number !== undefined && { version: number }),
      });
      before.delete(other);
    }
    for (const other of before) void this.connection.sendDiagnostics({ uri: other, diagnostics: [] });
    this.shownElsewhere.set(uri, now);
  }

  private forgetElsewhere(uri: string): void {
    for (const other of this.shownElsewhere.get(uri) ?? [])
      void this.connection.sendDiagnostics({ uri: other, diagnostics: [] });
    this.shownElsewhere.delete(uri);
  }

  // ---- requests

  private requests(): void {
    const { connection, projects } = this;
    const position = <
      P extends { textDocument: { uri: string }; position: { line: number; character: number } },
      R,
    >(
      answer: (checked: Checked, offset: number, at: Located, params: P) => R,
    ) =>
      this.needsChecked<P, R>((checked, at, params) =>
        answer(checked, features.offsetAt(checked.lines, params.position), at, params),
      );
    const uri =
      ({ workspace }: Located) =>
      (file: string): string =>
        projects.uri(workspace, file);
    const located =
      (at: Located) =>
      ({ file, range }: features.FileLocation) => ({ uri: uri(at)(file), range });

    connection.onHover(position((checked, offset) => features.hover(checked, offset) ?? null));
    connection.onCompletion(
      position((checked, offset, { workspace }) => features.completion(workspace, checked, offset)),
    );
    connection.onSignatureHelp(
      position((checked, offset) => features.signatureHelp(checked, offset) ?? null),
    );
    connection.onDefinition(
      position((checked, offset, at) => {
        const found = features.definition(checked, offset);
        return found ? located(at)(found) : null;
      }),
    );
    connection.onReferences(
      position(
        (
          checked,
          offset,
          at,
          {
            context,
          }: {
            textDocument: { uri: string };
            position: { line: number; character: number };
            context: { includeDeclaration: boolean };
          },
        ) => features.references(at.workspace, checked, offset, context.includeDeclaration).map(located(at)),
      ),
    );
    connection.onDocumentHighlight(
      position((checked, offset, { workspace, file }) =>
        features
          .references(workspace, checked, offset)
          .filter((found) => found.file === file)
          .map(({ range }) => ({ range })),
      ),
    );
    connection.onPrepareRename(
      position((checked, offset) =>
        refusing(() => features.rangeAt(checked.lines, features.renamable(checked, offset).range)),
      ),
    );
    connection.onRenameRequest(
      position(
        (
          checked,
          offset,
          at,
          {
            newName,
          }: {
            textDocument: { uri: string };
            position: { line: number; character: number };
            newName: string;
          },
        ) =>
          refusing(() => {
            const edits = features.rename(at.workspace, checked, offset, newName);
            return { changes: Object.fromEntries([...edits].map(([file, list]) => [uri(at)(file), list])) };
          }),
      ),
    );
    connection.onDocumentSymbol(this.needsParsed((parsed) => features.documentSymbols(parsed)));
    connection.onFoldingRanges(this.needsParsed((parsed) => features.foldingRanges(parsed)));
    connection.onSelectionRanges(
      this.needsParsed((parsed, _at, params) => features.selectionRanges(parsed, params.positions)),
    );
    connection.onWorkspaceSymbol(({ query }) =>
      projects.workspaces.flatMap((workspace) =>
        features.workspaceSymbols(workspace, query).map(({ name, kind, file, range }) => ({
          name,
          kind,
          location: { uri: projects.uri(workspace, file), range },
        })),
      ),
    );
    connection.languages.inlayHint.on(
      this.needsChecked((checked, _at, { range }) =>
        features.inlayHints(checked, {
          start: features.offsetAt(checked.lines, range.start),
          end: features.offsetAt(checked.lines, range.end),
        }),
      ),
    );
    connection.languages.semanticTokens.on(this.needsChecked((checked) => features.semanticTokens(checked)));
    connection.languages.semanticTokens.onRange(
      this.needsChecked((checked, _at, { range }) =>
        features.semanticTokens(checked, {
          start: features.offsetAt(checked.lines, range.start),
          end: features.offsetAt(checked.lines, range.end),
        }),
      ),
    );
    connection.onCodeAction(
      this.needsChecked((checked, at, { range }) => features.codeActions(checked, range, uri(at))),
    );
    connection.onCodeLens(
      this.needsChecked((checked, at) =>
        features
          .codeLenses(checked)
          .map((lens) => ({ ...lens, data: { ...(lens.data as LensData), uri: at.uri } })),
      ),
    );
    connection.onCodeLensResolve(async (lens, token) => {
      const data = lens.data as LensData & { readonly uri: string };
      const checked = await this.checked(projects.locate(data.uri));
      refuseCancelled(token);
      return {
        ...lens,
        command: { title: (checked && features.lensText(checked, data)) ?? '', command: '' },
      };
    });
    connection.onDocumentFormatting(this.needsParsed((parsed) => edited(parsed)));
    connection.onDocumentRangeFormatting(
      this.needsParsed((parsed, _at, { range }) =>
        edited(parsed, {
          start: features.offsetAt(parsed.lines, range.start),
          end: features.offsetAt(parsed.lines, range.end),
        }),
      ),
    );
  }

  /** A handler that needs the tree of its document, and waits for nothing else. */
  private needsParsed<P extends { textDocument: { uri: string } }, R>(
    answer: (parsed: Parsed, at: Located, params: P) => R | Promise<R>,
  ): (params: P, token: CancellationToken) => Promise<R | null> {
    return async (params, token) => {
      await breath();
      refuseCancelled(token);
      const at = this.projects.locate(params.textDocument.uri);
      const parsed = at.workspace.parsed(at.file);
      return parsed ? await answer(parsed, at, params) : null;
    };
  }

  /** A handler that needs its document checked. */
  private needsChecked<P extends { textDocument: { uri: string } }, R>(
    answer: (checked: Checked, at: Located, params: P) => R,
  ): (params: P, token: CancellationToken) => Promise<R> {
    return async (params, token) => {
      await breath();
      refuseCancelled(token);
      const at = this.projects.locate(params.textDocument.uri);
      const checked = await this.checked(at);
      refuseCancelled(token);
      if (!checked)
        throw new ResponseError(ErrorCodes.InvalidParams, `there is no document ${params.textDocument.uri}`);
      return answer(checked, at, params);
    };
  }
}

/** Lets messages that have arrived be read. */
const breath = (): Promise<void> => new Promise((done) => setImmediate(done));

function refuseCancelled(token: CancellationToken): void {
  if (token.isCancellationRequested)
    throw new ResponseError(LSPErrorCodes.RequestCancelled, 'the request was cancelled');
}

/** A refusal of a rename is told to the user in its own words. */
function refusing<R>(make: () => R): R {
  try {
    return make();
  } catch (error) {
    if (error instanceof features.RenameRefused)
      throw new ResponseError(LSPErrorCodes.RequestFailed, error.message);
    throw error;
  }
}

/** The edits that format a document; none where it cannot be read, since its errors are shown already. */
async function edited({ text }: Parsed, range?: { readonly start: number; readonly end: number }) {
  try {
    const formatted = await format(text, { endOfLine: 'auto', ...(range && { range }) });
    return features.editsBetween(text, formatted);
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}
