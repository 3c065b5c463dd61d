/**
 * Explanations for `mmdc explain CODE`: what a diagnostic means, a spec that has the problem, and the same spec
 * without it.
 *
 * @module
 */
import type { CodeName } from '../row.js';
import { difference } from './difference.js';

/** Files by path; the first is the one that is checked, and it imports the others. */
export interface FilesExample {
  readonly files: Readonly<Record<string, string>>;
  /** What the page shows instead, where the files are too long to read (a bound that is passed). */
  readonly shown?: string;
}

/** Problems of the run time have no spec of their own: what is typed, and what it says. Not compiled. */
export interface ShellExample {
  readonly shell: string;
}

/** A string is a file of its own, `main.mmd`. */
export type Example = string | FilesExample | ShellExample;

export interface Page {
  /** Markdown: what it means, why it is a problem, how to mend it. */
  readonly about: string;
  /** Yields this code (and may yield others that follow from it). */
  readonly bad: Example;
  /** Does not yield it. */
  readonly good: Example;
}

/** Pages of a group: only codes of the group may appear. A test holds that none is missing. */
export type Pages<Group extends object> = { readonly [C in keyof Group & CodeName]?: Page };

/** The files of an example; undefined for a shell example. */
export function exampleFiles(example: Example): Readonly<Record<string, string>> | undefined {
  if (typeof example === 'string') return { 'main.mmd': example };
  return 'files' in example ? example.files : undefined;
}

/** An example as Markdown: code blocks, each headed by its file name where there are several. */
export function showExample(example: Example): string {
  if (typeof example === 'string') return fence('mmd', example);
  if ('shell' in example) return fence('console', example.shell);
  if (example.shown !== undefined) return fence('mmd', example.shown);
  const entries = Object.entries(example.files);
  if (entries.length === 1) return fence('mmd', entries[0]![1]);
  return entries.map(([path, text]) => `\`${path}\`\n\n${fence('mmd', text)}`).join('\n\n');
}

/** What leads from the bad example to the good one: the lines that differ, where both are one file. */
export function showFix({ bad, good }: Page): string {
  return typeof bad === 'string' && typeof good === 'string'
    ? fence('diff', difference(bad, good))
    : showExample(good);
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.replace(/^\n+|\s+$/g, '')}\n\`\`\``;
}
