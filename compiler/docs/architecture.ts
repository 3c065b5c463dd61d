/**
 * What the picture of a model shows, before it is laid out: boxes, and what flows between them.
 *
 * @module
 */
import type { Expr } from '../../grammar/ast.js';
import type { ModalityInfo, ModelInfo, TaskInfo } from '../model/info.js';
import { isIdentity, type Subject } from './encoders.js';
import { roughly } from './figures.js';
import { plainNumber } from './tex.js';

export type Column = 'data' | 'encoder' | 'space' | 'backbone' | 'decoder' | 'task';

export interface Box {
  readonly id: string;
  readonly column: Column;
  readonly shape: 'box' | 'pill' | 'circle';
  readonly title: string;
  readonly lines: readonly { readonly text: string; readonly mono: boolean }[];
  readonly href?: string;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** How it is drawn: what always flows, what flows where it is given, what a task reads. */
  readonly kind: 'flow' | 'given' | 'produced';
  readonly label?: string;
  readonly weight: number;
}

export interface Architecture {
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
  /** The same in a sentence or two. */
  readonly summary: string;
}

/** Stages of a pipeline that a box has room for. */
const mostStages = 4;

const mono = (text: string) => ({ text, mono: true });
const plain = (text: string) => ({ text, mono: false });

export function architectureOf(model: Subject): Architecture {
  const { info } = model;
  const boxes: Box[] = [];
  const edges: Edge[] = [];
  const { space, process } = info;
  const backbone = info.backbone.name.text;
  for (const m of info.modalities) {
    boxes.push({
      id: `data ${m.name}`,
      column: 'data',
      shape: 'pill',
      title: m.name,
      lines: [mono(typeText(m))],
    });
    if (!info.encoders.has(m.name)) continue;
    boxes.push({
      id: `encoder ${m.name}`,
      column: 'encoder',
      shape: 'box',
      title: isIdentity(info, m.name) ? 'as it is' : `encoder ${m.name}`,
      lines: [
        ...(isIdentity(info, m.name) ? [] : stages(info, info.encoders.get(m.name)!.value, m.name)),
        ...parameters(model, `encoder.${m.name}.`),
      ],
    });
    edges.push({ from: `data ${m.name}`, to: `encoder ${m.name}`, kind: 'flow', weight: 4 });
    edges.push({
      from: `encoder ${m.name}`,
      to: 'space',
      kind: 'flow',
      label: coefficientLabel(info, m.name),
      weight: 3,
    });
    edges.push({ from: `encoder ${m.name}`, to: 'given', kind: 'given', weight: 1 });
  }
  boxes.push({
    id: 'space',
    column: 'space',
    shape: 'box',
    title: `${space.name}ₜ`,
    lines: [mono(`f32[${space.shape.join(', ')}]`), plain(`t = 0 … ${process.steps}`)],
  });
  boxes.push({ id: 'noise', column: 'encoder', shape: 'circle', title: 'ε', lines: [] });
  edges.push({ from: 'noise', to: 'space', kind: 'flow', label: 'σₜ', weight: 2 });
  boxes.push({
    id: 'given',
    column: 'space',
    shape: 'pill',
    title: 'given',
    lines: [plain('encodings and roles')],
  });
  boxes.push({
    id: 'backbone',
    column: 'backbone',
    shape: 'box',
    title: `backbone ${backbone}`,
    lines: [...stages(info, info.backbone.value), ...parameters(model, 'backbone.')],
  });
  boxes.push({ id: 't', column: 'space', shape: 'circle', title: 't', lines: [] });
  edges.push(
    { from: 'space', to: 'backbone', kind: 'flow', weight: 4 },
    { from: 'given', to: 'backbone', kind: 'given', weight: 3 },
    { from: 't', to: 'backbone', kind: 'flow', weight: 2 },
  );
  for (const name of info.decoders.keys()) {
    boxes.push({
      id: `decoder ${name}`,
      column: 'decoder',
      shape: 'box',
      title: `decoder ${name}`,
      lines: [
        ...stages(info, info.decoders.get(name)!.value, backbone),
        ...parameters(model, `decoder.${name}.`),
        plain(resultOf(info, name)),
      ],
    });
    edges.push({ from: 'backbone', to: `decoder ${name}`, kind: 'flow', weight: 4 });
  }
  for (const task of info.tasks) {
    boxes.push({
      id: `task ${task.name}`,
      column: 'task',
      shape: 'pill',
      title: task.name,
      lines: [
        plain(taskText(task)),
        ...task.known.map((k) => plain(`${k.modality} known ${k.where} ${k.region}`)),
        ...(task.guidance === 1 ? [] : [plain(`guidance ${plainNumber(task.guidance)}`)]),
      ],
    });
    for (const name of task.produced) {
      const decoder = decoderOf(info, name);
      if (decoder !== undefined)
        edges.push({ from: `decoder ${decoder}`, to: `task ${task.name}`, kind: 'produced', weight: 1 });
    }
  }
  return { boxes, edges, summary: summaryOf(info) };
}

/** `image[28, 28, 1]`, `category[10]`: the type as data have it. */
export function typeText(m: ModalityInfo): string {
  return `${m.type}[${m.shape.join(', ')}]`;
}

/** "label → image", "→ image, label" */
export function taskText({ given, produced }: TaskInfo): string {
  return `${[...given].join(', ')} → ${produced.join(', ')}`.trim();
}

/** The declaration that a modality is read from: its own decoder, or the space's where it is the origin. */
function decoderOf(info: ModelInfo, modality: string): string | undefined {
  if (info.decoders.has(modality)) return modality;
  const { origin } = info.process;
  const isOrigin = origin.form === 'modality' && origin.name === modality;
  return isOrigin && info.decoders.has(info.space.name) ? info.space.name : undefined;
}

function resultOf(info: ModelInfo, decoder: string): string {
  const modality = info.modalities.find((m) => m.name === decoder);
  if (modality) return modality.likelihood.form;
  const { origin } = info.process;
  return `predicts ${info.predict === 'x0' && origin.form === 'modality' ? origin.name : info.predict}`;
}

function coefficientLabel(info: ModelInfo, name: string): string {
  const { origin, components } = info.process;
  const weights = components.find((c) => c.name === name)?.weights;
  const isOrigin = origin.form === 'modality' && origin.name === name;
  const root = isOrigin || (origin.form === 'mean' && weights);
  return [...(root ? ['√Aₜ'] : []), ...(weights ? ['vₜ'] : [])].join(' + ');
}

function parameters({ layout }: Subject, prefix: string) {
  const count = layout.trainable.reduce((sum, p) => sum + (p.name.startsWith(prefix) ? p.size : 0), 0);
  return count === 0 ? [] : [plain(`${roughly(count)} parameters`)];
}

/**
 * An expression's stages as written, one a line.
 * @param input the name that it starts from, which the picture says already
 */
function stages(info: ModelInfo, value: Expr, input?: string) {
  const parts: string[] = [];
  const text = (node: { readonly range: { start: number; end: number } }): string =>
    info.module.text.slice(node.range.start, node.range.end).replace(/\s+/g, ' ');
  let at: Expr = value;
  while (at.kind === 'Pipe') {
    parts.unshift(text(at.stage));
    at = at.left;
  }
  if (!(at.kind === 'Ref' && at.name.text === input)) parts.unshift(text(at));
  const shown =
    parts.length <= mostStages ? parts : [...parts.slice(0, mostStages - 2), '⋮', parts[parts.length - 1]];
  return shown.map(mono);
}

function summaryOf(info: ModelInfo): string {
  const encoded = info.modalities.filter((m) => info.encoders.has(m.name)).map((m) => m.name);
  const tasks = info.tasks.map((task) => `${task.name} (${taskText(task)})`);
  return (
    `Architecture of ${info.name}: ${encoded.join(', ')} ${encoded.length === 1 ? 'is' : 'are'} encoded into the space ` +
    `${info.space.name}, to which noise is added; the backbone ${info.backbone.name.text} reads it with what is given and t; ` +
    `decoders give ${[...info.decoders.keys()].join(', ')}. Tasks: ${tasks.length > 0 ? tasks.join('; ') : 'none'}.`
  );
}
