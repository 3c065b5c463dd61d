/** Tables as other programs write them, and files that lie about what is in them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Dictionary,
  Field,
  Int32,
  List,
  Null,
  Struct,
  Binary,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { DataFault } from '../../runtime/data/fault.js';
import { unpackLz4 } from '../../runtime/data/tables/lz4.js';
import { readTable, type TableFormat } from '../../runtime/data/tables/table.js';
import { temporaryFolder } from './support.js';

const folder = temporaryFolder();
async function read(format: TableFormat, bytes: Uint8Array, name: string): Promise<unknown[]> {
  const file = join(folder, 'table');
  writeFileSync(file, bytes);
  return Array.from((await readTable(file, format, [name])).column(name), plain);
}
const plain = (value: unknown): unknown =>
  ArrayBuffer.isView(value)
    ? Array.from(value as Float32Array)
    : Array.isArray(value)
      ? value.map(plain)
      : typeof value === 'bigint'
        ? Number(value)
        : value;
async function refused(format: TableFormat, bytes: Uint8Array, name = 'x'): Promise<string> {
  try {
    await read(format, bytes, name);
  } catch (error) {
    expect(error).toBeInstanceOf(DataFault);
    return (error as DataFault).detail;
  }
  throw new Error('nothing was refused');
}

/** Made with pyarrow 26 (`feather`, `runs` packed with LZ4; `parquet` with Zstandard, pages of version 2), polars 2.1. */
const made = {
  feather:
    'QVJST1cxAAD/////AAEAABAAAAAAAAoADAAGAAUACAAKAAAAAAEEAAQAAABM////BAAAAAIAAACAAAAABAAAANj///8AAAEMFAAAABgAAAAEAAAAAQAAACAAAAABAAAAdgAAAGD///8QABQACAAGAAcADAAAABAAEAAAAAAAAQMQAAAAHAAAAAQAAAAAAAAABAAAAGl0ZW0AAAYACAAGAAYAAAAAAAEAEAAYAAgABgAHAAwAEAAUABAAAAAAAAEFFAAAAEQAAAAgAAAABAAAAAAAAAAEAAAAa2luZAAAAAAIAAgAAAAEAAgAAAAMAAAACAAMAAgABwAIAAAAAAAAASAAAAAEAAQABAAAAAAAAAD/////uAAAABQAAAAAAAAADAAYAAYABQAIAAwADAAAAAACBAAYAAAASAAAAAAAAAAAAAAACAAIAAAABAAIAAAAEAAAAAwAHAAQAAQACAAMAAwAAABYAAAAHAAAABQAAAACAAAAAAAAAAAAAAAEAAQABAAAAAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAjAAAAAAAAACgAAAAAAAAAHQAAAAAAAAAAAAAAAQAAAAIAAAAAAAAAAAAAAAAAAAAMAAAAAAAAAAQiTRhgQIIMAACAAAAAAAMAAAAGAAAAAAAAAAAAAAAABgAAAAAAAAAEIk0YYECCBgAAgGNhdGRvZwAAAAAAAAD/////+AAAABQAAAAAAAAADAAYAAYABQAIAAwADAAAAAADBAAcAAAAmAAAAAAAAAAAAAAADAAcABAABAAIAAwADAAAAIgAAAAcAAAAFAAAAAMAAAAAAAAAAAAAAAQABAAEAAAABgAAAAAAAAAAAAAAGAAAAAAAAAAYAAAAAAAAACMAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAJwAAAAAAAABoAAAAAAAAAAAAAAAAAAAAaAAAAAAAAAAvAAAAAAAAAAAAAAADAAAAAwAAAAAAAAABAAAAAAAAAAMAAAAAAAAAAAAAAAAAAAAGAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAEIk0YYECCAQAAgAUAAAAADAAAAAAAAAAEIk0YYECCDAAAgAAAAAAAAAAAAQAAAAAAAAAAAAAAABAAAAAAAAAABCJNGGBAghAAAIAAAAAAAgAAAAQAAAAGAAAAAAAAAAAYAAAAAAAAAAQiTRhgQIIYAACAAACAPwAAAEAAAEBAAACQQAAAoMAAAMBAAAAAAAD/////AAAAABAAAAAMABQABgAIAAwAEAAMAAAAAAAEAEgAAAAoAAAABAAAAAEAAAAYAgAAAAAAAAABAAAAAAAAmAAAAAAAAAAAAAAAAQAAABABAAAAAAAAwAAAAAAAAABIAAAAAAAAAEz///8EAAAAAgAAAIAAAAAEAAAA2P///wAAAQwUAAAAGAAAAAQAAAABAAAAIAAAAAEAAAB2AAAAYP///xAAFAAIAAYABwAMAAAAEAAQAAAAAAABAxAAAAAcAAAABAAAAAAAAAAEAAAAaXRlbQAABgAIAAYABgAAAAAAAQAQABgACAAGAAcADAAQABQAEAAAAAAAAQUUAAAARAAAACAAAAAEAAAAAAAAAAQAAABraW5kAAAAAAgACAAAAAQACAAAAAwAAAAIAAwACAAHAAgAAAAAAAABIAAAAAQABAAEAAAAQAEAAEFSUk9XMQ==',
  runs: 'QVJST1cxAAD/////cAAAABAAAAAAAAoADAAGAAUACAAKAAAAAAEEAAwAAAAIAAgAAAAEAAgAAAAEAAAAAQAAABQAAAAQABQACAAGAAcADAAAABAAEAAAAAAAAQMQAAAAGAAAAAQAAAAAAAAAAQAAAHYABgAIAAYABgAAAAAAAgD/////mAAAABQAAAAAAAAADAAYAAYABQAIAAwADAAAAAADBAAcAAAAOAAAAAAAAAAAAAAADAAcABAABAAIAAwADAAAAEgAAAAcAAAAFAAAAC0BAAAAAAAAAAAAAAQABAAEAAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADMAAAAAAAAAAAAAAAEAAAAtAQAAAAAAAAAAAAAAAAAAaAkAAAAAAAAEIk0YYECCHAAAABEAAQAh8D8HAA8IAP///////////0xQAAAAAEAAAAAAAAAAAAD/////AAAAABAAAAAMABQABgAIAAwAEAAMAAAAAAAEADQAAAAkAAAABAAAAAEAAACAAAAAAAAAAKAAAAAAAAAAOAAAAAAAAAAAAAAACAAIAAAABAAIAAAABAAAAAEAAAAUAAAAEAAUAAgABgAHAAwAAAAQABAAAAAAAAEDEAAAABgAAAAEAAAAAAAAAAEAAAB2AAYACAAGAAYAAAAAAAIAmAAAAEFSUk9XMQ==',
  polars:
    '/////6gAAAAEAAAA8v///xQAAAAEAAEAAAAKAAsACAAKAAQA+P///wwAAAAIAAgAAAAEAAIAAAA8AAAABAAAALj///8oAAAAEAAAAAgAAAABAgAAAAAAAPT///9AAAAAAQAAAAgACQAEAAgAAQAAAHYAAADs////LAAAACAAAAAYAAAAARgAABAAEgAEABAAEQAIAAAADAAAAAAA/P///wQABAABAAAAcwAAAAAAAAD/////6AAAAAQAAADs////wAAAAAAAAAAUAAAABAADAAwAEwAQABIADAAEAN7///8CAAAAAAAAAJQAAAA4AAAAKAAAABgAAAAAAAAAAAAOABwABAAMABAAFAAYAAEAAAABAAAAAAAAAPr///8BAAYABQAEAAUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAqAAAAAAAAAEAAAAAAAAAANQAAAAAAAACAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAAAhAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAAgAAAAAAAAACi1L/0gIM0AAIgkAAAAYSB0ZQADAAAAZG9nAAIAgPAMHAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJAAAAAAAAAAotS/9ICQhAQBhIHRleHQgdGhhdCBkb2VzIG5vdCBsaWUgaW4gaXRzIHZpZXcAAAAAAAAAAAAAABAAAAAAAAAAKLUv/SAQgQAAAgAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD/////AAAAAA==',
  parquet:
    'UEFSMRUEFRwVLkwVBBUAEgAAKLUv/SAOcQAAAwAAAGNhdAMAAABkb2cVBhUKFQpcFQYVABUGFRAVBBUAEhwAAAAGAQEDAhUEFTAVQkwVDBUAEgAAKLUv/SAYwQAAAACAPwAAAEAAAEBAAACQQAAAoMAAAMBAFQYVEhUSXBUMFQAVBhUQFQQVBBIcAAAAAyoMAwMDiMYCFQQZXDUAGAZzY2hlbWEVBAAVDCUCGARraW5kJQBMHAAAADUCGAF2FQIVBkw8AAAANQQYBGxpc3QVAgAVCCUCGAdlbGVtZW50ABYGGRwZLCYAHBUMGTUABhAZGARraW5kFQwWBhZyFoQBJlImCCksFQQVABUCABUAFRAVAgA8FhIZBhkmAAYAAAAmABwVCBk1AAYQGTgBdgRsaXN0B2VsZW1lbnQVDBYMFo4BFqABJuoBJowBKSwVBBUAFQIAFQAVEBUCADwpJgYGGUYAAAAMAAAAFoACFgYmCBakAgAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGSwcAAAcAAAACAEAAFBBUjE=',
};
const bytesOf = (name: keyof typeof made) => new Uint8Array(Buffer.from(made[name], 'base64'));

describe('what other programs write', () => {
  test('Feather of pandas, packed with LZ4: dictionaries, lists, missing values', async () => {
    expect(await read('arrow', bytesOf('feather'), 'kind')).toEqual(['cat', null, 'dog']);
    expect(await read('arrow', bytesOf('feather'), 'v')).toEqual([
      [1, 2],
      [3, 4.5],
      [-5, 6],
    ]);
    expect(await read('arrow', bytesOf('runs'), 'v')).toEqual([...new Array<number>(300).fill(1), 2]);
  });

  test('a stream of polars, packed with Zstandard, with text in views', async () => {
    expect(await read('arrow', bytesOf('polars'), 's')).toEqual([
      'a text that does not lie in its view',
      'dog',
    ]);
    expect(await read('arrow', bytesOf('polars'), 'v')).toEqual([2, 1]);
  });

  test('Parquet of pyarrow: text, lists', async () => {
    const words = await read('parquet', bytesOf('parquet'), 'kind');
    expect(words.map((word) => Buffer.from(word as number[]).toString())).toEqual(['cat', 'dog', 'cat']);
    expect(await read('parquet', bytesOf('parquet'), 'v')).toEqual([
      [1, 2],
      [3, 4.5],
      [-5, 6],
    ]);
  });

  test('pictures as records, as `datasets` has them; nested lists; halves of tables', async () => {
    const record = new Struct([new Field('bytes', new Binary(), true), new Field('path', new Utf8(), true)]);
    const two = new List(new Field('item', new List(new Field('item', new Int32(), true)), true));
    const table = new Table({
      x: vectorFromArray([{ bytes: Uint8Array.of(1, 2), path: 'a' }, null], record),
      y: vectorFromArray([[[1], [2, 3]], []], two),
    });
    for (const form of ['file', 'stream'] as const) {
      const [first, second] = (await read('arrow', tableToIPC(table.concat(table), form), 'x')) as [
        { bytes: Uint8Array },
        null,
      ];
      expect([[...first.bytes], second]).toEqual([[1, 2], null]);
      expect(await read('arrow', tableToIPC(table, form), 'y')).toEqual([[[1], [2, 3]], []]);
    }
  });
});

describe('LZ4 frames', () => {
  const frame = (...blocks: number[][]) =>
    Uint8Array.from([
      ...[0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0],
      ...blocks.flatMap((block) => [block.length, 0, 0, 0, ...block]),
      ...[0, 0, 0, 0],
    ]);

  test('literals, copies that overlap themselves, copies from the block before', () => {
    // 'ab', then ten bytes from two back; then 'c' alone, and four bytes from eight back with 'd'.
    expect(
      Buffer.from(
        unpackLz4(frame([0x26, 97, 98, 2, 0, 0x10, 99], [0x10, 100, 8, 0, 0x10, 101]), 19),
      ).toString(),
    ).toBe('abababababab' + 'c' + 'd' + 'abab' + 'e');
  });

  test.each<[string, number[][], number]>([
    ['more than was declared', [[0x26, 97, 98, 2, 0, 0x10, 99]], 12],
    ['less than was declared', [[0x26, 97, 98, 2, 0, 0x10, 99]], 14],
    ['a copy from before the start', [[0x16, 97, 2, 0, 0x10, 99]], 12],
    ['a copy from nowhere', [[0x16, 97, 0, 0, 0x10, 99]], 12],
    ['a length without end', [[0xf0, 255, 255, 255]], 800],
    ['literals that are not there', [[0x50, 97]], 5],
  ])('%s is refused', (_, blocks, size) => {
    expect(() => unpackLz4(frame(...blocks), size)).toThrow('a packed buffer is damaged');
  });
});

describe('Arrow files that lie', () => {
  const one = new Table({ x: vectorFromArray([7, 8, 9], new Int32()) });
  const file = () => Uint8Array.from(tableToIPC(one, 'file'));
  const stream = () => Uint8Array.from(tableToIPC(one, 'stream'));
  /** Replaces the places of one 64-bit number by another, or the last of them. */
  function replaced(bytes: Uint8Array, from: number, to: bigint, last = false): Uint8Array {
    const view = new DataView(bytes.buffer);
    const places: number[] = [];
    for (let at = 0; at + 8 <= bytes.length; at += 4)
      if (view.getBigInt64(at, true) === BigInt(from)) places.push(at);
    expect(places.length).toBeGreaterThan(0);
    for (const at of last ? places.slice(-1) : places) view.setBigInt64(at, to, true);
    return bytes;
  }
  const footerAt = (bytes: Uint8Array) =>
    bytes.length - 10 - new DataView(bytes.buffer).getInt32(bytes.length - 10, true);

  test('numbers of rows beyond the file', async () => {
    expect(await refused('arrow', replaced(stream(), 3, 2n ** 52n))).toContain('more than it has room for');
    const nothing = tableToIPC(
      new Table({ x: vectorFromArray([null, null, null, null, null], new Null()) }),
      'stream',
    );
    expect(await refused('arrow', replaced(Uint8Array.from(nothing), 5, 2n ** 40n))).toContain(
      'more than it has room for',
    );
  });

  test('buffers beyond the file, and too short for their rows', async () => {
    expect(await refused('arrow', replaced(stream(), 16, 2n ** 40n, true))).toContain(
      'a buffer beyond its end',
    );
    expect(await refused('arrow', replaced(stream(), 16, 8n, true))).toContain(
      'a buffer of 8 bytes, and its rows take 12',
    );
  });

  test('blocks of the footer: listed twice, or where no batch is', async () => {
    const again = new Table([...one.batches, ...one.batches]);
    const bytes = Uint8Array.from(tableToIPC(again, 'file'));
    expect(await read('arrow', bytes, 'x')).toEqual([7, 8, 9, 7, 8, 9]);
    const [start, view] = [footerAt(bytes), new DataView(bytes.buffer)];
    // Offset, length of the metadata, length of the body: the first batch lies right behind the magic.
    const blocks = Array.from({ length: (bytes.length - 34 - start) >> 2 }, (_, i) => start + 4 * i).filter(
      (at) =>
        [8n, 8n + 0x90n + 16n].includes(view.getBigInt64(at, true)) &&
        view.getBigInt64(at + 16, true) === 16n,
    );
    expect(blocks).toHaveLength(2);
    view.setBigInt64(blocks[1]!, 8n, true);
    expect(await refused('arrow', bytes)).toContain('its footer is damaged');
    view.setBigInt64(blocks[1]!, BigInt(start - 8), true);
    expect(await refused('arrow', bytes)).toContain('its footer is damaged');
    view.setBigInt64(blocks[1]!, -8n, true);
    expect(await refused('arrow', bytes)).toContain('its footer is damaged');
  });

  test('batches where the schema should be, which the library would read for ever', async () => {
    // pyarrow's files begin with the schema: their footer is made to list it as a batch.
    const bytes = bytesOf('runs');
    const [start, view] = [footerAt(bytes), new DataView(bytes.buffer)];
    let places = 0;
    for (let at = start; at + 24 <= bytes.length - 10; at += 4) {
      const offset = Number(view.getBigInt64(at, true));
      if (offset < 16 || offset >= start || view.getUint32(offset, true) !== 0xffffffff) continue;
      view.setBigInt64(at, 8n, true);
      places++;
    }
    expect(places).toBe(1);
    expect(await refused('arrow', bytes, 'v')).toContain('its footer is damaged');
  });

  test('offsets of text and of lists, and words of a dictionary', async () => {
    const text = Uint8Array.from(
      tableToIPC(new Table({ x: vectorFromArray(['abc', 'defg'], new Utf8()) }), 'stream'),
    );
    const at = Buffer.from(text).indexOf(Buffer.from(Int32Array.of(0, 3, 7).buffer));
    const put = (values: number[]) => {
      const copy = Uint8Array.from(text);
      copy.set(new Uint8Array(Int32Array.from(values).buffer), at);
      return copy;
    };
    expect(await read('arrow', put([0, 3, 7]), 'x')).toEqual(['abc', 'defg']);
    expect(await refused('arrow', put([0, 2 ** 30, 2 ** 30]))).toContain('beyond its end');
    expect(await refused('arrow', put([0, 7, 3]))).toContain('its row 1 ends before it begins');
    expect(await refused('arrow', put([-4, 3, 7]))).toContain('begin before the file');
    const words = vectorFromArray(['p', 'q', 'p'], new Dictionary(new Utf8(), new Int32()));
    const indexed = Uint8Array.from(tableToIPC(new Table({ x: words }), 'stream'));
    const place = Buffer.from(indexed).lastIndexOf(Buffer.from(Int32Array.of(0, 1, 0).buffer));
    indexed[place] = 9;
    expect(await refused('arrow', indexed)).toContain('row 0 has the word 9 of a dictionary of 2');
  });

  test('cut anywhere, every file and stream is refused, or holds fewer batches', async () => {
    for (const whole of [file(), stream(), bytesOf('feather'), bytesOf('polars')])
      for (let keep = 0; keep < whole.length - 8; keep += 13)
        expect(await refused('arrow', whole.slice(0, keep), whole.length > 600 ? 'v' : 'x')).toMatch(
          /not a whole Arrow file/,
        );
  });

  test('Feather version 1, and a stream of nothing, are told', async () => {
    expect(await refused('arrow', new TextEncoder().encode('FEA1 and more FEA1'))).toContain(
      'Feather version 1',
    );
    expect(await refused('arrow', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0))).toContain(
      'it is empty',
    );
  });
});

describe('Parquet files that lie', () => {
  const word = (...options: object[]) =>
    Buffer.from(
      parquetWriteBuffer({
        codec: 'UNCOMPRESSED',
        columnData: [{ name: 'x', data: [1, 1, 1, 1], type: 'INT32', nullable: true, ...options[0] }],
      }),
    );

  test('a run of levels that is longer than its page', async () => {
    const good = word({ data: new Array<number>(1000).fill(1) });
    expect(await read('parquet', good, 'x')).toEqual(new Array(1000).fill(1));
    // Definition levels are one run: 1000 << 1 in two bytes, and the level. The library would write out any length.
    const at = good.indexOf(Buffer.from([0xd0, 0x0f, 1]));
    expect(at).toBeGreaterThan(0);
    good.set([0xfe, 0x7f], at);
    expect(await refused('parquet', good)).toContain('a run that is longer than the page');
  });

  test('rows that do not agree, footers and pages beyond the file', async () => {
    const footer = word();
    footer.writeUInt32LE(2 ** 31, footer.length - 8);
    expect(await refused('parquet', footer)).toContain('its footer is longer than the file');
    expect(await refused('parquet', word().subarray(0, 60))).toContain('PAR1');
    const rows = word();
    // The file's number of rows, before its row groups: field 3, a 64-bit integer.
    const at = rows.lastIndexOf(Buffer.from([0x16, 8, 0x19]));
    expect(at).toBeGreaterThan(0);
    rows[at + 1] = 10;
    expect(await refused('parquet', rows)).toContain('numbers of rows do not agree');
  });

  test('any byte changed gives rows or a fault', { timeout: 120_000 }, async () => {
    for (const good of [word(), word({ encoding: 'DELTA_BINARY_PACKED' }), Buffer.from(bytesOf('parquet'))])
      for (let at = 0; at < good.length; at += 2)
        for (const value of [0, 0xff]) {
          const bytes = Buffer.from(good);
          bytes[at] = value;
          try {
            await read('parquet', bytes, good.includes('kind') ? 'v' : 'x');
          } catch (error) {
            expect(error).toBeInstanceOf(DataFault);
          }
        }
  });
});
