/**
 * TensorBoard event files: the log's figures as scalars. A file is a sequence of TFRecord frames (length, masked CRC-32C
 * of the length, the bytes of an `Event` message, masked CRC-32C of them), as TensorFlow's `record_writer.cc` writes them;
 * the messages are those of `event.proto` and `summary.proto`.
 *
 * @module
 */
import protobuf from 'protobufjs/minimal.js';
import type { LogRecord } from './model.js';

/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One TFRecord. */
export function frame(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return out;
}

/** Field numbers and wire types of the messages in use. */
const DOUBLE_1 = (1 << 3) | 1;
const VARINT_2 = (2 << 3) | 0;
const BYTES_1 = (1 << 3) | 2;
const FLOAT_2 = (2 << 3) | 5;
const BYTES_3 = (3 << 3) | 2;
const BYTES_5 = (5 << 3) | 2;

/** The first record of a file. @param time seconds since 1970 */
export function versionEvent(time: number): Uint8Array {
  return frame(
    protobuf.Writer.create().uint32(DOUBLE_1).double(time).uint32(BYTES_3).string('brain.Event:2').finish(),
  );
}

/** The figures of a log record, each under a tag of its own. Values that are not finite are shown as such. */
export function scalarEvent(record: LogRecord, time: number): Uint8Array {
  const writer = protobuf.Writer.create().uint32(DOUBLE_1).double(time).uint32(VARINT_2).int64(record.step);
  writer.uint32(BYTES_5).fork();
  for (const [tag, value] of tags(record)) {
    writer.uint32(BYTES_1).fork().uint32(BYTES_1).string(tag).uint32(FLOAT_2).float(value).ldelim();
  }
  return frame(writer.ldelim().finish());
}

/** Tag and value of everything in a record. */
export function tags(record: LogRecord): [tag: string, value: number][] {
  const { loss, L0, L1, L2, L3, simplified, balance = {}, rate, grad_norm: norm } = record;
  const heldOut = record.held_out ?? {};
  const under = (folder: string, figures: Readonly<Record<string, number>>) =>
    Object.entries(figures).map(([name, value]): [string, number] => [`${folder}/${name}`, value]);
  return [
    ['loss', loss],
    ['bound/L0', L0],
    ['bound/L1', L1],
    ...under('bound/L2', L2),
    ['bound/L3', L3],
    ...under('simplified', simplified),
    ...under('balance', balance),
    ...under('held_out', heldOut),
    ['optimizer/rate', rate],
    ['optimizer/grad_norm', norm],
  ];
}

/** A whole log as the content of one event file. @param started seconds since 1970 at which the run began */
export function eventFile(log: readonly LogRecord[], started: number): Uint8Array {
  return Buffer.concat([versionEvent(started), ...log.map((r) => scalarEvent(r, started + r.seconds))]);
}
