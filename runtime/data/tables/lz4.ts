/**
 * LZ4 frames, as Feather files of pandas have them ("LZ4 Frame Format Description", version 1.6.2, and "LZ4 Block Format").
 * What comes out is of a known size. Checksums of the frame are not compared: what is unpacked is checked by its readers.
 *
 * @module
 */

const MAGIC = 0x184d2204;
/** Of a block's size: it is stored as it is. */
const STORED = 0x80000000;

/**
 * @param size bytes that come out
 * @throws RangeError for what is damaged or of another size
 */
export function unpackLz4(frame: Uint8Array, size: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const out = new Uint8Array(size);
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw damaged();
  const flags = frame[4]!;
  const [checksums, sized, dictionary] = [flags & 0x10, flags & 0x08, flags & 0x01];
  if (flags >> 6 !== 1 || dictionary) throw damaged();
  let at = 7 + (sized ? 8 : 0);
  let done = 0;
  for (;;) {
    if (at + 4 > frame.length) throw damaged();
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) break;
    const length = word & ~STORED;
    const block = frame.subarray(at, at + length);
    if (block.length !== length) throw damaged();
    if (word & STORED) {
      if (done + length > size) throw damaged();
      out.set(block, done);
      done += length;
    } else done = unpackBlock(block, out, done);
    at += length + (checksums ? 4 : 0);
  }
  if (done !== size) throw damaged();
  return out;
}

/** Literals and copies of what came before, by turns. @returns where the output ends */
function unpackBlock(block: Uint8Array, out: Uint8Array, start: number): number {
  let at = 0;
  let done = start;
  const more = (first: number): number => {
    let length = first;
    if (first !== 15) return length;
    for (let byte = 255; byte === 255; length += byte) {
      if (at >= block.length) throw damaged();
      byte = block[at++]!;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = more(token >> 4);
    if (at + literals > block.length || done + literals > out.length) throw damaged();
    out.set(block.subarray(at, at + literals), done);
    at += literals;
    done += literals;
    if (at === block.length) return done;
    if (at + 2 > block.length) throw damaged();
    const back = block[at]! | (block[at + 1]! << 8);
    at += 2;
    const length = more(token & 15) + 4;
    if (back === 0 || back > done || done + length > out.length) throw damaged();
    if (back >= length) out.copyWithin(done, done - back, done - back + length);
    else for (let i = 0; i < length; i++) out[done + i] = out[done + i - back]!;
    done += length;
  }
  throw damaged();
}

function damaged(): RangeError {
  return new RangeError('a packed buffer is damaged');
}
