/**
 * Completion: what can stand at a place, and nothing that cannot.
 *
 * @module
 */
import {
  CompletionItemKind as Kind,
  InsertTextFormat,
  type CompletionItem,
} from 'vscode-languageserver-types';
import { walk } from '../../grammar/visit.js';
import { Diagnostics } from '../diagnostics/collect.js';
import { builtins } from '../elaborate/builtins/index.js';
import { aboutSetting } from '../model/about.js';
import { collectMembers, type Members } from '../model/members.js';
import type { FieldType } from '../model/forms.js';
import { joinPath } from '../project/project.js';
import { placeAt, type Place } from './context.js';
import * as d from './describe.js';
import type { Setting } from './observations.js';
import { referenceSettings } from './reference.js';
import { callableAt } from './signature.js';
import { declarationSnippets, memberSnippets, modalityTypes, type Snippet } from './snippets.js';
import type { Checked, Workspace } from './workspace.js';

export function completion(workspace: Workspace, checked: Checked, offset: number): CompletionItem[] {
  const place = placeAt(checked, offset);
  const { context, call } = place;
  const named = call && call.atStart && context.kind !== 'nothing' ? namedArguments(checked, place) : [];
  switch (context.kind) {
    case 'nothing':
      return [];
    case 'file':
      return declarationSnippets.map(snippet);
    case 'importPath':
      return importPaths(workspace, checked, context.prefix);
    case 'importNames':
      return importNames(workspace, checked, context.path);
    case 'member':
      return [...memberSnippets(membersOf(checked, place))].map(snippet);
    case 'modality':
      return modalities(checked, place, context.of);
    case 'names':
      return modalities(checked, place, '');
    case 'type':
      return types(context.of);
    case 'key':
      return keys(checked, place, context.block);
    case 'setting':
      return values(checked, place, context.block, context.key);
    case 'expression':
      return [...named, ...expressions(checked, place, context.stage)];
  }
}

function snippet({ label, insert, about, kind }: Snippet): CompletionItem {
  return {
    label,
    kind: kind === 'keyword' ? Kind.Keyword : Kind.Snippet,
    insertText: insert,
    insertTextFormat: InsertTextFormat.Snippet,
    documentation: {
      kind: 'markdown',
      value: d.paragraphs(about, d.code(insert.replace(/\$\{\d+(?::([^}]*))?\}|\$\d+/g, '$1'))),
    },
  };
}

function membersOf(checked: Checked, { model }: Place): Members | undefined {
  return model && collectMembers(model, checked.analysis.project.root, new Diagnostics());
}

function importPaths(workspace: Workspace, checked: Checked, prefix: string): CompletionItem[] {
  const library = workspace.host.libraryModules().filter((name) => name !== 'prelude');
  const folder = checked.file.split('/').slice(0, -1);
  const own = workspace.host.files().flatMap((file) => {
    if (file === checked.file) return [];
    const parts = file.split('/');
    let shared = 0;
    while (shared < folder.length && parts[shared] === folder[shared]) shared++;
    const up = folder.slice(shared).map(() => '..');
    return [up.length > 0 ? [...up, ...parts.slice(shared)].join('/') : `./${parts.slice(shared).join('/')}`];
  });
  return [...library.map((name) => `std/${name}`), ...own]
    .filter((path) => path.startsWith(prefix) || prefix === '')
    .map((path) => ({ label: path, kind: Kind.File, insertText: path.slice(prefix.lastIndexOf('/') + 1) }));
}

function importNames(workspace: Workspace, checked: Checked, path: string | undefined): CompletionItem[] {
  const library = workspace.host.libraryModules().map((name) => `std/${name}`);
  const files =
    path === undefined ? library : [path.startsWith('std/') ? path : (joinPath(checked.file, path) ?? '')];
  return files.flatMap((file) => {
    if (file === 'std/prelude') return [];
    const parsed = workspace.parsed(file);
    return (parsed?.tree.declarations ?? []).map((declaration) => ({
      label: declaration.name.text,
      kind: declaration.kind === 'Model' ? Kind.Class : Kind.Function,
      detail: file,
      ...(declaration.kind === 'Network' &&
        parsed && {
          documentation: {
            kind: 'markdown' as const,
            value: d.paragraphs(d.code(d.networkHead(declaration, parsed.text)), declaration.doc?.text),
          },
        }),
    }));
  });
}

/** Modalities that can still stand here; with the space, for a decoder. */
function modalities(checked: Checked, place: Place, of: string): CompletionItem[] {
  const members = membersOf(checked, place);
  if (!members) return [];
  const taken = new Set<string>();
  for (const item of of === 'encoder' ? members.encoders : of === 'decoder' ? members.decoders : [])
    if (item.range.end < place.word.start || item.range.start > place.word.start) taken.add(item.name.text);
  if (of === '') {
    const task = place.nodes.find((node) => node.kind === 'Task');
    for (const name of [...(task?.given ?? []), ...(task?.produced ?? [])])
      if (name.range.end < place.word.start) taken.add(name.text);
  }
  const all = [...members.modalities, ...(of === 'decoder' ? members.spaces : [])];
  return all
    .filter(({ name }) => !taken.has(name.text))
    .map((item) => ({
      label: item.name.text,
      kind: Kind.Field,
      detail: checked.text.slice(item.type.range.start, item.type.range.end),
    }));
}

function types(of: string): CompletionItem[] {
  if (of === 'modality') return modalityTypes.map(snippet);
  const tensor: Snippet = {
    label: 'f32',
    insert: 'f32[${1:H}, ${2:W}, ${3:C}]',
    about: 'A tensor; the batch axis is implicit.',
    kind: 'snippet',
  };
  if (of === 'space') return [snippet(tensor)];
  const statics = ['int', 'float', 'bool', 'string', '[int]'].map((label): CompletionItem => ({
    label,
    kind: Kind.TypeParameter,
  }));
  return [snippet(tensor), ...statics];
}

/** The settings of the block at a path, in this model, or as they are everywhere. */
function settingsAt(checked: Checked, { model }: Place, block: readonly string[]): Map<string, Setting> {
  const path = block.join('.');
  const own = model && checked.observed(model)?.settings.get(path);
  const byModality = namedByModality.includes(path);
  if (own && byModality) return own;
  const [first] = block;
  const likely =
    first === 'task'
      ? ['task', 'any']
      : first === 'modality'
        ? ['modality', 'x']
        : first === 'encoder'
          ? ['encoder', 'y']
          : block;
  const usual = referenceSettings().settings.get(likely.join('.')) ?? new Map<string, Setting>();
  return new Map([...usual, ...(own ?? [])]);
}

/** Blocks whose keys are modalities. */
const namedByModality = ['process.weights', 'loss.L2', 'data'];

function keys(checked: Checked, place: Place, block: readonly string[]): CompletionItem[] {
  const around = place.nodes.find((node) => node.kind === 'Block');
  const present = new Set(
    (around?.entries ?? [])
      .filter((e) => e.key.range.end !== place.word.start + place.word.text.length)
      .map((e) => e.key.text),
  );
  const found = new Map(settingsAt(checked, place, block));
  const byModality = namedByModality.includes(block.join('.'));
  const path = block.join('.');
  if (byModality)
    for (const { name } of membersOf(checked, place)?.modalities ?? [])
      if (!found.has(name.text))
        found.set(
          name.text,
          [...found.values()].find((s) => s.key !== 'source' && s.key !== 'rows') ?? {
            key: name.text,
            field: { type: 'form', forms: {} },
          },
        );
  return [...found]
    .filter(
      ([key]) =>
        !present.has(key) &&
        (!byModality ||
          !['x', 'y'].includes(key) ||
          membersOf(checked, place)?.modalities.some((m) => m.name.text === key)),
    )
    .map(([key, { field }]) => ({
      label: key,
      kind: Kind.Property,
      insertText: field === 'block' ? `${key} { $0 }` : `${key}: $0`,
      insertTextFormat: InsertTextFormat.Snippet,
      detail: d.describeField(field),
      documentation: { kind: 'markdown' as const, value: aboutSetting(path, key) ?? '' },
    }));
}

function values(checked: Checked, place: Place, block: readonly string[], key: string): CompletionItem[] {
  const field = settingsAt(checked, place, block).get(key)?.field;
  const constants = (membersOf(checked, place)?.lets ?? []).flatMap((item) => item.names.map((n) => n.text));
  const lets = constants.map((label): CompletionItem => ({ label, kind: Kind.Constant }));
  if (field === undefined || field === 'block') return lets;
  if (field.type === 'bool') return ['true', 'false'].map((label) => ({ label, kind: Kind.Keyword }));
  if (field.type === 'form') return [...forms(field), ...lets];
  return lets;
}

function forms(field: Extract<FieldType, { type: 'form' }>): CompletionItem[] {
  return Object.entries(field.forms).flatMap(([name, params = []]) => {
    if (name === 'constant') return [];
    const required = params.filter((p) => p.default === undefined);
    const insert =
      required.length === 0
        ? name
        : `${name}(${required.map((p, i) => (p.field.type === 'string' ? `"\${${i + 1}}"` : `\${${i + 1}:${p.name}}`)).join(', ')})`;
    return [
      {
        label: name,
        kind: Kind.EnumMember,
        detail: d.formHead(name, params),
        insertText: insert,
        insertTextFormat: InsertTextFormat.Snippet,
      },
    ];
  });
}

function namedArguments(checked: Checked, place: Place): CompletionItem[] {
  const { call } = place;
  const callable = call && callableAt(checked, place, call.callee);
  return (callable?.parameters ?? [])
    .filter((_, i) => i >= (call?.argument ?? 0) + (call?.piped ? 1 : 0))
    .map((p) => ({
      label: `${p.name}:`,
      kind: Kind.Property,
      insertText: `${p.name}: `,
      detail: p.text,
      sortText: `0${p.name}`,
      ...(p.about && { documentation: { kind: 'markdown' as const, value: p.about } }),
    }));
}

function expressions(checked: Checked, place: Place, stage: boolean): CompletionItem[] {
  const callables = callableItems(checked);
  const repeat = snippet({
    label: 'repeat',
    insert: 'repeat(${1:n}) { $0 }',
    about: 'Stages applied n times, each with parameters of its own.',
    kind: 'snippet',
  });
  if (stage) return [...callables, repeat];
  return [
    ...valuesInScope(checked, place),
    ...callables,
    {
      label: 'if',
      kind: Kind.Keyword,
      insertText: 'if ${1:condition} { $2 } else { $0 }',
      insertTextFormat: InsertTextFormat.Snippet,
    },
  ];
}

function callableItems(checked: Checked): CompletionItem[] {
  const { project } = checked.analysis;
  const networks = new Map([...project.prelude, ...project.root.scope]);
  const own = [...networks].flatMap(([label, { declaration, module }]): CompletionItem[] => {
    if (declaration.kind !== 'Network') return [];
    const about = d.paragraphs(d.code(d.networkHead(declaration, module.text)), declaration.doc?.text);
    return [
      { label, kind: Kind.Function, detail: module.file, documentation: { kind: 'markdown', value: about } },
    ];
  });
  const functions = [...builtins.values()].map((builtin): CompletionItem => ({
    label: builtin.name,
    kind: Kind.Function,
    detail: d.builtinHead(builtin),
    documentation: { kind: 'markdown', value: builtin.about },
  }));
  return [...own, ...functions];
}

/** Values that an expression at the place can name. */
function valuesInScope(checked: Checked, place: Place): CompletionItem[] {
  const items: CompletionItem[] = [];
  const add = (label: string, detail: string, kind: CompletionItem['kind'] = Kind.Variable): void => {
    if (label !== '' && !items.some((item) => item.label === label)) items.push({ label, detail, kind });
  };
  const { network, nodes } = place;
  if (network) {
    for (const param of network.params) {
      add(param.name.text, d.parameterText(param, checked.text));
      walk(param.type, (node) => {
        if (node.kind === 'Ref' || node.kind === 'RestDim') add(node.name.text, 'dimension', Kind.Constant);
      });
    }
    for (const node of nodes) {
      if (node.kind !== 'Body') continue;
      for (const statement of node.statements)
        if (statement.kind === 'Let' && statement.range.end < place.word.start)
          for (const name of statement.names) add(name.text, 'let');
    }
    return items;
  }
  const members = membersOf(checked, place);
  if (!members) return items;
  for (const item of members.lets) for (const name of item.names) add(name.text, 'let', Kind.Constant);
  const member = nodes.find(
    (node) => node.kind === 'Encoder' || node.kind === 'Backbone' || node.kind === 'Decoder',
  );
  const space = members.spaces[0]?.name.text;
  if (member && space !== undefined) add(space, member.kind === 'Backbone' ? 'the state z_t' : 'the space');
  if (member?.kind === 'Encoder') add(member.name.text, 'the modality');
  if (member?.kind === 'Backbone') add('given', 'what is given, and the roles');
  if (member?.kind === 'Decoder') add(members.backbones[0]?.name.text ?? '', 'the backbone');
  if (member?.kind === 'Backbone' || member?.kind === 'Decoder') add('t', 'the time over T');
  return items;
}
