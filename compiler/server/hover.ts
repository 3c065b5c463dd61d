/**
 * Hover: what stands at a place, with its type, figures and documentation.
 *
 * @module
 */
import type { Hover } from 'vscode-languageserver-types';
import type { Model, Node } from '../../grammar/ast.js';
import { builtins } from '../elaborate/builtins/index.js';
import { aboutSections, aboutSetting } from '../model/about.js';
import type { ModelInfo } from '../model/info.js';
import type { CompiledModel } from '../driver.js';
import * as d from './describe.js';
import { nodesAt, type Occurrence, type Symbol } from './occurrences.js';
import { symbolAt } from './navigation.js';
import { rangeAt } from './positions.js';
import type { Seen } from './observations.js';
import type { Checked } from './workspace.js';

export function hover(checked: Checked, offset: number): Hover | undefined {
  const nodes = nodesAt(checked.tree, offset);
  const model = nodes.find((node): node is Model => node.kind === 'Model');
  const found = symbolAt(checked, offset);
  const shown = (node: { readonly range: Node['range'] }, value: string): Hover | undefined =>
    value === ''
      ? undefined
      : { contents: { kind: 'markdown', value }, range: rangeAt(checked.lines, node.range) };
  const setting = hoverSetting(checked, nodes, model, offset);
  if (setting) return shown(setting.node, setting.text);
  if (found) return shown(found, describeOccurrence(checked, found, model, nodes));
  const word = hoverKeyword(checked, nodes, model, offset);
  if (word) return shown(word.node, word.text);
  const expression = nodes.find((node) => seen(checked, node, model) !== undefined);
  const value = expression && seen(checked, expression, model);
  return expression && value && shown(expression, valueText(value));
}

/** The info of a model, broken or not, as far as it could be read. */
export function infoOf({ analysis }: Checked, model: Model | undefined): ModelInfo | undefined {
  return model && analysis.elaborated.get(model.name.text)?.checked?.info;
}

export function compiledOf({ analysis }: Checked, model: Model | undefined): CompiledModel | undefined {
  return model && analysis.models.get(model.name.text);
}

/** What an expression came to: in its own model, or in the first model that uses its network. */
export function seen(checked: Checked, node: Node, model: Model | undefined): Seen | undefined {
  const models = model
    ? [model]
    : checked.tree.declarations.filter((item): item is Model => item.kind === 'Model');
  for (const item of models) {
    const value = checked.observed(item)?.values.get(node);
    if (value) return value;
  }
  return undefined;
}

export function valueText({ shown, within }: Seen): string {
  const where = within
    ? ` in this use of \`${within.network}\`${within.bindings === '' ? '' : `: ${within.bindings}`}`
    : '';
  return `${shown}${where}`;
}

function describeOccurrence(
  checked: Checked,
  { symbol }: Occurrence,
  model: Model | undefined,
  nodes: readonly Node[],
): string {
  // What the name came to at this place: the name itself, or the call or stage that it heads.
  const around = nodes.find((node) => node.kind === 'Ref' || node.kind === 'Call');
  const value = around && seen(checked, around, model);
  return d.paragraphs(describeSymbol(checked, symbol, model), value && valueText(value));
}

/** What a symbol is. */
export function describeSymbol(checked: Checked, symbol: Symbol, model: Model | undefined): string {
  const info = infoOf(checked, model);
  const { node, name } = symbol;
  const doc = node && 'doc' in node && typeof node.doc === 'object' ? node.doc.text : undefined;
  switch (symbol.kind) {
    case 'builtin': {
      const builtin = builtins.get(name);
      if (builtin) return d.describeBuiltin(builtin);
      return name === 't'
        ? d.paragraphs(d.code('t: f32'), 'The time over T, a scalar for every row.')
        : d.paragraphs(
            d.code('given: f32[...]'),
            'For every modality its encoding where it is given, and two planes of flags that say whether it is given and whether it is produced.',
          );
    }
    case 'import': {
      const visible = checked.analysis.project.root.scope.get(name);
      return visible
        ? describeSymbol(
            checked,
            { ...symbol, kind: 'network', node: visible.declaration, file: visible.module.file },
            model,
          )
        : '';
    }
    case 'network': {
      const text = checked.analysis.project.modules.get(symbol.file ?? '')?.text;
      if (node?.kind !== 'Network' || text === undefined) return '';
      return d.paragraphs(
        d.code(d.networkHead(node, text)),
        doc,
        symbol.file === checked.file ? '' : `From \`${symbol.file}\`.`,
      );
    }
    case 'model': {
      if (node?.kind !== 'Model') return '';
      const compiled = compiledOf(checked, node);
      const head = d.code(`model ${name}`);
      return compiled ? d.paragraphs(head, d.describeModel(compiled, node)) : d.paragraphs(head, doc);
    }
    case 'modality': {
      const modality = info?.modalities.find((m) => m.name === name);
      const type =
        node?.kind === 'Modality' ? checked.text.slice(node.type.range.start, node.type.range.end) : '';
      const head = d.code(`modality ${name}: ${type}`);
      return modality && info
        ? d.paragraphs(head, d.describeModality(modality, info, doc))
        : d.paragraphs(head, doc);
    }
    case 'space':
      return d.paragraphs(
        d.code(`space ${name}${info ? `: f32[${info.space.shape.join(', ')}]` : ''}`),
        doc,
        'The space in which $z_t$ lives.',
      );
    case 'task': {
      const task = info?.tasks.find((t) => t.name === name);
      const head = node ? d.code(checked.text.slice(node.range.start, node.range.end)) : '';
      return task && info
        ? d.paragraphs(head, d.describeTask(task, doc), d.describeDefaults(info, `task.${name}`))
        : d.paragraphs(head, doc);
    }
    case 'backbone':
    case 'let': {
      const made =
        node && 'value' in node && typeof node.value === 'object'
          ? seen(checked, node.value, model)
          : undefined;
      return d.paragraphs(d.code(`${symbol.kind} ${name}`), doc, made && valueText(made));
    }
    case 'parameter': {
      const text = checked.analysis.project.modules.get(symbol.file ?? '')?.text ?? '';
      return node?.kind === 'Param' ? d.code(d.parameterText(node, text)) : '';
    }
    case 'dimension':
      return d.paragraphs(d.code(name), 'A dimension, bound by the argument; inside the network an integer.');
  }
}

interface Told {
  readonly node: { readonly range: Node['range'] };
  readonly text: string;
}

/** A key of a block: what it means, what may stand there, and what was filled in. */
function hoverSetting(
  checked: Checked,
  nodes: readonly Node[],
  model: Model | undefined,
  offset: number,
): Told | undefined {
  const entry = nodes.find((node) => node.kind === 'Entry');
  const block = entry && nodes[nodes.indexOf(entry) + 1];
  if (!entry || !block || !model || offset > entry.key.range.end) return undefined;
  const observed = checked.observed(model);
  const path = observed?.blocks.get(block);
  const setting = path === undefined ? undefined : observed?.settings.get(path)?.get(entry.key.text);
  if (path === undefined || !setting) return undefined;
  const info = infoOf(checked, model);
  const weights = path === 'process' || path === 'process.weights';
  const key = entry.key.text;
  const table =
    info && weights && ['weights', 'retention', 'alpha', 'origin'].includes(key)
      ? d.coefficients(info)
      : undefined;
  const text = d.paragraphs(
    d.code(`${key}: ${d.describeField(setting.field)}`),
    aboutSetting(path, key),
    info && setting.field === 'block' ? d.describeDefaults(info, `${path}.${key}`) : undefined,
    path === 'process.weights' && info ? d.coefficients(info, key) : table,
  );
  return { node: entry.key, text };
}

/** The word that begins a declaration: what the declaration comes to. */
function hoverKeyword(
  checked: Checked,
  nodes: readonly Node[],
  model: Model | undefined,
  offset: number,
): Told | undefined {
  const [node] = nodes;
  const word = /^[a-z]+/.exec(checked.text.slice(node.range.start, node.range.start + 20))?.[0] ?? '';
  const range = { start: node.range.start, end: node.range.start + word.length };
  if (!model || offset > range.end) return undefined;
  const info = infoOf(checked, model);
  if (node.kind === 'Section') {
    const text = d.paragraphs(
      aboutSections[node.section],
      info && d.describeDefaults(info, node.section),
      info && node.section === 'process' ? d.coefficients(info) : undefined,
    );
    return { node: { range }, text };
  }
  if (node.kind !== 'Encoder' && node.kind !== 'Backbone' && node.kind !== 'Decoder') return undefined;
  const compiled = compiledOf(checked, model);
  const value = seen(checked, node.value, model);
  const path = node.kind === 'Backbone' ? 'backbone' : `${node.kind.toLowerCase()}.${node.name.text}`;
  const text = d.paragraphs(
    `The ${node.kind.toLowerCase()} gives ${value ? value.shown : 'what could not be worked out'}.`,
    compiled && `${d.count(d.parametersOf(compiled, path))} parameters.`,
    node.doc?.text,
  );
  return { node: { range }, text };
}
