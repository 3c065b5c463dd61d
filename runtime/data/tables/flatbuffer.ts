/**
 * Verification of FlatBuffers before anything reads them: the readers that are generated for JavaScript check no bounds,
 * so a vector that declares a billion elements keeps them busy. What the tables of Arrow's metadata consist of is below
 * (Apache Arrow, `format/Message.fbs`, `Schema.fbs`, `File.fbs`).
 *
 * @module
 */

/** What a slot of a table holds: so many bytes in place, or something that lies elsewhere. */
type Part =
  | number
  | 'string'
  | 'endianness'
  | { readonly vectorOf: number }
  | { readonly table: () => Spec }
  | { readonly tables: () => Spec }
  | { readonly union: ReadonlyMap<number, () => Spec>; readonly kind: number };

/** A table's slots, in their order. */
export type Spec = readonly Part[];

/** Tables within tables, as Arrow's own readers allow. */
const DEEPEST = 64;
/** Parts may be shared; what is read may be so many times the size of the buffer, not more. */
const MOST_SHARED = 16;

/** @throws RangeError where anything that the tables of `spec` refer to is not within the bytes */
export function verifyFlatbuffer(bytes: Uint8Array, spec: Spec): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let budget = MOST_SHARED * bytes.length + 1024;
  const within = (at: number, size: number): void => {
    budget -= size;
    if (at < 0 || at + size > bytes.length || budget < 0) throw new RangeError('its metadata is damaged');
  };
  const u32 = (at: number): number => {
    within(at, 4);
    return view.getUint32(at, true);
  };
  /** Checks a vector's elements of `size` bytes. @returns where they start and how many they are */
  const vector = (at: number, size: number): [start: number, count: number] => {
    const count = u32(at);
    within(at + 4, count * size);
    return [at + 4, count];
  };
  const table = (at: number, slots: Spec, depth: number): void => {
    if (depth > DEEPEST) throw new RangeError('its metadata is nested too deeply');
    const field = slotsOf(view, at, within);
    for (const [slot, part] of slots.entries()) {
      const place = field(slot, typeof part === 'number' ? part : part === 'endianness' ? 2 : 4);
      if (place === undefined || typeof part === 'number') continue;
      if (part === 'endianness') {
        if (view.getInt16(place, true) !== 0) throw new RangeError('it is of a big-endian machine');
        continue;
      }
      const target = place + u32(place);
      if (part === 'string') vector(target, 1);
      else if ('vectorOf' in part) vector(target, part.vectorOf);
      else if ('table' in part) table(target, part.table(), depth + 1);
      else if ('tables' in part) {
        const [start, count] = vector(target, 4);
        for (let i = 0; i < count; i++) table(start + 4 * i + u32(start + 4 * i), part.tables(), depth + 1);
      } else {
        const kindAt = field(part.kind, 1);
        const member = part.union.get(kindAt === undefined ? 0 : bytes[kindAt]!);
        if (!member) throw new RangeError('its metadata has a part of unknown kind');
        table(target, member(), depth + 1);
      }
    }
  };
  table(u32(0), spec, 0);
}

/** @returns where a slot of the table at `at` lies, or undefined where it has its default */
function slotsOf(
  view: DataView,
  at: number,
  within: (at: number, size: number) => void,
): (slot: number, size: number) => number | undefined {
  within(at, 4);
  const vtable = at - view.getInt32(at, true);
  within(vtable, 4);
  const [length, size] = [view.getUint16(vtable, true), view.getUint16(vtable + 2, true)];
  within(vtable, length);
  within(at, size);
  return (slot, bytes) => {
    const entry = 4 + 2 * slot;
    const offset = entry + 2 > length ? 0 : view.getUint16(vtable + entry, true);
    if (offset === 0) return undefined;
    if (offset < 4 || offset + bytes > size) throw new RangeError('its metadata is damaged');
    return at + offset;
  };
}

/** Bytes of a `Block`, of a `FieldNode` and of a `Buffer`. */
const [BLOCK, NODE, BUFFER] = [24, 16, 16];

const KEY_VALUE: Spec = ['string', 'string'];
const INT: Spec = [4, 1];
const types = new Map<number, () => Spec>([
  [1, () => []], // Null
  [2, () => INT],
  [3, () => [2]], // FloatingPoint
  [4, () => []], // Binary
  [5, () => []], // Utf8
  [6, () => []], // Bool
  [7, () => [4, 4, 4]], // Decimal
  [8, () => [2]], // Date
  [9, () => [2, 4]], // Time
  [10, () => [2, 'string']], // Timestamp
  [11, () => [2]], // Interval
  [12, () => []], // List
  [13, () => []], // Struct
  [14, () => [2, { vectorOf: 4 }]], // Union
  [15, () => [4]], // FixedSizeBinary
  [16, () => [4]], // FixedSizeList
  [17, () => [1]], // Map
  [18, () => [2]], // Duration
  [19, () => []], // LargeBinary
  [20, () => []], // LargeUtf8
  [21, () => []], // LargeList
  [22, () => []], // RunEndEncoded
  [23, () => []], // BinaryView
  [24, () => []], // Utf8View
  [25, () => []], // ListView
  [26, () => []], // LargeListView
]);
const FIELD: Spec = [
  'string', // name
  1, // nullable
  1, // kind of the type
  { union: types, kind: 2 },
  { table: () => [8, { table: () => INT }, 1, 2] }, // dictionary
  { tables: () => FIELD }, // children
  { tables: () => KEY_VALUE },
];
const SCHEMA: Spec = ['endianness', { tables: () => FIELD }, { tables: () => KEY_VALUE }, { vectorOf: 8 }];
const RECORD_BATCH: Spec = [
  8, // length
  { vectorOf: NODE },
  { vectorOf: BUFFER },
  { table: () => [1, 1] }, // compression
  { vectorOf: 8 }, // counts of variadic buffers
];
const DICTIONARY_BATCH: Spec = [8, { table: () => RECORD_BATCH }, 1];

/** `Message`: version, kind of the header, header, length of the body, metadata. */
export const MESSAGE: Spec = [
  2,
  1,
  {
    union: new Map([
      [1, () => SCHEMA],
      [2, () => DICTIONARY_BATCH],
      [3, () => RECORD_BATCH],
    ]),
    kind: 1,
  },
  8,
  { tables: () => KEY_VALUE },
];

/** `Footer`: version, schema, blocks of dictionaries, blocks of record batches, metadata. */
export const FOOTER: Spec = [
  2,
  { table: () => SCHEMA },
  { vectorOf: BLOCK },
  { vectorOf: BLOCK },
  { tables: () => KEY_VALUE },
];
