/**
 * Transforms that derive one modality from others, row by row, where data are read. What each does to numbers is in
 * `runtime/data/transforms.ts`; here are their parameters and types.
 *
 * @module
 */
import { sizeOf, type Shape } from '../graph/ir.js';
import type { FieldType, FieldValue } from './forms.js';
import type { ModalityType } from './info.js';

/** What flows through a chain of transforms. Shapes are those of modality types: `mask[H, W, K]`. */
export interface DerivedType {
  readonly type: ModalityType;
  readonly shape: Shape;
}

export interface TransformParam {
  readonly name: string;
  /** `modality`: another modality of the model, by its name. */
  readonly field: FieldType | { readonly type: 'modality' };
  /** Required without it; null may stay null. */
  readonly default?: FieldValue;
  readonly about: string;
}

/** Checked arguments: values by name, and types of modalities. */
export interface TransformArgs {
  readonly values: Readonly<Record<string, FieldValue>>;
  readonly types: Readonly<Record<string, DerivedType>>;
}

/** What is wrong with an argument or, without `at`, with the input. */
export interface TransformFault {
  readonly at?: string;
  readonly expected: string;
  readonly found: string;
}

export interface Transform {
  readonly name: string;
  /** Kinds of modalities that it takes; none where it begins a chain. */
  readonly input: readonly ModalityType[];
  readonly params: readonly TransformParam[];
  /** Whether rows differ by chance. */
  readonly random: boolean;
  /** Whether it is computed once for every row, when data are opened: what comes in may then not differ by chance. */
  readonly once?: boolean;
  readonly about: string;
  /** The result's type. `declared` is the type of the modality, for transforms that begin a chain. */
  result(input: DerivedType, args: TransformArgs, declared: DerivedType): DerivedType | TransformFault;
}

const positive: FieldType = { type: 'int', min: 1, max: 65_536 };
const fraction: FieldType = { type: 'float', min: 0, max: 1, above: true };

const holeParams: readonly TransformParam[] = [
  { name: 'count', field: positive, default: 1, about: 'number of holes' },
  { name: 'size', field: positive, default: null, about: 'side of the square holes, in pixels' },
  {
    name: 'area',
    field: fraction,
    default: null,
    about: 'share of the image that the holes would hide if none overlapped; in place of `size`',
  },
  {
    name: 'most',
    field: fraction,
    default: null,
    about: 'with it, each row has a share of its own, uniform between `area` and this',
  },
];
const fill: TransformParam = {
  name: 'fill',
  field: { type: 'float', min: -1, max: 1 },
  default: 0,
  about: 'value in the holes of an image; the pixels of a mask there have no class',
};

const show = ({ type, shape }: DerivedType): string => `\`${type}[${shape.join(', ')}]\``;

/**
 * Sides of one hole.
 *
 * @param position of the row's share between `area` and `most`, in 0 to 1
 */
export function holeSides(
  [height, width]: Shape,
  { count, size, area, most }: Readonly<Record<string, FieldValue>>,
  position: number,
): readonly [number, number] {
  if (typeof size === 'number') return [size, size];
  const least = area as number;
  const share = typeof most === 'number' ? least + position * (most - least) : least;
  const side = Math.sqrt(share / (count as number));
  return [Math.max(1, Math.round(side * height)), Math.max(1, Math.round(side * width))];
}

function holes({ shape }: DerivedType, { values }: TransformArgs): TransformFault | undefined {
  const given = [values.size, values.area].filter((v) => v !== null).length;
  if (given !== 1) {
    const found = given === 0 ? 'neither' : 'both';
    return { expected: 'given one of `size` and `area`', found };
  }
  const { area, most } = values;
  if (most !== null && (area === null || most <= area)) {
    const expected = area === null ? 'given with `area`' : `more than \`area\`, which is ${String(area)}`;
    return { at: 'most', expected, found: String(most) };
  }
  const size = values.size as number | null;
  if (size === null || (size <= shape[0] && size <= shape[1])) return undefined;
  const expected = `at most ${Math.min(shape[0], shape[1])}, the smaller side of the image`;
  return { at: 'size', expected, found: String(size) };
}

const list: readonly Transform[] = [
  {
    name: 'holes',
    input: [],
    params: holeParams,
    random: true,
    about:
      'Random squares, all inside the image: 1 in a hole, 0 elsewhere. With `area` each hole has the proportions of the image.',
    result: (_, args, declared) => {
      if (declared.type !== 'binary' || declared.shape.length !== 3 || declared.shape[2] !== 1)
        return { expected: 'the data of a `binary[H, W, 1]`', found: show(declared) };
      return holes(declared, args) ?? declared;
    },
  },
  {
    name: 'erase',
    input: ['image', 'mask'],
    params: [
      {
        name: 'hole',
        field: { type: 'modality' },
        about: 'a `binary[H, W, 1]` modality that is 1 where the image is hidden',
      },
      fill,
    ],
    random: false,
    about: 'Hides the pixels in which another modality is 1.',
    result: (input, { types }) => {
      const { hole } = types;
      const wanted: DerivedType = { type: 'binary', shape: [input.shape[0], input.shape[1], 1] };
      if (hole.type === 'binary' && hole.shape.join() === wanted.shape.join()) return input;
      return { at: 'hole', expected: show(wanted), found: show(hole) };
    },
  },
  {
    name: 'cutout',
    input: ['image', 'mask'],
    params: [...holeParams, fill],
    random: true,
    about:
      'Hides random squares, as `erase` of `holes` whose places nothing else knows (after DeVries & Taylor, 2017; all holes lie inside).',
    result: (input, args) => holes(input, args) ?? input,
  },
  {
    name: 'noise',
    input: ['image', 'vector'],
    params: [
      {
        name: 'sigma',
        field: { type: 'float', min: 0, above: true },
        default: 0.1,
        about: 'standard deviation',
      },
    ],
    random: true,
    about: 'Adds Gaussian noise; an image stays in its range.',
    result: (input) => input,
  },
  {
    name: 'grayscale',
    input: ['image'],
    params: [],
    random: false,
    about: 'One channel of brightness from three of colour (Rec. 601: 0.299 R + 0.587 G + 0.114 B).',
    result: (input) =>
      input.shape[2] === 3
        ? { type: 'image', shape: [input.shape[0], input.shape[1], 1] }
        : { expected: 'an image of 3 channels', found: show(input) },
  },
  {
    name: 'blur',
    input: ['image'],
    params: [
      {
        name: 'sigma',
        field: { type: 'float', min: 0, max: 64, above: true },
        default: 1,
        about: 'width in pixels',
      },
    ],
    random: false,
    about: 'Gaussian blur; at the border the weights inside count.',
    result: (input) => input,
  },
  {
    name: 'shrink',
    input: ['image'],
    params: [{ name: 'factor', field: positive, default: 2, about: 'must divide height and width' }],
    random: false,
    about: 'A smaller image of averaged squares.',
    result: ({ type, shape: [h, w, c] }, { values }) => {
      const factor = values.factor as number;
      return h % factor === 0 && w % factor === 0
        ? { type, shape: [h / factor, w / factor, c] }
        : { at: 'factor', expected: `a divisor of ${h} and ${w}`, found: String(factor) };
    },
  },
  {
    name: 'enlarge',
    input: ['image', 'binary'],
    params: [{ name: 'factor', field: positive, default: 2, about: 'how often each pixel is repeated' }],
    random: false,
    about: 'A larger image of repeated pixels: `shrink(4) |> enlarge(4)` keeps the size.',
    result: ({ type, shape }, { values }) => {
      const [h, w, c] = shape;
      const factor = values.factor as number;
      if (shape.length !== 3) return { expected: 'three dimensions', found: show({ type, shape }) };
      return sizeOf([h, w, c, factor, factor]) <= 2 ** 28
        ? { type, shape: [h * factor, w * factor, c] }
        : { at: 'factor', expected: 'a smaller factor', found: String(factor) };
    },
  },
  {
    name: 'onnx',
    input: ['image', 'vector', 'binary'],
    params: [
      {
        name: 'path',
        field: { type: 'string' },
        about: 'an ONNX file of the project, relative to the folder of the spec',
      },
      {
        name: 'output',
        field: { type: 'string' },
        default: null,
        about: 'the name of the output that is taken; without it the first',
      },
      {
        name: 'layout',
        field: { type: 'form', forms: { auto: [], nchw: [], nhwc: [] } },
        default: { form: 'auto', args: {} },
        about:
          'the order of the axes of its input; `auto` reads it off the declared shape where only one fits',
      },
      {
        name: 'range',
        field: { type: 'form', forms: { signed: [], unit: [], bytes: [] } },
        default: { form: 'signed', args: {} },
        about: 'what it expects of an image: values in [-1, 1], [0, 1] or [0, 255]',
      },
    ],
    random: false,
    once: true,
    about:
      'What a frozen network in an ONNX file says of the row: an encoder that is not trained. It runs on the side of the data, once for every row.',
    result: (_, { values }, declared) => {
      const path = values.path as string;
      if (path === '' || /^([/\\\\]|[a-zA-Z]:|[a-z]+:\/\/)/.test(path))
        return {
          at: 'path',
          expected: 'a path inside the project, relative to the folder of the spec',
          found: `"${path}"`,
        };
      return declared.type === 'vector'
        ? declared
        : { expected: 'the data of a `vector`', found: show(declared) };
    },
  },
  {
    name: 'threshold',
    input: ['image'],
    params: [
      {
        name: 'level',
        field: { type: 'float', min: -1, max: 1 },
        default: 0,
        about: 'values above it become 1',
      },
    ],
    random: false,
    about: 'A `binary` modality: 1 where the image is above a level.',
    result: ({ shape }) => ({ type: 'binary', shape }),
  },
];

export const transforms: ReadonlyMap<string, Transform> = new Map(list.map((t) => [t.name, t]));
