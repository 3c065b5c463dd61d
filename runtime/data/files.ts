/**
 * Reading files of data, with failures told as {@link DataFault}s.
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs';
import { DataFault } from './fault.js';

/** Arrays of more bytes than this are refused: Node reads files up to 2 GiB at once. */
export const MOST_BYTES = 2 ** 31 - 1;

/**
 * All bytes of a file.
 *
 * @throws DataFault when it is missing, not a file, not readable, or larger than {@link MOST_BYTES}.
 */
export function readBytes(file: string): Uint8Array {
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw new DataFault(file, 'is a folder, not a file');
    if (stat.size > MOST_BYTES) {
      throw new DataFault(file, `has ${stat.size} bytes; at most ${MOST_BYTES} can be read`, {
        help: 'split the file into several',
      });
    }
    const buffer = readFileSync(file);
    // As a plain Uint8Array: a Buffer's slice() does not copy.
    const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    refusePickle(file, bytes);
    return bytes;
  } catch (error) {
    throw asFault(file, error);
  }
}

/**
 * Files of Python's `pickle` are programs: nothing here runs them, and their users are told what to do instead.
 * @throws DataFault for bytes that begin with PROTO 2 to 5 and end with STOP
 */
export function refusePickle(file: string, bytes: Uint8Array): void {
  const [proto, version] = bytes;
  if (proto !== 0x80 || version! < 2 || version! > 5 || bytes.at(-1) !== 0x2e) return;
  throw new DataFault(file, 'is a pickle: reading one can run any program, so it is refused', {
    help: 'convert it in Python: numpy.save() for arrays, safetensors for tensors, to_csv() or to_parquet() for tables',
  });
}

/** The DataFault for an error of the file system; a DataFault stays what it is. */
export function asFault(file: string, error: unknown): DataFault {
  if (error instanceof DataFault) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const detail =
    code === 'ENOENT'
      ? 'does not exist'
      : code === 'ENOTDIR'
        ? 'is not a folder, or lies in something that is not'
        : code === 'EACCES' || code === 'EPERM'
          ? 'may not be read (permission denied)'
          : `cannot be read (${error instanceof Error ? error.message : String(error)})`;
  return new DataFault(file, detail, { cause: error });
}
