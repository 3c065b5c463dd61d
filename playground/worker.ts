/**
 * The front end in a worker, so that typing never waits for it: the same compiler and language features as `mmdc` and
 * `mmdc lsp`, over one file in memory.
 *
 * @module
 */
import { renderMarkdown } from '../compiler/docs/markdown.js';
import { completion, hover, offsetAt, Workspace, type Checked } from '../compiler/server/index.js';
import { format, FormatError } from '../grammar/format.js';
import type { CheckResult, CompletionResult, HoverResult, Request, Response, Results } from './protocol.js';
import { modelHtml } from './view.js';

/** Set by the build: the library's modules, name to text. */
declare const LIBRARY: Readonly<Record<string, string>>;

const file = 'spec.mmd';
const workspace = new Workspace({
  read: () => ({ ok: false, reason: 'missing', detail: 'a playground has one file' }),
  readLibrary: (name) => (Object.hasOwn(LIBRARY, name) ? LIBRARY[name] : undefined),
  libraryModules: () => Object.keys(LIBRARY).sort(),
  files: () => [file],
});

function checked(text: string): Checked {
  workspace.change(file, text);
  const result = workspace.checked(file);
  if (!result) throw new Error('the spec could not be read');
  return result;
}

function check(text: string): CheckResult {
  const start = performance.now();
  const { analysis } = checked(text);
  const problems = analysis.diagnostics
    .filter((d) => d.file === file)
    .map((d) => ({
      from: d.range.start,
      to: d.range.end,
      severity: d.severity === 'error' || d.severity === 'warning' ? d.severity : ('info' as const),
      code: d.code,
      message: d.message,
      ...(d.help === undefined ? {} : { help: d.help }),
      fixes: d.fixes
        .filter((fix) => fix.edits.every((edit) => edit.file === file))
        .map(({ title, edits }) => ({
          title,
          edits: edits.map(({ range, text: insert }) => ({ from: range.start, to: range.end, insert })),
        })),
    }));
  const time = performance.now() - start;
  const models = [...analysis.models.values()].map((model) => ({
    name: model.info.name,
    html: modelHtml(model),
  }));
  return { problems, models, time };
}

function hoverAt(text: string, offset: number): HoverResult | null {
  const state = checked(text);
  const found = hover(state, offset);
  if (!found?.range || typeof found.contents !== 'object' || !('value' in found.contents)) return null;
  const [from, to] = [offsetAt(state.lines, found.range.start), offsetAt(state.lines, found.range.end)];
  return { from, to, html: renderMarkdown(found.contents.value).text };
}

function complete(text: string, offset: number): CompletionResult[] {
  return completion(workspace, checked(text), offset).map((item) => ({
    label: item.label,
    ...(item.detail === undefined ? {} : { detail: item.detail }),
    insert: item.textEdit?.newText ?? item.insertText ?? item.label,
    snippet: item.insertTextFormat === 2,
  }));
}

async function formatted(text: string): Promise<string | null> {
  try {
    return await format(text);
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

async function answer(request: Request): Promise<Results[keyof Results]> {
  switch (request.kind) {
    case 'check':
      return check(request.text);
    case 'hover':
      return hoverAt(request.text, request.offset);
    case 'complete':
      return complete(request.text, request.offset);
    case 'format':
      return formatted(request.text);
  }
}

addEventListener('message', (event: MessageEvent<Request>) => {
  const { id } = event.data;
  const reply = (response: Response) => {
    postMessage(response);
  };
  answer(event.data).then(
    (value) => {
      reply({ id, ok: true, value });
    },
    (error: unknown) => {
      reply({ id, ok: false, message: error instanceof Error ? error.message : String(error) });
    },
  );
});
