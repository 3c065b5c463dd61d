/**
 * Whether an Arrow file is what it says, before its library reads it. The library believes lengths: a damaged file makes
 * it count to 2^53, read a block for ever, or hand out values of other columns. Checked are the framing of files and
 * streams, the metadata, and that every buffer has room for the rows that are declared (Apache Arrow, "Columnar format",
 * sections "Serialization and IPC" and "Physical memory layout"). What buffers point to is checked in `arrow-values.ts`.
 *
 * @module
 */
import { DataType, Message, type Schema, UnionMode } from 'apache-arrow';
import { Footer, type FileBlock } from 'apache-arrow/ipc/metadata/file';
import { MOST_BYTES } from '../files.js';
import { FOOTER, MESSAGE, verifyFlatbuffer } from './flatbuffer.js';

const MAGIC = 'ARROW1';
/** The magic and its padding at the start; the length of the footer and the magic at the end. */
const [HEAD, TAIL] = [8, 10];
const CONTINUES = 0xffffffff;
/** Dictionaries that add to one another are joined one by one. */
const MOST_DICTIONARIES = 10_000;
/** Metadata version 4, of 2017: the ones before lay buffers out otherwise. */
const OLDEST = 3;
/** What one byte can unpack to: LZ4 has 255 at most, Zstandard 128 KiB in a block of four bytes. */
const MOST_RATIO = 2 ** 15 + 2 ** 10;

type Batch = Pick<
  ReturnType<Message<3>['header']>,
  'length' | 'nodes' | 'buffers' | 'compression' | 'variadicBufferCounts'
>;

interface Framed {
  readonly message: Message;
  readonly body: Uint8Array;
  readonly end: number;
}

/**
 * @param bytes an Arrow file (Feather version 2) or a stream
 * @returns how many rows it has
 * @throws RangeError saying what is wrong, in words that follow "is not a whole Arrow file"
 */
export function checkArrow(bytes: Uint8Array): number {
  const text = (at: number, length: number) =>
    Buffer.from(bytes.subarray(at, at + length)).toString('latin1');
  if (text(0, 4) === 'FEA1')
    throw new RangeError(
      "it is Feather version 1, which pyarrow's feather.write_feather(version=2) replaces",
    );
  const check = new Layout(bytes.length);
  if (text(0, 6) !== MAGIC) {
    stream(bytes, check);
    return check.rows;
  }
  if (bytes.length < HEAD + TAIL || text(bytes.length - 6, 6) !== MAGIC)
    throw new RangeError('its end is missing');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - TAIL;
  const length = view.getInt32(end, true);
  if (length <= 0 || end - length < HEAD) throw new RangeError('its footer is damaged');
  const metadata = bytes.subarray(end - length, end);
  verifyFlatbuffer(metadata, FOOTER);
  // The library takes schema and blocks from the footer.
  const footer = Footer.decode(metadata);
  const [dictionaries, batches] = [[...footer.dictionaryBatches()], [...footer.recordBatches()]];
  apart([...dictionaries, ...batches], end - length);
  check.schema(footer.schema);
  for (const [blocks, isBatch] of [
    [dictionaries, false],
    [batches, true],
  ] as const)
    for (const { offset } of blocks) {
      const framed = framedAt(bytes.subarray(0, end - length), offset);
      if (!framed || (isBatch ? !framed.message.isRecordBatch() : !framed.message.isDictionaryBatch()))
        throw new RangeError('its footer is damaged');
      check.message(framed);
    }
  return check.rows;
}

/** Messages one after the other, to a length of zero or the end. */
function stream(bytes: Uint8Array, check: Layout): void {
  let at = 0;
  for (let n = 0; ; n++) {
    const framed = framedAt(bytes, at);
    if (!framed) {
      if (n === 0) throw new RangeError('it is empty');
      return;
    }
    if (framed.message.isSchema() !== (n === 0))
      throw new RangeError(n === 0 ? 'it does not begin with a schema' : 'it has a second schema');
    if (n === 0) check.schema(framed.message.header() as Schema);
    else check.message(framed);
    at = framed.end;
  }
}

/** The message at a place, with its metadata verified; undefined at the end of a stream. */
function framedAt(bytes: Uint8Array, at: number): Framed | undefined {
  if (at === bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cut = (): never => {
    throw new RangeError(`it ends within the message at byte ${at}`);
  };
  const length = (from: number): number =>
    from < 0 || from + 4 > bytes.length ? cut() : view.getUint32(from, true);
  const continues = length(at) === CONTINUES;
  const size = continues ? length(at + 4) : length(at);
  const start = at + (continues ? 8 : 4);
  if (size === 0) return undefined;
  if (start + size > bytes.length) cut();
  const metadata = bytes.subarray(start, start + size);
  verifyFlatbuffer(metadata, MESSAGE);
  const message = Message.decode(metadata);
  if (!message.isSchema() && !message.isRecordBatch() && !message.isDictionaryBatch())
    throw new RangeError('it has a message that is no schema and no batch');
  const end = start + size + message.bodyLength;
  if (message.bodyLength < 0 || end > bytes.length) cut();
  return { message, body: bytes.subarray(start + size, end), end };
}

/** A block that is listed twice would be read twice. */
function apart(blocks: readonly FileBlock[], end: number): void {
  let at = HEAD;
  for (const { offset, metaDataLength, bodyLength } of blocks.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < at || metaDataLength < 0 || bodyLength < 0) throw new RangeError('its footer is damaged');
    at = offset + metaDataLength + bodyLength;
  }
  if (at > end) throw new RangeError('its footer is damaged');
}

/** Holds batches to the schema, and counts rows. */
class Layout {
  rows = 0;
  private fields: Schema | undefined;
  private dictionaries = 0;
  /** Bytes of buffers as they will be in memory, all batches together. */
  private unpacked = 0;
  private version = 0;

  /** @param size bytes of the file */
  constructor(private readonly size: number) {}

  schema(schema: Schema): void {
    if (schema.metadataVersion < OLDEST) throw new RangeError('it is of a version from before 2017');
    this.fields = schema;
    this.version = schema.metadataVersion;
  }

  message({ message, body }: Framed): void {
    const { fields, dictionaries } = this.fields!;
    if (message.isRecordBatch()) {
      const batch = message.header();
      this.batch(
        batch,
        body,
        fields.map((field) => field.type as DataType),
        true,
      );
      this.rows += batch.length;
      if (this.rows > this.mostValues())
        throw new RangeError(`it declares ${this.rows} rows, more than it has room for`);
    } else if (message.isDictionaryBatch()) {
      const { id, data } = message.header();
      const type = dictionaries.get(id);
      if (!type) throw new RangeError('it has a dictionary that no column uses');
      if (++this.dictionaries > MOST_DICTIONARIES)
        throw new RangeError(`it has more than ${MOST_DICTIONARIES} pieces of dictionaries`);
      this.batch(data, body, [type], false);
    }
  }

  /** A value takes a bit at least, but for columns that are empty as a whole. */
  private mostValues(): number {
    return 8 * (this.size + this.unpacked);
  }

  private batch(batch: Batch, body: Uint8Array, types: readonly DataType[], aligned: boolean): void {
    const buffers = new Buffers(batch, body);
    this.unpacked += buffers.unpacked;
    if (this.unpacked > MOST_BYTES) throw new RangeError(`it unpacks to more than ${MOST_BYTES} bytes`);
    for (const type of types) {
      const length = this.node(type, batch, buffers);
      if (aligned && length !== batch.length)
        throw new RangeError(`it has a column of ${length} rows and one of ${batch.length}`);
    }
    if (batch.length < 0) throw new RangeError('it declares a number of rows below zero');
    buffers.finish();
  }

  /** Walks a type in the order in which its nodes and buffers are stored. @returns how many values it has */
  private node(type: DataType, batch: Batch, buffers: Buffers): number {
    const node = buffers.node();
    const { length, nullCount } = node;
    if (length < 0 || length > this.mostValues() || nullCount > length)
      throw new RangeError(`it declares ${length} values, more than it has room for`);
    if (DataType.isNull(type)) return length;
    const offsets = (bytes: number) => buffers.need(length === 0 ? 0 : (length + 1) * bytes);
    if (!DataType.isUnion(type) || this.version < OLDEST + 1)
      buffers.need(nullCount > 0 ? Math.ceil(length / 8) : 0);
    if (DataType.isUtf8(type) || DataType.isBinary(type)) {
      offsets(4);
      buffers.need(0);
    } else if (DataType.isLargeUtf8(type) || DataType.isLargeBinary(type)) {
      offsets(8);
      buffers.need(0);
    } else if (DataType.isUtf8View(type) || DataType.isBinaryView(type)) {
      buffers.need(16 * length);
      buffers.variadic();
    } else if (DataType.isList(type) || DataType.isMap(type) || DataType.isLargeList(type)) {
      offsets(DataType.isLargeList(type) ? 8 : 4);
      this.node(childOf(type), batch, buffers);
    } else if (DataType.isFixedSizeList(type)) {
      if (this.node(childOf(type), batch, buffers) < length * positive(type.listSize))
        throw new RangeError('it has a list that is shorter than declared');
    } else if (DataType.isStruct(type)) {
      for (const { type: child } of type.children)
        if (this.node(child as DataType, batch, buffers) < length)
          throw new RangeError('it has a field that is shorter than its record');
    } else if (DataType.isUnion(type)) {
      buffers.need(length);
      if (type.mode === UnionMode.Dense) buffers.need(4 * length);
      for (const { type: child } of type.children) this.node(child as DataType, batch, buffers);
    } else buffers.need(Math.ceil((length * bitsOf(DataType.isDictionary(type) ? type.indices : type)) / 8));
    return length;
  }
}

function childOf(type: DataType): DataType {
  const [child, ...others] = (type.children ?? []) as readonly { type: DataType }[];
  if (!child || others.length > 0) throw new RangeError('it has a list that is not of one type');
  return child.type;
}

function positive(size: number): number {
  if (!Number.isInteger(size) || size < 0) throw new RangeError('it has a type of a size below zero');
  return size;
}

/** Bits of a value of a type with one buffer of values. */
function bitsOf(type: DataType): number {
  if (DataType.isBool(type)) return 1;
  if (DataType.isInt(type) || DataType.isTime(type) || DataType.isDecimal(type))
    return positive(type.bitWidth);
  if (DataType.isFloat(type)) return 16 << type.precision;
  if (DataType.isDate(type)) return 32 << type.unit;
  if (DataType.isInterval(type)) return [32, 64, 128][type.unit] ?? 128;
  if (DataType.isTimestamp(type) || DataType.isDuration(type)) return 64;
  if (DataType.isFixedSizeBinary(type)) return 8 * positive(type.byteWidth);
  throw new RangeError(`it has a column of the type ${String(type)}, which is not read`);
}

/** The nodes and buffers of a batch, taken one after the other. */
class Buffers {
  /** Bytes of all buffers in memory. */
  readonly unpacked: number;
  private readonly sizes: readonly number[];
  private nodes = 0;
  private buffers = 0;
  private variadics = 0;

  constructor(
    private readonly batch: Batch,
    body: Uint8Array,
  ) {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    this.sizes = batch.buffers.map(({ offset, length }) => {
      if (offset < 0 || length < 0 || offset + length > body.length)
        throw new RangeError('it has a buffer beyond its end');
      if (!batch.compression || length === 0) return length;
      if (length < 8) throw new RangeError('it has a packed buffer without its size');
      const size = Number(view.getBigInt64(offset, true));
      if (size === -1) return length - 8;
      if (size < 0 || size > MOST_RATIO * (length - 8))
        throw new RangeError(`it has a buffer of ${length} bytes that would unpack to ${size}`);
      return size;
    });
    this.unpacked = this.sizes.reduce((sum, size) => sum + size, 0);
  }

  node(): Batch['nodes'][number] {
    const node = this.batch.nodes[this.nodes++];
    if (!node) throw new RangeError('it has fewer columns than its schema');
    return node;
  }

  need(bytes: number): void {
    const size = this.sizes[this.buffers++];
    if (size === undefined || size < bytes)
      throw new RangeError(`it has a buffer of ${size ?? 0} bytes, and its rows take ${bytes}`);
  }

  variadic(): void {
    const count = this.batch.variadicBufferCounts[this.variadics++] ?? 0;
    if (count < 0 || count > this.sizes.length - this.buffers)
      throw new RangeError('it has fewer buffers than its schema');
    this.buffers += count;
  }

  finish(): void {
    if (this.nodes !== this.batch.nodes.length || this.buffers !== this.sizes.length)
      throw new RangeError('it has more columns than its schema');
  }
}
