/**
 * Writing files so that a reader, or a run that starts after a crash, sees either the old file or the new one.
 *
 * @module
 */
import * as nodeFs from 'node:fs';
import * as path from 'node:path';

/** What is needed of a file system; tests pass one that fails. */
export type FileSystem = Pick<
  typeof nodeFs,
  'openSync' | 'writeSync' | 'fsyncSync' | 'closeSync' | 'renameSync' | 'unlinkSync' | 'readdirSync'
>;

/** How temporary names end; a crash can leave one behind, {@link removeLeftovers} takes it away. */
const SUFFIX = '.tmp';
let counter = 0;

/**
 * Replaces `file` by the given bytes: they are written under a temporary name in the same folder and flushed to the
 * disk, then renamed over the target, and the folder is flushed. On any failure the temporary file is removed, the
 * target is what it was, and the error is thrown on.
 *
 * @param content one piece, or several to be written one after the other without joining them in memory.
 */
export function writeAtomic(
  file: string,
  content: string | Uint8Array | readonly Uint8Array[],
  fs: FileSystem = nodeFs,
): void {
  const pieces =
    typeof content === 'string' ? [Buffer.from(content)] : isBytes(content) ? [content] : content;
  const folder = path.dirname(file);
  const temporary = path.join(folder, `.${path.basename(file)}.${process.pid}.${counter++}${SUFFIX}`);
  const handle = fs.openSync(temporary, 'wx');
  try {
    try {
      for (const piece of pieces) writeAll(fs, handle, piece);
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    attempt(() => fs.unlinkSync(temporary));
    throw error;
  }
  syncFolder(folder, fs);
}

/** Removes temporary files of earlier processes that died in {@link writeAtomic}; for folders only one process writes to. */
export function removeLeftovers(folder: string, fs: FileSystem = nodeFs): void {
  for (const name of fs.readdirSync(folder)) {
    if (name.startsWith('.') && name.endsWith(SUFFIX)) attempt(() => fs.unlinkSync(path.join(folder, name)));
  }
}

/** Flushes a folder's entries, where the platform lets a folder be opened (Windows does not). */
export function syncFolder(folder: string, fs: FileSystem = nodeFs): void {
  attempt(() => {
    const handle = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  });
}

function writeAll(fs: FileSystem, handle: number, bytes: Uint8Array): void {
  let written = 0;
  // A write may be partial, and one call takes less than 2 GiB.
  while (written < bytes.length) {
    const count = fs.writeSync(handle, bytes, written, Math.min(bytes.length - written, 0x40000000));
    if (count === 0) throw new Error('the file system accepted no more bytes');
    written += count;
  }
}

function isBytes(content: Uint8Array | readonly Uint8Array[]): content is Uint8Array {
  return content instanceof Uint8Array;
}

/** For steps whose failure must not hide the error, or the success, that they come after. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // Nothing more can be done about it here.
  }
}
