/**
 * Arrays in NumPy's `.npz` files: zip archives of `.npy` files.
 *
 * @module
 */
import { unzipSync } from 'fflate';
import type { FileArray } from './array.js';
import { DataFault } from './fault.js';
import { MOST_BYTES, readBytes } from './files.js';
import { parseNpy } from './npy.js';

/** Deflate reaches 1032 : 1 at most; what declares more is a bomb. */
const MOST_RATIO = 1032;

/**
 * @param key name of the array; may be left out where there is only one
 * @throws DataFault when the file is no zip archive, has no such array, or would unpack to too much
 */
export function readNpz(file: string, key?: string): FileArray {
  const bytes = readBytes(file);
  const names: string[] = [];
  let pickled = false;
  const wanted = key === undefined ? undefined : `${key}.npy`;
  let unpacked: Record<string, Uint8Array>;
  try {
    unpacked = unzipSync(bytes, {
      // Sizes are checked before anything is unpacked. Names are only compared, never used as paths.
      filter: ({ name, size, originalSize }) => {
        pickled ||= name.endsWith('.pkl');
        if (!name.endsWith('.npy')) return false;
        names.push(name.slice(0, -4));
        if (wanted === undefined ? names.length > 1 : name !== wanted) return false;
        if (originalSize > MOST_BYTES || originalSize > MOST_RATIO * Math.max(1, size))
          throw new DataFault(file, `declares ${originalSize} bytes for ${name}, packed in ${size}`);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof DataFault) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new DataFault(file, `is not a whole zip archive (${detail})`, { cause: error });
  }
  const list = names.map((name) => `\`${name}\``).join(', ');
  if (names.length === 0 && pickled)
    throw new DataFault(
      file,
      'is a file of torch.save(), which is a pickle: reading one can run any program',
      {
        help: 'convert it in Python: numpy.savez(), or safetensors.torch.save_file()',
      },
    );
  if (names.length === 0) throw new DataFault(file, 'holds no .npy arrays');
  if (wanted === undefined && names.length > 1)
    throw new DataFault(file, `holds several arrays: ${list}`, {
      help: `say which: \`npz("...", key: "${names[0]}")\``,
    });
  const entry = Object.entries(unpacked)[0];
  if (!entry) throw new DataFault(file, `has no array \`${key}\``, { help: `it has ${list}` });
  return parseNpy(`${file}#${entry[0].slice(0, -4)}`, entry[1]);
}
