/**
 * `--set path=value`: settings replaced from outside the spec, checked like the source. A path is that of a block's
 * key (`process.steps`, `train.roles.any`, `loss.L2.label`), of a task's option (`task.draw.guidance`) or the name
 * of a `let` of the model.
 *
 * @module
 */
import type { Block, Entry, Expr, Let, Name, Range, Section, SectionName, Task } from '../../grammar/ast.js';
import { parse } from '../../grammar/index.js';
import type { Diagnostics } from '../diagnostics/collect.js';
import { didYouMean } from '../diagnostics/suggest.js';
import { reportSyntax } from '../diagnostics/syntax.js';
import type { Members } from './members.js';

export interface Override {
  /** As written: `process.steps=250`. It is also the text that diagnostics show. */
  readonly text: string;
  readonly path: readonly string[];
  readonly value: Expr;
}

/** Name under which diagnostics show an override. */
export const overrideFile = (text: string): string => `--set ${text}`;

const sections: readonly SectionName[] = ['process', 'loss', 'train', 'data', 'eval'];

/** Reads `path=value`; undefined after a report. */
export function parseOverride(text: string, diagnostics: Diagnostics): Override | undefined {
  const file = overrideFile(text);
  const equals = text.indexOf('=');
  const path = text.slice(0, Math.max(equals, 0)).trim().split('.');
  if (equals < 0 || path.some((part) => !/^[A-Za-z_]\w*$/.test(part))) {
    diagnostics.report('MMD0707', { file, range: { start: 0, end: text.length } }, { text });
    return undefined;
  }
  const before = 'model M { data { x: ';
  const { tree, problems } = parse(`${before}${text.slice(equals + 1)}\n} }`);
  const shift = equals + 1 - before.length;
  if (problems.length > 0) {
    const inside = (offset: number) => Math.min(Math.max(offset + shift, 0), text.length);
    reportSyntax(
      diagnostics,
      file,
      problems.map((p) => ({
        ...p,
        range: { start: inside(p.range.start), end: inside(p.range.end) },
        related: [],
      })),
    );
    return undefined;
  }
  const [model] = tree.declarations;
  const members = tree.declarations.length === 1 && model.kind === 'Model' ? model.members : [];
  const entries = members.length === 1 && members[0].kind === 'Section' ? members[0].block.entries : [];
  const value = entries.length === 1 ? entries[0].value : undefined;
  if (!value) {
    diagnostics.report('MMD0707', { file, range: { start: 0, end: text.length } }, { text });
    return undefined;
  }
  return { text, path, value: moved(value, shift) };
}

/** The members with the overrides put in; `files` tells, for every entry put in, which override it came from. */
export function applyOverrides(
  members: Members,
  overrides: readonly Override[],
  diagnostics: Diagnostics,
  files: WeakMap<Entry | Let, Override>,
): Members {
  let result = members;
  for (const override of overrides) result = applyOne(result, override, diagnostics, files);
  return result;
}

function applyOne(
  members: Members,
  override: Override,
  diagnostics: Diagnostics,
  files: WeakMap<Entry | Let, Override>,
): Members {
  const [head, ...rest] = override.path;
  const unknown = (name: string, candidates: readonly string[]): Members => {
    const start = override.text.indexOf(name);
    const near = didYouMean(name, candidates);
    diagnostics.report(
      'MMD0302',
      { file: overrideFile(override.text), range: { start, end: start + name.length } },
      { owner: 'the model', name },
      {
        help: near
          ? `did you mean \`${near}\`?`
          : `there are ${candidates.map((c) => `\`${c}\``).join(', ')}`,
      },
    );
    return members;
  };
  if (rest.length === 0) {
    const found = members.lets.find((item) => !item.tuple && item.names[0].text === head);
    if (!found)
      return unknown(head, [...members.lets.flatMap((l) => l.names.map((n) => n.text)), ...sections]);
    const replaced: Let = { ...found, value: override.value };
    files.set(replaced, override);
    return { ...members, lets: members.lets.map((item) => (item === found ? replaced : item)) };
  }
  if (head === 'task') {
    const [name, ...path] = rest;
    const task = members.tasks.find((t) => t.name.text === name);
    if (!task || path.length === 0)
      return unknown(
        name,
        members.tasks.map((t) => t.name.text),
      );
    const options = withEntry(task.options ?? emptyBlock(task.range), path, override, files);
    const replaced: Task = { ...task, options };
    return { ...members, tasks: members.tasks.map((t) => (t === task ? replaced : t)) };
  }
  const section = sections.find((s) => s === head);
  if (!section) return unknown(head, [...sections, 'task']);
  const range = members.spaces[0]?.range ?? { start: 0, end: 0 };
  const found: Section = members.sections.get(section) ?? {
    kind: 'Section',
    section,
    keyword: range,
    range,
    block: emptyBlock(range),
  };
  const block = withEntry(found.block, rest, override, files);
  return { ...members, sections: new Map(members.sections).set(section, { ...found, block }) };
}

function emptyBlock(range: Range): Block {
  return { kind: 'Block', entries: [], range };
}

/** The block with `path` set to the override's value. */
function withEntry(
  block: Block,
  path: readonly string[],
  override: Override,
  files: WeakMap<Entry | Let, Override>,
): Block {
  const [head, ...rest] = path;
  const found = block.entries.find((entry) => entry.key.text === head);
  const start = override.text.indexOf(head);
  const range = { start: Math.max(start, 0), end: Math.max(start, 0) + head.length };
  const key: Name = { kind: 'Name', text: head, range };
  const entry: Entry =
    rest.length === 0
      ? { kind: 'Entry', key, value: override.value, range: { start: 0, end: override.text.length } }
      : {
          ...(found ?? { kind: 'Entry', key, range }),
          value: undefined,
          block: withEntry(found?.block ?? emptyBlock(range), rest, override, files),
        };
  if (rest.length === 0 || !found) files.set(entry, override);
  const entries = found ? block.entries.map((e) => (e === found ? entry : e)) : [...block.entries, entry];
  return { ...block, entries };
}

/** A syntax tree with every range moved. */
function moved<T>(node: T, by: number): T {
  if (Array.isArray(node)) return node.map((item: unknown) => moved(item, by)) as T;
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => {
      if (key !== 'range' && key !== 'opRange') return [key, moved(value, by)];
      const { start, end } = value as Range;
      return [key, { start: start + by, end: end + by }];
    }),
  ) as T;
}
