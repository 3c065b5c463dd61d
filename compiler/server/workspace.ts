/**
 * The files of a project while they are being edited. A document passes through states: its text is there at once; it
 * is `parsed` when a request needs its tree; it is `checked` when its diagnostics, types or models are needed. A request
 * waits for the state it needs and no other.
 *
 * @module
 */
import type { Model, SourceFile } from '../../grammar/ast.js';
import { LineMap } from '../../grammar/lines.js';
import type { SyntaxProblem } from '../../grammar/problems.js';
import { analysisSteps, type Analysis } from '../driver.js';
import type { Host, ReadResult } from '../project/host.js';
import { Memo } from './memo.js';
import type { Observations } from './observations.js';

/** A document whose text has been read. */
export interface Parsed {
  readonly file: string;
  readonly text: string;
  readonly lines: LineMap;
  readonly tree: SourceFile;
  readonly problems: readonly SyntaxProblem[];
}

/** A document that has been analysed with everything it imports. */
export interface Checked extends Parsed {
  readonly analysis: Analysis;
  /** What was observed in a model of this file. */
  observed(model: Model): Observations | undefined;
}

/** What a workspace needs beyond the text of files. */
export interface WorkspaceHost extends Host {
  /** Paths of the specs of the project, open or not, for what is asked of all of them. */
  files(): readonly string[];
}

export class Workspace {
  private readonly texts = new Map<string, string>();
  private readonly states = new Map<string, { parsed?: Parsed; checked?: Checked; checking?: object }>();
  /** Per root file: what is memoised belongs to one analysis at a time. */
  private readonly memos = new Map<string, Memo>();
  private readonly overlay: Host;

  constructor(readonly host: WorkspaceHost) {
    this.overlay = {
      read: (path): ReadResult => {
        const text = this.texts.get(path);
        return text === undefined ? host.read(path) : { ok: true, text };
      },
      readLibrary: (name) => host.readLibrary(name),
      libraryModules: () => host.libraryModules(),
    };
  }

  /** Files that are open. */
  get open(): readonly string[] {
    return [...this.texts.keys()];
  }

  isOpen(file: string): boolean {
    return this.texts.has(file);
  }

  /** Opens a document, or gives it another text. */
  change(file: string, text: string): void {
    if (this.texts.get(file) === text) return;
    this.texts.set(file, text);
    this.touched(file);
  }

  close(file: string): void {
    this.texts.delete(file);
    this.memos.delete(file);
    this.states.delete(file);
    this.touched(file);
  }

  /** A file that is not open has changed, appeared or gone. */
  touched(file: string): void {
    this.states.delete(file);
    for (const [other, state] of this.states) {
      if (!state.checked || this.dependsOn(state.checked, file))
        this.states.set(other, { parsed: state.parsed });
    }
  }

  private dependsOn({ analysis, tree }: Checked, file: string): boolean {
    // A file that could not be read is in no module: whoever has an import that failed may be waiting for it.
    return analysis.project.modules.has(file) || tree.imports.some(({ path }) => path.value.startsWith('.'));
  }

  /** The text of a file, open or not. */
  text(file: string): string | undefined {
    const open = this.texts.get(file);
    if (open !== undefined) return open;
    if (file.startsWith('std/')) return this.host.readLibrary(file.slice(4));
    const read = this.host.read(file);
    return read.ok ? read.text : undefined;
  }

  private memo(file: string): Memo {
    let memo = this.memos.get(file);
    if (!memo) this.memos.set(file, (memo = new Memo()));
    return memo;
  }

  private state(file: string) {
    let state = this.states.get(file);
    if (!state) this.states.set(file, (state = {}));
    return state;
  }

  /** A document, read. Undefined where there is no such file. */
  parsed(file: string): Parsed | undefined {
    const state = this.state(file);
    if (state.parsed) return state.parsed;
    const text = this.text(file);
    if (text === undefined) return undefined;
    const { tree, problems } = this.memo(file).parse(file, text);
    return (state.parsed = { file, text, lines: new LineMap(text), tree, problems });
  }

  /** Whether a document is checked as it stands. */
  isChecked(file: string): boolean {
    return this.states.get(file)?.checked !== undefined;
  }

  /** A document, analysed. */
  checked(file: string): Checked | undefined {
    const steps = this.check(file);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** Analyses a document one model at a step. Ends with nothing where the document changes meanwhile. */
  *check(file: string): Generator<void, Checked | undefined> {
    const parsed = this.parsed(file);
    if (!parsed) return undefined;
    const state = this.state(file);
    if (state.checked) return state.checked;
    const mine = (state.checking = {});
    const memo = this.memo(file);
    const steps = analysisSteps(this.overlay, file, parsed.text, { memo });
    for (;;) {
      const step = steps.next();
      if (step.done) {
        const made = { ...parsed, analysis: step.value, observed: (model: Model) => memo.observed(model) };
        return (state.checked = made);
      }
      yield;
      if (this.states.get(file) !== state || state.checking !== mine) return undefined;
    }
  }

  /** Models elaborated so far in analyses of a file. */
  elaborations(file: string): number {
    return this.memo(file).elaborations;
  }

  /** Open documents that import a file, directly or not, other than itself. */
  dependents(file: string): string[] {
    return this.open.filter((other) => {
      if (other === file) return false;
      const checked = this.states.get(other)?.checked;
      return !checked || this.dependsOn(checked, file);
    });
  }
}
