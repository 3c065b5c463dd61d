/**
 * The members of a model, sorted by kind; a variant takes what it does not replace from its base.
 *
 * @module
 */
import type {
  Backbone,
  Decoder,
  Encoder,
  Entry,
  Let,
  Member,
  Modality,
  Model,
  Section,
  SectionName,
  Space,
  Task,
} from '../../grammar/ast.js';
import type { Diagnostics } from '../diagnostics/collect.js';
import type { Module } from '../project/project.js';
import { didYouMean } from '../diagnostics/suggest.js';

export interface Members {
  readonly lets: readonly Let[];
  readonly modalities: readonly Modality[];
  readonly spaces: readonly Space[];
  readonly encoders: readonly Encoder[];
  readonly backbones: readonly Backbone[];
  readonly decoders: readonly Decoder[];
  readonly tasks: readonly Task[];
  readonly sections: ReadonlyMap<SectionName, Section>;
  /** False where a base is missing, so that what the model has is not known. */
  readonly whole: boolean;
}

const kindNames = {
  Let: 'the constant',
  Modality: 'the modality',
  Space: 'the space',
  Encoder: 'the encoder',
  Backbone: 'the backbone',
  Decoder: 'the decoder',
  Task: 'the task',
  Section: 'the block',
} as const;

/** What a declaration is known by in its model. */
function keyOf(member: Member): string {
  switch (member.kind) {
    case 'Section':
      return `Section ${member.section}`;
    case 'Let':
      return `Let ${member.names.map((name) => name.text).join()}`;
    // A model has one space and one backbone: a variant replaces them whatever their names.
    case 'Space':
    case 'Backbone':
      return member.kind;
    default:
      return `${member.kind} ${member.name.text}`;
  }
}

/** All members of `model`, with its base's where it is a variant. Duplicates are reported. */
export function collectMembers(model: Model, module: Module, diagnostics: Diagnostics): Members {
  const { chain, whole } = baseChain(model, module, diagnostics);
  const merged = new Map<string, Member>();
  for (const link of chain) merge(merged, distinct(link.members, module.file, diagnostics));
  const members = [...merged.values()];
  const pick = <K extends Member['kind']>(kind: K) =>
    members.filter((m): m is Extract<Member, { kind: K }> => m.kind === kind);
  return {
    lets: pick('Let'),
    modalities: pick('Modality'),
    spaces: pick('Space'),
    encoders: pick('Encoder'),
    backbones: pick('Backbone'),
    decoders: pick('Decoder'),
    tasks: pick('Task'),
    sections: new Map(pick('Section').map((section) => [section.section, section])),
    whole,
  };
}

/** The model's bases, outermost first, then the model itself. Bases are models of the same file. */
function baseChain(
  model: Model,
  module: Module,
  diagnostics: Diagnostics,
): { chain: Model[]; whole: boolean } {
  const chain = new Set([model]);
  for (let current = model; current.base && current.base.text !== '';) {
    const name = current.base;
    const place = { file: module.file, range: name.range };
    const base = module.declared.get(name.text);
    if (base?.kind !== 'Model') {
      const models = [...module.declared].filter(([, d]) => d.kind === 'Model').map(([n]) => n);
      const near = didYouMean(name.text, models);
      diagnostics.report(
        'MMD0501',
        place,
        { name: name.text },
        near === undefined ? {} : { help: `did you mean \`${near}\`?` },
      );
      return { chain: [...chain].reverse(), whole: false };
    }
    if (chain.has(base)) {
      diagnostics.report('MMD0502', place, { name: name.text });
      return { chain: [...chain].reverse(), whole: false };
    }
    chain.add(base);
    current = base;
  }
  const outermost = [...chain].reverse();
  return { chain: outermost, whole: outermost[0].base === undefined };
}

/** The first of each declaration; the others are reported. */
function distinct(members: readonly Member[], file: string, diagnostics: Diagnostics): Member[] {
  const seen = new Map<string, Member>();
  for (const member of members) {
    const key = keyOf(member);
    const earlier = seen.get(key);
    if (!earlier) {
      seen.set(key, member);
      continue;
    }
    const range = (m: Member) =>
      m.kind === 'Section' ? m.keyword : m.kind === 'Let' ? m.names[0].range : m.name.range;
    const name =
      member.kind === 'Section'
        ? member.section
        : member.kind === 'Let'
          ? member.names[0].text
          : member.name.text;
    if (name === '') continue;
    diagnostics.report(
      'MMD0305',
      { file, range: range(member) },
      { kind: kindNames[member.kind], name },
      { labels: [{ file, range: range(earlier), message: 'first declared here' }] },
    );
  }
  return [...seen.values()];
}

/** Puts `own` over `base`: declarations replace those of the same name, blocks replace entry by entry. */
function merge(base: Map<string, Member>, own: readonly Member[]): void {
  for (const member of own) {
    const key = keyOf(member);
    const below = base.get(key);
    const both = below?.kind === 'Section' && member.kind === 'Section';
    base.set(key, both ? mergeSections(below, member) : member);
  }
}

function mergeSections(base: Section, own: Section): Section {
  const replaced = new Map(own.block.entries.map((entry) => [entry.key.text, entry]));
  const entries = base.block.entries.map((entry): Entry => {
    const mine = replaced.get(entry.key.text);
    replaced.delete(entry.key.text);
    return mine ?? entry;
  });
  return { ...own, block: { ...own.block, entries: [...entries, ...replaced.values()] } };
}
