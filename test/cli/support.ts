/** Runs the built program (`npm run build` makes it) and looks at what a user would see. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const program = path.join(root, 'bin', 'mmdc.js');

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with all of standard error so far, whenever there is more of it. */
  readonly onErr?: (err: string, child: ChildProcess) => void;
}

/** One run of `mmdc`. */
export function mmdc(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const env = { ...process.env, ...options.env };
  // Tests must not depend on how they themselves are run.
  for (const name of ['NO_COLOR', 'FORCE_COLOR']) if (!options.env?.[name]) delete env[name];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: options.cwd ?? root, env });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      options.onErr?.(err, child);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.on('error', () => undefined).end(options.input ?? '');
  });
}

export interface Folder {
  readonly path: string;
  at(...names: string[]): string;
  write(name: string, content: string | Uint8Array): string;
  read(name: string): string;
  has(name: string): boolean;
  /** Names inside, sorted. */
  list(name?: string): string[];
  run(...args: string[]): Promise<Result>;
}

/** A folder that lives for the tests of one file; commands run in it. */
export function folder(): Folder {
  const dir = mkdtempSync(path.join(tmpdir(), 'mmdc-cli-'));
  beforeAll(() => {
    if (!existsSync(path.join(root, 'dist', 'runtime', 'cli', 'main.js')))
      throw new Error('the program is not built: run `npm run build` first');
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const at = (...names: string[]) => path.join(dir, ...names);
  return {
    path: dir,
    at,
    write(name, content) {
      writeFileSync(at(name), content);
      return at(name);
    },
    read: (name) => readFileSync(at(name), 'utf8'),
    has: (name) => existsSync(at(name)),
    list: (name = '.') => readdirSync(at(name)).sort(),
    run: (...args) => mmdc(args, { cwd: dir }),
  };
}

/** Label and embedding of the embedded scenes: small enough to train in a second. */
export const tinySpec = `import { MLP } from "std/backbones"

/// A small model over the embedded scenes.
model Tiny {
  modality label: category["ball", "box", "pyramid", "house", "tree", "snowman"]
  modality emb: vector[16] { likelihood: cosine }
  space z: f32[24]

  encoder label = label |> linear(8) |> into(z, channels: 0..8)
  encoder emb = emb |> into(z, channels: 8..24)

  process { steps: 50 }
  backbone h = concat(z, given) |> MLP(t, width: 32, depth: 1)
  decoder label = h |> linear(6)
  decoder emb = h |> linear(16)

  task generate: label, emb
  task recognise: emb -> label
  task imagine: label -> emb { guidance: 1.5, steps: 10, readout: chain }

  train { batch: 16, steps: 30, ema: 0.9 }
  data { source: builtin("scenes") }
}
`;

/** Images of 4 x 4 and their labels, from two IDX files. */
export const filesSpec = `import { MLP } from "std/backbones"

model Small {
  modality image: image[4, 4, 1]
  modality label: category[3]
  space z: f32[4, 4, 1]
  encoder image = image
  encoder label = label |> project(shape(z))
  process { steps: 20, origin: image }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder z = h |> project(shape(z))
  decoder label = h |> linear(3)
  task generate: image, label
  data { image: idx("image.idx"), label: idx("label.idx") }
  train { batch: 4, steps: 3 }
}
`;

/** An IDX file of bytes. */
export function idx(shape: readonly number[], data: ArrayLike<number>): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint8(2, 8);
  header.setUint8(3, shape.length);
  shape.forEach((d, i) => header.setUint32(4 + 4 * i, d));
  return Uint8Array.from([...new Uint8Array(header.buffer), ...Array.from(data)]);
}
