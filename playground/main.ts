/**
 * The page: an editor on the left, the model on the right.
 *
 * @module
 */
import {
  autocompletion,
  snippet,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete';
import { setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, hoverTooltip } from '@codemirror/view';
import { basicSetup } from 'codemirror';
import { FrontEnd } from './client.js';
import { highlighting } from './highlighting.js';
import { fromFragment, toFragment } from './link.js';
import type { CheckResult, Problem } from './protocol.js';

/** Set by the build: the examples, name to text. */
declare const EXAMPLES: Readonly<Record<string, string>>;

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const examples = byId<HTMLSelectElement>('examples');
const models = byId<HTMLSelectElement>('models');
const view = byId('view');
const state = byId('state');
const problems = byId('problems');
const frontEnd = new FrontEnd();

/** The view of the last spec without errors stays while a new one is being written. */
let shown: CheckResult['models'] = [];
let checking = false;
let timer: ReturnType<typeof setTimeout> | undefined;
/** What the checked text was; the page says so, for whoever waits for it. */
let settled: string | undefined;

const editor = new EditorView({
  parent: byId('editor'),
  state: EditorState.create({
    doc: '',
    extensions: [
      basicSetup,
      highlighting,
      EditorView.contentAttributes.of({ 'aria-label': 'Spec', tabindex: '0' }),
      EditorView.lineWrapping,
      autocompletion({ override: [complete] }),
      hoverTooltip(hover, { hoverTime: 250 }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) schedule(150);
      }),
    ],
  }),
});

function text(): string {
  return editor.state.doc.toString();
}

function schedule(delay: number): void {
  document.body.dataset.checked = 'no';
  clearTimeout(timer);
  timer = setTimeout(() => void check(), delay);
}

/** Checks what is there now. One check runs at a time; what was typed meanwhile is checked after it. */
async function check(): Promise<void> {
  if (checking) return;
  checking = true;
  const asked = text();
  try {
    const result = await frontEnd.ask({ kind: 'check', text: asked });
    if (text() === asked) show(result, asked);
  } catch (error) {
    say(`The front end failed: ${String(error)}`);
  } finally {
    checking = false;
    if (text() !== asked) schedule(0);
  }
}

function show(result: CheckResult, asked: string): void {
  editor.dispatch(setDiagnostics(editor.state, result.problems.map(diagnostic)));
  problems.replaceChildren(...result.problems.slice(0, 100).map(problemItem));
  problems.hidden = result.problems.length === 0;
  const errors = result.problems.filter((p) => p.severity === 'error').length;
  const warnings = result.problems.filter((p) => p.severity === 'warning').length;
  const counted = [
    ...(errors > 0 ? [`${errors} error${errors === 1 ? '' : 's'}`] : []),
    ...(warnings > 0 ? [`${warnings} warning${warnings === 1 ? '' : 's'}`] : []),
  ];
  say(
    `${counted.length === 0 ? 'No problems' : counted.join(', ')}, checked in ${Math.max(1, Math.round(result.time))} ms`,
  );
  state.dataset.kind = errors > 0 ? 'error' : warnings > 0 ? 'warning' : 'fine';
  if (result.models.length > 0) {
    const before = models.value;
    shown = result.models;
    models.replaceChildren(...shown.map(({ name }) => new Option(name, name)));
    models.value = shown.some(({ name }) => name === before) ? before : shown[0].name;
    models.parentElement!.hidden = shown.length < 2;
    showModel();
  }
  view.classList.toggle('old', result.models.length === 0);
  settled = asked;
  document.body.dataset.checked = settled === text() ? 'yes' : 'no';
}

function showModel(): void {
  const model = shown.find(({ name }) => name === models.value);
  byId('title').textContent = model?.name ?? '';
  // Templates of the compiler escape what comes from the spec, and the page's policy lets no script but its own run.
  byId('content').innerHTML = model?.html ?? '';
}

function say(message: string): void {
  state.textContent = message;
}

function diagnostic(problem: Problem): Diagnostic {
  const length = editor.state.doc.length;
  return {
    from: Math.min(problem.from, length),
    to: Math.min(Math.max(problem.to, problem.from), length),
    severity: problem.severity,
    source: problem.code,
    message: problem.help === undefined ? problem.message : `${problem.message}\nhelp: ${problem.help}`,
    actions: problem.fixes.map((fix) => ({
      name: fix.title,
      apply: (target) => {
        target.dispatch({ changes: [...fix.edits] });
      },
    })),
  };
}

function problemItem(problem: Problem): HTMLElement {
  const item = document.createElement('li');
  const button = document.createElement('button');
  const line = editor.state.doc.lineAt(Math.min(problem.from, editor.state.doc.length));
  const where = document.createElement('span');
  where.className = 'where';
  where.textContent = `${line.number}:${problem.from - line.from + 1}`;
  const code = document.createElement('code');
  code.textContent = problem.code;
  button.className = problem.severity;
  button.append(where, code, problem.message);
  button.addEventListener('click', () => {
    const at = Math.min(problem.from, editor.state.doc.length);
    editor.dispatch({ selection: { anchor: at }, scrollIntoView: true });
    editor.focus();
  });
  item.append(button);
  return item;
}

async function hover(_: EditorView, offset: number) {
  const found = await frontEnd.ask({ kind: 'hover', text: text(), offset }).catch(() => null);
  if (!found) return null;
  return {
    pos: found.from,
    end: found.to,
    above: true,
    create: () => {
      const dom = document.createElement('div');
      dom.className = 'hover';
      dom.innerHTML = found.html;
      return { dom };
    },
  };
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const word = context.matchBefore(/\w*/);
  if (!context.explicit && (word === null || word.from === word.to)) return null;
  const found = await frontEnd
    .ask({ kind: 'complete', text: context.state.doc.toString(), offset: context.pos })
    .catch(() => []);
  return {
    from: word?.from ?? context.pos,
    validFor: /^\w*$/,
    options: found.map(({ label, detail, insert, snippet: fields }) => ({
      label,
      ...(detail === undefined ? {} : { detail }),
      apply: fields ? snippet(insert.replace(/\$(\d+)/g, (_all, n: string) => `\${${n}}`)) : insert,
    })),
  };
}

function load(spec: string): void {
  editor.dispatch({
    changes: { from: 0, to: editor.state.doc.length, insert: spec },
    selection: { anchor: 0 },
  });
  schedule(0);
}

async function formatSpec(): Promise<void> {
  const asked = text();
  const formatted = await frontEnd.ask({ kind: 'format', text: asked });
  if (formatted === null) return say('A spec with syntax errors is not formatted');
  if (text() !== asked || formatted === asked) return say('Formatted');
  const at = Math.min(editor.state.selection.main.head, formatted.length);
  editor.dispatch({ changes: { from: 0, to: asked.length, insert: formatted }, selection: { anchor: at } });
}

async function copyLink(): Promise<void> {
  history.replaceState(null, '', toFragment(text()));
  try {
    await navigator.clipboard.writeText(location.href);
    say('The link is copied');
  } catch {
    say('The link is in the address bar');
  }
}

function fromAddress(): boolean {
  const spec = fromFragment(location.hash);
  if (spec === null) say('The link is damaged: it holds no spec');
  if (typeof spec !== 'string') return false;
  examples.value = '';
  load(spec);
  return true;
}

for (const name of Object.keys(EXAMPLES)) examples.append(new Option(name, name));
examples.addEventListener('change', () => {
  if (examples.value === '') return;
  history.replaceState(null, '', location.pathname);
  load(EXAMPLES[examples.value]);
});
models.addEventListener('change', showModel);
byId('format').addEventListener('click', () => void formatSpec());
byId('link').addEventListener('click', () => void copyLink());
addEventListener('hashchange', fromAddress);
addEventListener('keydown', (event) => {
  if (event.key.toLowerCase() === 's' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    void formatSpec();
  }
});
if (!fromAddress()) {
  examples.value = 'digits';
  load(EXAMPLES.digits);
}
