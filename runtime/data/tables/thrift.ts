/**
 * Structures of Thrift's compact protocol, as Parquet's footer and page headers are written ("Thrift compact protocol
 * encoding"): only numbers and structure are kept, and nothing is believed that is not there.
 *
 * @module
 */

/** Values by the number of their field: numbers, structures, lists; text and reals are `undefined`. */
export type Struct = ReadonlyMap<number, Value>;
export type Value = number | undefined | Struct | readonly Value[];

const DEEPEST = 32;

/** @returns the structure at a place, and where it ends @throws RangeError where it is damaged */
export function readStruct(bytes: Uint8Array, start: number): { value: Struct; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  const number = () => {
    const { value, end } = readVarint(bytes, at);
    at = end;
    return value;
  };
  const skip = (length: number) => {
    if (at + length > bytes.length) throw damaged();
    at += length;
    return undefined;
  };
  const element = (type: number, depth: number): Value => {
    switch (type) {
      case 1:
      case 2:
        return 2 - type;
      case 3:
        skip(1);
        return view.getInt8(at - 1);
      case 4:
      case 5:
      case 6: {
        const zigzag = number();
        return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
      case 7:
        return skip(8);
      case 8:
        return skip(number());
      case 9:
      case 10: {
        skip(1);
        const head = bytes[at - 1]!;
        const count = head >> 4 === 15 ? number() : head >> 4;
        if (count > bytes.length - at) throw damaged();
        const kind = (head & 15) < 3 ? 3 : head & 15;
        return Array.from({ length: count }, () => element(kind, depth));
      }
      case 12:
        return struct(depth + 1);
      default:
        throw damaged();
    }
  };
  const struct = (depth: number): Struct => {
    if (depth > DEEPEST) throw damaged();
    const fields = new Map<number, Value>();
    for (let id = 0; ;) {
      skip(1);
      const head = bytes[at - 1]!;
      if ((head & 15) === 0) return fields;
      id = head >> 4 ? id + (head >> 4) : Number(element(5, depth));
      fields.set(id, element(head & 15, depth));
    }
  };
  return { value: struct(0), end: at };
}

/** Seven bits a byte, the lowest first; at most ten bytes. */
export function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } {
  let [value, scale] = [0, 1];
  for (let at = start; at < Math.min(start + 10, bytes.length); at++) {
    value += (bytes[at]! & 127) * scale;
    if (bytes[at]! < 128) return { value, end: at + 1 };
    scale *= 128;
  }
  throw damaged();
}

function damaged(): RangeError {
  return new RangeError('a header is damaged');
}
