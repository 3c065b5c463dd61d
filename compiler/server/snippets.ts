/**
 * Snippets: declarations with places to fill in. The editor extension is given the same ones.
 *
 * @module
 */
import type { Members } from '../model/members.js';

export interface Snippet {
  readonly label: string;
  /** In the protocol's syntax: `${1:placeholder}`, `$0` where the cursor ends. */
  readonly insert: string;
  readonly about: string;
  readonly kind: 'keyword' | 'snippet';
}

export const declarationSnippets: readonly Snippet[] = [
  {
    label: 'import',
    insert: 'import { ${2:UNet} } from "${1:std/backbones}"',
    about: 'Networks of another file.',
    kind: 'keyword',
  },
  {
    label: 'model',
    insert: [
      'model ${1:Digits} {',
      '  modality ${2:image}: image[${3:28}, ${4:28}, ${5:1}]',
      '  space z: f32[${3:28}, ${4:28}, ${5:1}]',
      '',
      '  encoder ${2:image} = ${2:image}',
      '',
      '  process { origin: ${2:image} }',
      '',
      '  backbone h = concat(z, given) |> $0',
      '',
      '  decoder z = h |> conv(${5:1})',
      '',
      '  task generate: ${2:image}',
      '}',
    ].join('\n'),
    about: 'A model: modalities, space, encoders, process, backbone, decoders, tasks.',
    kind: 'keyword',
  },
  {
    label: 'network',
    insert: 'network ${1:Block}(x: f32[${2:H, W, C}]) -> f32[${2:H, W, C}] {\n  x |> $0\n}',
    about: 'A network with symbolic dimensions.',
    kind: 'keyword',
  },
];

export const modalityTypes: readonly Snippet[] = [
  {
    label: 'image',
    insert: 'image[${1:H}, ${2:W}, ${3:C}]',
    about: 'Values from -1 to 1, Gaussian.',
    kind: 'snippet',
  },
  {
    label: 'mask',
    insert: 'mask[${1:H}, ${2:W}, ${3:K}]',
    about: 'A class for every pixel.',
    kind: 'snippet',
  },
  { label: 'category', insert: 'category[${1:K}]', about: 'One of K classes.', kind: 'snippet' },
  {
    label: 'vector',
    insert: 'vector[${1:D}]',
    about: 'Gaussian, or cosine (von Mises-Fisher).',
    kind: 'snippet',
  },
  { label: 'binary', insert: 'binary[${1:D}]', about: 'Bernoulli, of any shape.', kind: 'snippet' },
  {
    label: 'tokens',
    insert: 'tokens[${1:L}, ${2:V}]',
    about: 'One of V symbols at each of L positions.',
    kind: 'snippet',
  },
];

/** Members of a model. Those of which there is one are left out once it is there. */
export function memberSnippets(members?: Members): Snippet[] {
  const without = (declared: readonly { name: { text: string } }[]): string =>
    members?.modalities.find((m) => !declared.some((d) => d.name.text === m.name.text))?.name.text ?? 'image';
  const h = members?.backbones[0]?.name.text ?? 'h';
  const z = members?.spaces[0]?.name.text ?? 'z';
  const all = members?.modalities.map((m) => m.name.text).join(', ');
  const keyword = (label: string, insert: string, about: string): Snippet => ({
    label,
    insert,
    about,
    kind: 'keyword',
  });
  const section = (label: 'process' | 'loss' | 'train' | 'data' | 'eval', about: string): Snippet[] =>
    members?.sections.has(label) ? [] : [keyword(label, `${label} {\n  $0\n}`, about)];
  return [
    keyword('modality', 'modality ${1:name}: ${0:image[28, 28, 1]}', 'Data that enters and leaves.'),
    ...(members?.spaces.length
      ? []
      : [keyword('space', 'space ${1:z}: f32[$0]', 'The shared diffusion space.')]),
    keyword(
      'encoder',
      `encoder \${1:${without(members?.encoders ?? [])}} = \${1} |> $0`,
      'From the data of a modality to the space.',
    ),
    ...(members?.backbones.length
      ? []
      : [keyword('backbone', `backbone \${1:h} = concat(${z}, given) |> $0`, 'The shared network.')]),
    keyword(
      'decoder',
      `decoder \${1:${without(members?.decoders ?? [])}} = ${h} |> $0`,
      'From the backbone to the parameters of a likelihood.',
    ),
    keyword(
      'task',
      `task \${1:generate}: \${0:${all === undefined || all === '' ? 'image' : all}}`,
      'What is given and produced.',
    ),
    keyword('let', 'let ${1:name} = $0', 'A constant of the model.'),
    ...section('process', 'The forward process.'),
    ...section('loss', 'The terms of the bound.'),
    ...section('train', 'How the objective is minimised.'),
    ...section('data', 'Where rows come from.'),
    ...section('eval', 'The rows that are held out.'),
  ];
}
