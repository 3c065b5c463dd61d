/**
 * Frozen networks from ONNX files, run on the side of the data: `modality emb: vector[32] = image |> onnx("f.onnx")`.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { diagnostic } from '../../compiler/diagnostics/table.js';
import type { Place } from '../../compiler/diagnostics/diagnostic.js';
import { sizeOf } from '../../compiler/graph/ir.js';
import type { ModelInfo } from '../../compiler/model/info.js';
import type { Session } from '../executors/ort/engine.js';
import { SpecFault } from '../faults.js';
import type { TransformNode } from './transforms.js';

/** Rows that go through a network together, where it does not say itself how many. */
const batchRows = 64;

/** Where a frozen network lies, and what it is. */
export interface FrozenFile {
  /** As in the spec, from the project's root. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Reads the file that a call of `onnx` names.
 * @param project folder of the project, in which the spec's own path begins
 * @throws SpecFault at the call
 */
export function readFrozen(info: ModelInfo, node: TransformNode, project: string): FrozenFile {
  const shown = node.values.path as string;
  const refuse = (reason: string): SpecFault =>
    new SpecFault([diagnostic('MMD0970', placeOf(info, node), { path: shown, reason })]);
  const root = resolve(project);
  const file = resolve(join(root, dirname(info.module.file), shown));
  const outside = (path: string, from: string): boolean => {
    const way = relative(from, path);
    return way === '..' || way.startsWith(`..${sep}`) || resolve(from, way) !== path;
  };
  if (outside(file, root)) throw refuse('it lies outside the project');
  try {
    if (outside(realpathSync(file), realpathSync(root))) throw refuse('a link leads out of the project');
    const bytes = readFileSync(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { path: relative(root, file).split(sep).join('/'), bytes, sha256 };
  } catch (error) {
    if (error instanceof SpecFault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw refuse(
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(error),
    );
  }
}

export const placeOf = (info: ModelInfo, node: TransformNode): Place => ({
  file: info.module.file,
  range: node.place,
});

/** The rows that go in. */
export interface FrozenRows {
  readonly count: number;
  /** The row, C order; undefined where it has no value. */
  read(row: number): Float32Array | undefined;
}

type Dimensions = readonly (number | string)[];

/**
 * What the network says of every row, [rows, size]; zeros where a row has no value.
 * @param name the modality that is derived
 * @throws SpecFault at the call, where the file is no model or its declared shapes do not fit
 */
export async function runFrozen(
  info: ModelInfo,
  node: TransformNode,
  name: string,
  file: FrozenFile,
  rows: FrozenRows,
  size: number,
): Promise<Float32Array> {
  const path = node.values.path as string;
  const refuse = (reason: string): SpecFault =>
    new SpecFault([diagnostic('MMD0970', placeOf(info, node), { path, reason })]);
  const { loadEngine, sessionOptions, firstLine } = await import('../executors/ort/engine.js');
  const engine = await loadEngine('native').catch(() => loadEngine('wasm'));
  const session = await engine.ort.InferenceSession.create(file.bytes, sessionOptions(engine, engine.threads))
    // Its own words name no file.
    .catch((error: unknown) => {
      throw refuse(`onnxruntime does not load it (${firstLine(error)})`);
    });
  try {
    const plan = planOf(info, node, name, session, size);
    const out = new Float32Array(rows.count * size);
    const width = sizeOf(node.shape);
    for (let first = 0; first < rows.count; first += plan.batch) {
      const data = new Float32Array(plan.batch * width);
      const there: number[] = [];
      for (let i = 0; i < plan.batch && first + i < rows.count; i++) {
        const row = rows.read(first + i);
        if (!row) continue;
        plan.write(row, data, there.length * width);
        there.push(first + i);
      }
      if (there.length === 0) continue;
      // A network with a batch of its own has rows of zeros at the end.
      const n = plan.fixed ? plan.batch : there.length;
      const feed = new engine.ort.Tensor('float32', data.subarray(0, n * width), [n, ...plan.dims]);
      const results = await session.run({ [plan.input]: feed }, [plan.output]).catch((error: unknown) => {
        throw refuse(`it fails (${firstLine(error)})`);
      });
      const result = results[plan.output]!;
      if (result.type !== 'float32' || result.size !== n * size) {
        const [found, expected] = [`[${result.dims.join(', ')}]`, `[${n}, ${size}]`];
        throw new SpecFault([
          diagnostic('MMD0972', placeOf(info, node), { path, what: 'gives', found, expected, name }),
        ]);
      }
      const values = result.data as Float32Array;
      there.forEach((row, i) => out.set(values.subarray(i * size, (i + 1) * size), row * size));
    }
    const wrong = out.findIndex((x) => !Number.isFinite(x));
    if (wrong >= 0) throw refuse(`it gives ${out[wrong]} for row ${Math.floor(wrong / size)}`);
    return out;
  } finally {
    await session.release();
  }
}

interface Plan {
  readonly input: string;
  readonly output: string;
  readonly batch: number;
  /** Whether the network itself says how many rows go in. */
  readonly fixed: boolean;
  /** Of its input, without the batch. */
  readonly dims: readonly number[];
  /** Puts a row where it goes. */
  readonly write: (row: Float32Array, out: Float32Array, offset: number) => void;
}

/** Holds declared shapes against what goes in and comes out. @throws SpecFault at the call */
function planOf(info: ModelInfo, node: TransformNode, name: string, session: Session, size: number): Plan {
  const path = node.values.path as string;
  const place = placeOf(info, node);
  const fail = (reason: string): never => {
    throw new SpecFault([diagnostic('MMD0970', place, { path, reason })]);
  };
  const misfit = (what: string, found: Dimensions, expected: string): never => {
    throw new SpecFault([diagnostic('MMD0972', place, { path, what, found: show(found), expected, name })]);
  };
  if (session.inputNames.length !== 1)
    fail(`it has ${session.inputNames.length} inputs (${session.inputNames.join(', ')}), and one is needed`);
  const wanted = (node.values.output as string | null) ?? session.outputNames[0]!;
  const index = session.outputNames.indexOf(wanted);
  if (index < 0) fail(`it has no output \`${wanted}\`; there are ${session.outputNames.join(', ')}`);
  const [input, output] = [session.inputMetadata[0]!, session.outputMetadata[index]!];
  if (!input.isTensor || !output.isTensor || input.type !== 'float32' || output.type !== 'float32')
    return fail('its input and output are not tensors of 32-bit floats');
  const given = output.shape.slice(1);
  const known = given.every((d) => typeof d === 'number');
  if (known && given.reduce((a: number, d) => a * Number(d), 1) !== size)
    misfit('gives', output.shape, `[n, ${size}]`);
  const { dims, order } = inputOf(node, input.shape, misfit, fail);
  const [first] = input.shape;
  const fixed = typeof first === 'number' && first > 0;
  const range = (node.values.range as { form: string }).form;
  const scale = node.type !== 'image' || range === 'signed' ? 1 : range === 'unit' ? 0.5 : 127.5;
  const shift = scale === 1 ? 0 : scale;
  return {
    input: session.inputNames[0]!,
    output: wanted,
    batch: fixed ? first : batchRows,
    fixed,
    dims,
    write: (row, out, offset) => {
      if (order === 'as it is') {
        for (let i = 0; i < row.length; i++) out[offset + i] = row[i]! * scale + shift;
        return;
      }
      const channels = node.shape[2]!;
      const pixels = row.length / channels;
      for (let p = 0; p < pixels; p++)
        for (let c = 0; c < channels; c++)
          out[offset + c * pixels + p] = row[p * channels + c]! * scale + shift;
    },
  };
}

/** Axes of the input and the order of a row's elements in it. */
function inputOf(
  node: TransformNode,
  declared: Dimensions,
  misfit: (what: string, found: Dimensions, expected: string) => never,
  fail: (reason: string) => never,
): { dims: number[]; order: 'as it is' | 'channels first' } {
  const { shape } = node;
  const fits = (dims: readonly number[]): boolean =>
    dims.length === declared.length - 1 &&
    dims.every((d, i) => typeof declared[i + 1] !== 'number' || declared[i + 1] === d);
  const size = sizeOf(shape);
  if (shape.length !== 3) {
    if (fits(shape)) return { dims: [...shape], order: 'as it is' };
    return fits([size]) ? { dims: [size], order: 'as it is' } : misfit('takes', declared, `[n, ${size}]`);
  }
  const [h, w, c] = shape as [number, number, number];
  const layout = (node.values.layout as { form: string }).form;
  const last = layout !== 'nchw' && fits([h, w, c]);
  const leading = layout !== 'nhwc' && fits([c, h, w]);
  if (last && leading && c !== 1)
    fail(
      `its input ${show(declared)} may be pictures with channels first or last: say \`layout: nchw\` or \`nhwc\``,
    );
  if (last) return { dims: [h, w, c], order: 'as it is' };
  if (leading) return { dims: [c, h, w], order: 'channels first' };
  if (layout === 'auto' && fits([size])) return { dims: [size], order: 'as it is' };
  if (layout === 'auto' && c === 1 && fits([h, w])) return { dims: [h, w], order: 'as it is' };
  const expected = [`[n, ${c}, ${h}, ${w}]`, `[n, ${h}, ${w}, ${c}]`];
  return misfit(
    'takes',
    declared,
    layout === 'auto' ? expected.join(' or ') : expected[Number(layout === 'nhwc')]!,
  );
}

const show = (shape: Dimensions): string =>
  `[${shape.map((d, i) => (typeof d === 'number' && (d > 0 || i > 0) ? d : i === 0 ? 'n' : d || '?')).join(', ')}]`;
