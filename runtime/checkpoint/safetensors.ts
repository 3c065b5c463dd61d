/**
 * The safetensors format: eight bytes with the header's length (little-endian), a JSON header that gives each
 * tensor's dtype, shape and byte range, and the data. Nothing in such a file is executed.
 *
 * The bytes written depend on the tensors and the metadata alone, not on the order they come in.
 *
 * @module
 */

export type TensorDType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'U8' | 'BOOL';

export type SafetensorsData = Float64Array | Float32Array | BigInt64Array | Int32Array | Uint8Array;

export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: SafetensorsData;
}

export interface ReadTensor extends StoredTensor {
  /** As stored. F16 and BF16 come as Float32Array (exactly), BOOL as Uint8Array. */
  readonly dtype: TensorDType;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, ReadTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes are not a safetensors file that can be trusted. */
export class SafetensorsFault extends Error {
  override readonly name = 'SafetensorsFault';
}

const WIDTH: Readonly<Record<TensorDType, number>> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  F16: 2,
  BF16: 2,
  U8: 1,
  BOOL: 1,
};

/** The limit of the format's reference implementation. */
const MOST_HEADER = 100_000_000;
const METADATA = '__metadata__';

/**
 * The file as pieces to be written one after the other: header, then the tensors' own memory, not copied.
 *
 * @throws RangeError when a tensor's number of elements is not its shape's, or one is called `__metadata__`.
 */
export function formatSafetensors(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const entries = [...tensors].map(([name, tensor]) => ({ name, tensor, dtype: dtypeOf(tensor.data) }));
  // Wide elements first, so that every tensor is aligned to its own width; then by name.
  entries.sort((a, b) => WIDTH[b.dtype] - WIDTH[a.dtype] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const header: Record<string, unknown> = Object.create(null);
  const sorted = Object.keys(metadata).sort();
  if (sorted.length > 0) header[METADATA] = Object.fromEntries(sorted.map((key) => [key, metadata[key]!]));
  let offset = 0;
  for (const { name, tensor, dtype } of entries) {
    if (name in header || name === METADATA) throw new RangeError(`the name '${name}' cannot be used twice`);
    if (sizeOf(tensor.shape) !== tensor.data.length) {
      throw new RangeError(`'${name}' has ${tensor.data.length} elements, not the shape [${tensor.shape}]`);
    }
    const end = offset + tensor.data.byteLength;
    header[name] = { dtype, shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const start = new Uint8Array(8 + length).fill(0x20);
  new DataView(start.buffer).setBigUint64(0, BigInt(length), true);
  start.set(text, 8);
  return [start, ...entries.map(({ tensor }) => bytesOf(tensor.data))];
}

/**
 * Reads a whole file.
 *
 * @throws SafetensorsFault unless the header is sound and the tensors' ranges, each of exactly its dtype's and
 * shape's size, cover the data without overlap or gap. Everything is checked before a tensor is allocated.
 */
export function parseSafetensors(bytes: Uint8Array): Safetensors {
  const length = headerLength(bytes, bytes.length);
  const { entries, metadata } = parseHeader(bytes.subarray(8, 8 + length), bytes.length);
  const tensors = new Map<string, ReadTensor>();
  for (const { name, dtype, shape, from, to } of entries) {
    const data = decode(dtype, bytes.subarray(8 + length + from, 8 + length + to));
    tensors.set(name, { dtype, shape, data });
  }
  return { tensors, metadata };
}

/** A tensor as the header describes it. */
export interface Entry {
  readonly name: string;
  readonly dtype: TensorDType;
  readonly shape: readonly number[];
  /** Bytes from the end of the header. */
  readonly from: number;
  readonly to: number;
}

export interface Header {
  /** In the order of the data. */
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What reading a file piece by piece needs: fills `into` from the byte `position` on. */
export type ReadAt = (into: Uint8Array, position: number) => void;

/**
 * Reads a file's header alone: what is allocated is the header's size, which must lie within the file.
 *
 * @param size of the file in bytes
 * @throws SafetensorsFault as {@link parseSafetensors} does
 */
export function readHeader(read: ReadAt, size: number): Header & { readonly start: number } {
  const first = new Uint8Array(Math.min(8, size));
  read(first, 0);
  const length = headerLength(first, size);
  const header = new Uint8Array(length);
  read(header, 8);
  return { ...parseHeader(header, size), start: 8 + length };
}

/** Reads the data of one tensor of a file whose header ends at `start`. */
export function readTensor(read: ReadAt, start: number, entry: Entry): ReadTensor {
  const bytes = new Uint8Array(entry.to - entry.from);
  read(bytes, start + entry.from);
  return { dtype: entry.dtype, shape: entry.shape, data: decodeOwned(entry.dtype, bytes) };
}

/** Length of the JSON header that follows the first eight bytes, in a file of `size` bytes. */
function headerLength(first: Uint8Array, size: number): number {
  if (size < 8) throw new SafetensorsFault(`the file has ${size} bytes; a header needs 8`);
  const length = Number(new DataView(first.buffer, first.byteOffset).getBigUint64(0, true));
  const fits = length <= MOST_HEADER && 8 + length <= size;
  const other = fits ? undefined : foreignFormat(first);
  if (other !== undefined) throw new SafetensorsFault(other);
  if (length > MOST_HEADER) throw new SafetensorsFault(`the header would have ${length} bytes`);
  if (!fits) throw new SafetensorsFault(`the header ends at byte ${8 + length}, the file at ${size}`);
  return length;
}

/**
 * What a file is that was taken for safetensors by mistake. Files of `torch.save` are pickles, inside a zip archive
 * since PyTorch 1.6: loading one runs whatever program is in it, so they are never opened.
 */
function foreignFormat(first: Uint8Array): string | undefined {
  const pickle =
    'and reading a pickle can run any program, so it is refused; in Python, ' +
    '`safetensors.torch.save_file(state_dict, "x.safetensors")` converts it';
  const begins = (...bytes: number[]) => bytes.every((byte, i) => first[i] === byte);
  if (begins(0x50, 0x4b, 3, 4))
    return `it is a zip archive: a .pt file of PyTorch is a pickle in one, ${pickle}`;
  // PROTO, the first instruction of protocol 2 and later.
  if (first[0] === 0x80 && first[1] >= 2 && first[1] <= 5) return `it is a pickle, ${pickle}`;
  if (begins(0x89, 0x48, 0x44, 0x46)) return 'it is an HDF5 file';
  return undefined;
}

/** @param size of the whole file in bytes */
function parseHeader(bytes: Uint8Array, size: number): Header {
  const start = 8 + bytes.length;
  const header = parseObject(bytes);
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) metadata = checkMetadata(value);
    else entries.push(checkEntry(name, value));
  }
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  for (const { name, from, to } of entries) {
    if (from !== end) {
      throw new SafetensorsFault(
        `'${clip(name)}' starts at byte ${from}, ${from < end ? 'inside' : 'not at'} the end ${end} of what precedes it`,
      );
    }
    end = to;
  }
  if (start + end !== size) {
    throw new SafetensorsFault(`the tensors end at byte ${start + end}, the file at ${size}`);
  }
  return { entries, metadata };
}

/** Names and shapes come from the file: a message shows what fits on a line. */
function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SafetensorsFault('the header is not JSON', { cause: error });
  }
  if (bytes[0] !== 0x7b || !isRecord(value)) throw new SafetensorsFault('the header is not a JSON object');
  return value;
}

function checkMetadata(value: unknown): Record<string, string> {
  const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';
  if (!isRecord(value)) throw new SafetensorsFault('the metadata is not an object of strings');
  const entries = Object.entries(value);
  if (!entries.every(isText)) throw new SafetensorsFault('the metadata is not an object of strings');
  return Object.fromEntries(entries);
}

function checkEntry(name: string, value: unknown): Entry {
  const fault = (what: string): SafetensorsFault => new SafetensorsFault(`'${clip(name)}' ${what}`);
  if (!isRecord(value)) throw fault('is not described by an object');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(WIDTH, dtype))
    throw fault(`has the dtype ${typeof dtype === 'string' ? clip(dtype) : typeof dtype}`);
  if (!isSizes(shape)) throw fault('has no proper shape');
  if (!isSizes(offsets) || offsets.length !== 2) throw fault('has no proper data_offsets');
  const [from, to] = offsets as [number, number];
  const size = sizeOf(shape) * WIDTH[dtype as TensorDType];
  if (to - from !== size) {
    throw fault(`has ${to - from} bytes; ${dtype} of shape [${clip(shape.join())}] has ${size}`);
  }
  return { name, dtype: dtype as TensorDType, shape, from, to };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** Number of elements; of a scalar, shape [], one. */
function sizeOf(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

function dtypeOf(data: SafetensorsData): TensorDType {
  if (data instanceof Float64Array) return 'F64';
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof Int32Array) return 'I32';
  return 'U8';
}

function bytesOf(data: SafetensorsData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function decode(dtype: TensorDType, bytes: Uint8Array): SafetensorsData {
  // A copy, aligned, that does not keep the whole file alive.
  return decodeOwned(dtype, new Uint8Array(bytes));
}

/** @param bytes a buffer's whole memory, which the tensor may keep */
function decodeOwned(dtype: TensorDType, { buffer }: Uint8Array): SafetensorsData {
  switch (dtype) {
    case 'F64':
      return new Float64Array(buffer);
    case 'F32':
      return new Float32Array(buffer);
    case 'I64':
      return new BigInt64Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case 'BF16': {
      // The upper half of an f32.
      const wide = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
      return new Float32Array(wide.buffer);
    }
    default:
      return new Uint8Array(buffer);
  }
}

/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
function halfToFloat(half: number): number {
  const sign = half >>> 15 === 1 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
