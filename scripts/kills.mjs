/**
 * Kills a training process at random moments, resumes it until it is done, and holds the result to that of a run that
 * was left alone: parameters, optimizer state, moving average and log must be the same bytes.
 *
 *     node scripts/kills.mjs [--kills 200] [--steps 3000] [--seed 1] [--threads 1] [--out FOLDER] [--json FILE]
 *
 * Half of the kills are SIGKILL at a random moment, a quarter comes the moment that a checkpoint's temporary file is
 * seen, the rest are SIGTERM (a checkpoint is written, exit code 130).
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const program = fileURLToPath(new URL('../bin/mmdc.js', import.meta.url));

/** Label and embedding of the embedded scenes: a step takes about a millisecond. */
export const tinySpec = `import { MLP } from "std/backbones"

model Tiny {
  modality label: category["ball", "box", "pyramid", "house", "tree", "snowman"]
  modality emb: vector[16] { likelihood: cosine }
  space z: f32[24]
  encoder label = label |> linear(8) |> into(z, channels: 0..8)
  encoder emb = emb |> into(z, channels: 8..24)
  process { steps: 50 }
  backbone h = concat(z, given) |> MLP(t, width: 64, depth: 2)
  decoder label = h |> linear(6)
  decoder emb = h |> linear(16)
  task generate: label, emb
  train { batch: 16, steps: 1000, ema: 0.9 }
  data { source: builtin("scenes") }
}
`;

/** A small generator of random numbers in [0, 1), so that a failure can be repeated (mulberry32). */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One process. `kill(child, training)` is called once it is started; `training` resolves when the first step is near. */
export function start(args, { cwd, env = {}, node = [], kill, limit } = {}) {
  const command = [process.execPath, ...node, program, ...args];
  // Node ignores SIGXFSZ, so that a write beyond the limit (in units of 1024 bytes) fails as one to a full disk does.
  const [file, ...rest] =
    limit === undefined ? command : ['bash', '-c', `ulimit -f ${limit}; exec "$0" "$@"`, ...command];
  const child = spawn(file, rest, { cwd, env: { ...process.env, NO_COLOR: '1', ...env } });
  let err = '';
  let began;
  const training = new Promise((resolve) => (began = resolve));
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
    if (/parameters, \d+ steps|going on from step/.test(err)) began(true);
  });
  child.stdout.resume();
  const done = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      began(false);
      resolve({ code, signal, err });
    });
  });
  kill?.(child, training, done);
  return done;
}

/** What must be the same: the last checkpoint's arrays, the weights, and the log without its times. */
export function outcome(run) {
  const sha = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
  const folder = join(run, 'checkpoints');
  const last = readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .sort()
    .at(-1);
  const log = readFileSync(join(run, 'log.jsonl'), 'utf8').trimEnd().split('\n');
  const timeless = log.map((line) => line.replace(/"seconds":[^,}]*/, '"seconds":0'));
  return {
    checkpoint: last,
    state: sha(join(folder, last)),
    weights: sha(join(run, 'model.safetensors')),
    records: log.length,
    log: createHash('sha256').update(timeless.join('\n')).digest('hex'),
  };
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Kills at a moment drawn from `draw`. @returns what was done, to be counted */
function killer(draw, run, longest, counts) {
  return async (child, training, done) => {
    let over = false;
    void done.then(() => (over = true));
    const how = draw();
    const delay = draw() ** 2 * longest;
    // A tenth of the kills falls into the start: loading, locking, reading the checkpoint.
    if (draw() < 0.1) await sleep(draw() * 600);
    else {
      await training;
      await sleep(delay);
    }
    if (over) return;
    if (how < 0.5) {
      if (child.kill('SIGKILL')) counts.anywhere++;
      return;
    }
    if (how < 0.75) {
      const folder = join(run, 'checkpoints');
      while (!over) {
        const writing = existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.tmp'));
        if (writing && child.kill('SIGKILL')) {
          counts.writing++;
          return;
        }
        await sleep(0);
      }
      return;
    }
    if (child.kill('SIGTERM')) counts.terminated++;
  };
}

/**
 * Trains twice, once in peace and once with `kills` kills.
 * @returns figures, with `same` telling whether the two runs agree
 */
export async function killsAndResumes({
  kills,
  steps,
  seed,
  threads = 1,
  folder,
  spec = tinySpec,
  data = [],
  longest = 1500,
  env = {},
  node = [],
  onKill,
  until,
  limit,
}) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'spec.mmd'), spec);
  const args = (run) => [
    'train',
    'spec.mmd',
    ...data,
    '--out',
    run,
    '--steps',
    String(steps),
    '--threads',
    String(threads),
    '--checkpoint-every',
    '20',
  ];
  const began = performance.now();
  const peace = await start(args('straight'), { cwd: folder });
  if (peace.code !== 0) throw new Error(`the undisturbed run failed:\n${peace.err}`);
  const straight = (performance.now() - began) / 1000;
  const draw = random(seed);
  const run = join(folder, 'killed');
  const counts = { anywhere: 0, writing: 0, terminated: 0 };
  const total = () => counts.anywhere + counts.writing;
  let [starts, completed, rejected] = [0, 0, 0];
  for (;;) {
    starts++;
    const more = total() < kills && !until?.();
    const most = more ? limit?.() : undefined;
    const options = {
      cwd: folder,
      env,
      node,
      limit: most,
      ...(more ? { kill: killer(draw, run, longest, counts) } : {}),
    };
    const { code, signal, err } = await start([...args('killed'), '--resume'], options);
    if (/left out a checkpoint/.test(err)) rejected++;
    onKill?.(total(), { code, signal, err });
    if (code === 0) {
      completed++;
      if (!more) break;
      // Done before it was killed often enough: back to an earlier checkpoint by taking the newest away.
      const names = readdirSync(join(run, 'checkpoints')).sort();
      const newest = names.at(-1).replace(/\..*/, '');
      for (const name of names.filter((n) => n.startsWith(newest))) rmSync(join(run, 'checkpoints', name));
      continue;
    }
    const full = most !== undefined && code === 1 && /a file would be larger|EFBIG/.test(err);
    if (full) continue;
    if (signal !== 'SIGKILL' && code !== 130 && signal !== 'SIGTERM')
      throw new Error(`a resumed run failed with ${code ?? signal}:\n${err}`);
  }
  const [a, b] = [outcome(join(folder, 'straight')), outcome(run)];
  const same = JSON.stringify(a) === JSON.stringify(b);
  return {
    same,
    kills: total(),
    ...counts,
    starts,
    completed,
    rejected,
    straight,
    seconds: (performance.now() - began) / 1000,
    expected: a,
    found: b,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '200' },
      steps: { type: 'string', default: '3000' },
      seed: { type: 'string', default: '1' },
      threads: { type: 'string', default: '1' },
      out: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const folder = values.out ?? mkdtempSync(join(tmpdir(), 'mmdc-kills-'));
  const figures = await killsAndResumes({
    kills: Number(values.kills),
    steps: Number(values.steps),
    seed: Number(values.seed),
    threads: Number(values.threads),
    folder,
    onKill: (count, { code, signal }) => console.error(`kill ${count}: ${signal ?? code}`),
  });
  console.log(JSON.stringify(figures, undefined, 2));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`);
  if (values.out === undefined) rmSync(folder, { recursive: true, force: true });
  process.exitCode = figures.same ? 0 : 1;
}
