/**
 * Damaged and hostile files of specs, runs and data: every case takes a good file, mutates it with an eye on its structure, and reads it.
 * Reading must give a value or a fault with a message; never crash, hang, write outside its folder, or hold more than
 * a bound beside the file itself.
 *
 *     node scripts/hostile.mjs [--cases 200000] [--seed 1] [--only data]
 *
 * A case that hangs is named by a second thread, which ends the process.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { dataKinds } from './hostile-data.mjs';
import { watchPaths } from './hostile-watch.mjs';
import { random } from './kills.mjs';

const dist = new URL('../dist/', import.meta.url);
const load = (file) => import(new URL(file, dist).href);

/** Seconds a case may take, bytes that buffers may hold after it, and bytes of the process at its peak. */
const LONGEST = 10;
const MOST_BYTES = 64 * 2 ** 20;
const MOST_MEMORY = 768 * 2 ** 20;

const words = [
  '',
  '0',
  '-1',
  '1e308',
  '9007199254740993',
  'null',
  '[]',
  '{}',
  '"x"',
  'true',
  '"__proto__"',
  '"../../escape"',
  '18446744073709551615',
];
const spices = [
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  '|>',
  '..',
  '"',
  '//',
  '///',
  '\u0000',
  '\ud800',
  '9'.repeat(400),
  'model',
  'network',
  'repeat(1000000000)',
  'f32[99999999, 99999999]',
  '((((((((',
  '-',
];

/** A JSON value somewhere in which one thing is another. */
function mutateJson(value, draw, depth = 0) {
  const pick = (list) => list[Math.floor(draw() * list.length)];
  if (depth > 8 || draw() < 0.15 || typeof value !== 'object' || value === null) {
    if (Array.isArray(value) && draw() < 0.3) return [...value, ...value];
    return pick([
      null,
      -1,
      0,
      1e308,
      2 ** 53,
      0.5,
      '',
      'x'.repeat(1000),
      [],
      {},
      [[[[]]]],
      true,
      '../../escape',
      value,
    ]);
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return value;
  const [key] = pick(entries);
  if (Array.isArray(value))
    return value.map((v, i) => (String(i) === key ? mutateJson(v, draw, depth + 1) : v));
  if (draw() < 0.1) return Object.fromEntries(entries.filter(([k]) => k !== key));
  if (draw() < 0.1)
    return { ...value, [pick(['__proto__', 'constructor', 'x', '__metadata__'])]: value[key] };
  return { ...value, [key]: mutateJson(value[key], draw, depth + 1) };
}

/** Bytes flipped, cut, repeated or written over. */
function mutateBytes(bytes, draw) {
  const out = Buffer.from(bytes);
  const at = Math.floor(draw() * out.length);
  const how = draw();
  if (how < 0.3) out[at] ^= 1 << Math.floor(draw() * 8);
  else if (how < 0.5) return out.subarray(0, at);
  else if (how < 0.65)
    return Buffer.concat([out.subarray(0, at), out.subarray(Math.floor(draw() * at)), out.subarray(at)]);
  else if (how < 0.8)
    out.fill(Math.floor(draw() * 256), at, Math.min(out.length, at + Math.floor(draw() * 16)));
  else
    return Buffer.concat([
      out.subarray(0, at),
      Buffer.from(words[Math.floor(draw() * words.length)]),
      out.subarray(at),
    ]);
  return out;
}

function mutateText(text, draw) {
  const at = Math.floor(draw() * text.length);
  const how = draw();
  const spice = spices[Math.floor(draw() * spices.length)];
  if (how < 0.3) return text.slice(0, at) + spice + text.slice(at);
  if (how < 0.6) return text.slice(0, at) + text.slice(at + Math.floor(draw() * 30));
  if (how < 0.8) return text.slice(0, at) + text.slice(Math.floor(draw() * at), at) + text.slice(at);
  return text.replace(/\d+/g, (n) => (draw() < 0.1 ? words[Math.floor(draw() * 5)] : n));
}

/** A safetensors file with another header over the same data. */
function withHeader(header, data, draw) {
  const text = Buffer.from(JSON.stringify(header));
  const first = Buffer.alloc(8);
  const lie = draw();
  const length =
    lie < 0.8
      ? BigInt(text.length)
      : lie < 0.9
        ? BigInt(Math.floor(draw() * 1e9))
        : BigInt.asUintN(64, BigInt(Math.floor(draw() * 2 ** 52)) << 12n);
  first.writeBigUInt64LE(length);
  return Buffer.concat([first, text, data]);
}

/**
 * @param options cases, seed, and the folder to work in, which must be empty; `only: 'data'` leaves the rest out
 * @returns cases by kind, how many were read and how many refused
 * @throws the first case that was neither, with what repeats it
 */
export async function hostile({ cases, seed, folder, only, onCase, onProgress }) {
  const [
    { formatSafetensors, parseSafetensors, SafetensorsFault },
    { save, latest, describe, CheckpointFault, checkpointFiles },
    { readLog, logFile },
    { readRun, bundleOf, compileBundle, runFile },
    { InputFault, SpecFault },
    { analyze },
    { memoryHost },
    json,
  ] = await Promise.all(
    [
      'runtime/checkpoint/safetensors.js',
      'runtime/checkpoint/checkpoint.js',
      'runtime/run/log.js',
      'runtime/run/folder.js',
      'runtime/faults.js',
      'compiler/driver.js',
      'compiler/project/host.js',
      'compiler/graph/json.js',
    ].map(load),
  );
  const library = Object.fromEntries(
    readdirSync(new URL('../stdlib/', import.meta.url)).map((name) => [
      name.replace(/\.mmd$/, ''),
      readFileSync(new URL(`../stdlib/${name}`, import.meta.url), 'utf8'),
    ]),
  );
  const spec = `import { MLP } from "std/backbones"

model Tiny {
  modality label: category[6]
  modality emb: vector[16] { likelihood: cosine }
  space z: f32[24]
  encoder label = label |> linear(8) |> into(z, channels: 0..8)
  encoder emb = emb |> into(z, channels: 8..24)
  process { steps: 20 }
  backbone h = concat(z, given) |> MLP(t, width: 8, depth: 1)
  decoder label = h |> linear(6)
  decoder emb = h |> linear(16)
  task generate: label, emb
  train { batch: 16, steps: 30, ema: 0.9 }
  data { source: builtin("scenes") }
}
`;
  const { models } = analyze(memoryHost({ 'tiny.mmd': spec }, library), 'tiny.mmd', spec);
  const model = models.get('Tiny');
  const graph = json.toJSON(model.lossStep(2));
  const arrays = {
    weights: { shape: [4, 8], data: new Float32Array(32) },
    step: { shape: [1], data: Int32Array.of(3) },
  };
  const tensors = Buffer.concat(formatSafetensors(Object.entries(arrays), { format: 'x' }));
  const length = Number(tensors.readBigUInt64LE());
  const header = JSON.parse(tensors.subarray(8, 8 + length).toString());
  const data = tensors.subarray(8 + length);
  const run = {
    format: 1,
    bundle: bundleOf(model),
    hash: 'x',
    data: null,
    steps: 30,
    seed: 0,
    batch: 16,
    version: '0',
    started: '',
  };
  const line = JSON.stringify({
    step: 10,
    loss: 1,
    L0: 0,
    L1: 1,
    L2: { label: 1 },
    L3: 0,
    simplified: {},
    rate: 1,
    grad_norm: 1,
    seconds: 1,
  });
  const work = join(folder, 'work');
  mkdirSync(work);
  const file = save(work, { step: 3, arrays, meta: { a: 1 } });
  const good = {
    arrays: readFileSync(file),
    text: readFileSync(file.replace('.safetensors', '.json'), 'utf8'),
  };

  const kinds = {
    safetensors(draw) {
      const bytes =
        draw() < 0.5 ? mutateBytes(tensors, draw) : withHeader(mutateJson(header, draw), data, draw);
      return [() => parseSafetensors(bytes), SafetensorsFault];
    },
    checkpoint(draw) {
      const description =
        draw() < 0.5
          ? JSON.stringify(mutateJson(JSON.parse(good.text), draw))
          : mutateBytes(Buffer.from(good.text), draw);
      const bytes = draw() < 0.5 ? good.arrays : mutateBytes(good.arrays, draw);
      return [
        () => {
          writeFileSync(file, bytes);
          writeFileSync(file.replace('.safetensors', '.json'), description);
          const { checkpoint, rejected } = latest(work);
          if (!checkpoint && rejected.length !== 1) throw new Error('neither used nor refused');
          if (!checkpoint) describe(checkpointFiles(work)[0]);
        },
        CheckpointFault,
      ];
    },
    log(draw) {
      const text = Buffer.from(`${line}\n`.repeat(1 + Math.floor(draw() * 5)));
      const bytes =
        draw() < 0.5
          ? mutateBytes(text, draw)
          : Buffer.from(`${JSON.stringify(mutateJson(JSON.parse(line), draw))}\n`);
      return [
        () => {
          writeFileSync(logFile(work), bytes);
          readLog(work);
        },
      ];
    },
    run(draw) {
      const text =
        draw() < 0.7
          ? JSON.stringify(mutateJson(run, draw))
          : mutateBytes(Buffer.from(JSON.stringify(run)), draw);
      return [
        () => {
          writeFileSync(runFile(work), text);
          compileBundle(readRun(work).bundle);
        },
        InputFault,
        SpecFault,
      ];
    },
    graph(draw) {
      const text = JSON.stringify(mutateJson(graph, draw));
      return [() => json.fromJSON(JSON.parse(text)), json.GraphFormatError];
    },
    spec(draw) {
      let text = spec;
      for (let i = 0; i < 1 + draw() * 4; i++) text = mutateText(text, draw);
      return [() => analyze(memoryHost({ 'tiny.mmd': text }, library), 'tiny.mmd', text)];
    },
  };
  const files = await dataKinds(work, mutateBytes);
  const all = only === 'data' ? files : { ...kinds, ...files };
  const names = Object.keys(all);
  const quick = names.filter((name) => name !== 'spec' && name !== 'run');
  const counts = Object.fromEntries(names.map((name) => [name, { read: 0, refused: 0 }]));
  // What `../../escape.png` in an archive would lead to, were it followed.
  const decoys = ['escape.png', 'escape.npy'].map((name) => join(folder, name));
  for (const decoy of decoys) writeFileSync(decoy, 'stays');
  const watch = watchPaths([work, fileURLToPath(new URL('..', import.meta.url))]);
  try {
    await every();
  } finally {
    watch.stop();
  }
  async function every() {
    for (let n = 0; n < cases; n++) {
      const draw = random(seed * 1_000_003 + n);
      // What compiles takes milliseconds, the others microseconds.
      const slow = draw();
      const drawn = slow < 0.03 ? 'spec' : slow < 0.06 ? 'run' : quick[Math.floor(draw() * quick.length)];
      const name = all[drawn] ? drawn : quick[Math.floor(draw() * quick.length)];
      onCase?.(n, name);
      const [read, ...faults] = all[name](draw);
      const began = performance.now();
      let what = 'read';
      try {
        await read();
      } catch (error) {
        if (!faults.some((fault) => error instanceof fault) || error.message.length > 100_000)
          throw new Error(`case ${n} of seed ${seed} (${name}): ${error?.stack ?? error}`, { cause: error });
        what = 'refused';
      }
      counts[name][what]++;
      const seconds = (performance.now() - began) / 1000;
      if (seconds > LONGEST)
        throw new Error(`case ${n} of seed ${seed} (${name}) took ${seconds.toFixed(1)} s`);
      const held = process.memoryUsage().arrayBuffers;
      if (held > MOST_BYTES) {
        globalThis.gc?.();
        if (process.memoryUsage().arrayBuffers > MOST_BYTES * 4)
          throw new Error(`case ${n} of seed ${seed} (${name}) left ${held} bytes of buffers`);
      }
      if (watch.outside.size > 0)
        throw new Error(`case ${n} of seed ${seed} (${name}) touched ${[...watch.outside].join(', ')}`);
      if (n % 1000 === 999) onProgress?.(n + 1);
    }
  }
  for (const decoy of decoys)
    if (readFileSync(decoy, 'utf8') !== 'stays') throw new Error(`${decoy} was written`);
  const outside = readdirSync(folder).filter((name) => name !== 'work' && !name.startsWith('escape.'));
  const inside = readdirSync(work).filter(
    (name) => !['checkpoints', 'files', 'log.jsonl', 'run.json'].includes(name),
  );
  if (outside.length + inside.length > 0)
    throw new Error(`files were written: ${[...outside, ...inside].join(', ')}`);
  return counts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
    },
  });
  // Written by this thread, read by one that is not kept busy by a case.
  const state = new Int32Array(new SharedArrayBuffer(4));
  const guard = new Worker(
    `const { workerData: state } = require('node:worker_threads');
    let [last, since] = [-1, Date.now()];
    setInterval(() => {
      if (state[0] !== last) [last, since] = [state[0], Date.now()];
      else if (Date.now() - since > ${3 * LONGEST} * 1000) {
        process._rawDebug('case ' + last + ' of seed ${Number(values.seed)} hangs');
        process.kill(process.pid, 'SIGKILL');
      }
    }, 1000);`,
    { eval: true, workerData: state },
  );
  guard.unref();
  const folder = mkdtempSync(join(tmpdir(), 'mmdc-hostile-'));
  const began = performance.now();
  try {
    const counts = await hostile({
      cases: Number(values.cases),
      seed: Number(values.seed),
      folder,
      only: values.only,
      onCase: (n) => (state[0] = n),
      onProgress: (n) =>
        n % 20000 === 0 && console.error(`${n} cases, ${Math.round((performance.now() - began) / 1000)} s`),
    });
    console.log(
      JSON.stringify(
        {
          cases: Number(values.cases),
          seconds: Math.round((performance.now() - began) / 1000),
          rss: process.resourceUsage().maxRSS * 1024,
          ...counts,
        },
        undefined,
        2,
      ),
    );
    if (process.resourceUsage().maxRSS * 1024 > MOST_MEMORY)
      throw new Error(`more than ${MOST_MEMORY} bytes of memory were taken`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
