/**
 * Benchmarks against PyTorch on the same machine: `npm run bench -- transformer`, `dit`, `unet`, `sampling`, `compile` or
 * `all`. Each side is a process of its own; they take turns in short rounds, so that other work on the machine falls on
 * all of them alike, and the figure is the median over rounds of the ratio of the round's medians. Prints Markdown.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const python = process.env['MMDC_PYTHON'];
/** A check that everything runs, at two rows: no measurement. */
const tiny = process.env['BENCH_TINY'] === '1';
const rounds = Number(process.env['BENCH_ROUNDS'] ?? (tiny ? 1 : 12));
const seconds = Number(process.env['BENCH_SECONDS'] ?? (tiny ? 0 : 0.6));
const threadCounts = (process.env['BENCH_THREADS'] ?? (tiny ? '1' : '1,2')).split(',').map(Number);

/** `BENCH_SIDES=ours,eager` leaves torch.compile out, which takes most of the time. */
const compared = (python ? (process.env['BENCH_SIDES'] ?? 'ours,eager,compiled') : 'ours').split(
  ',',
) as Side[];

interface Bench {
  readonly kind: 'train' | 'sample';
  readonly title: string;
  readonly spec: string;
  /** Floating-point operations of products and convolutions in one step, where that is reported. */
  readonly flops?: number;
  readonly targets: { readonly eager: number; readonly compiled?: number };
  readonly channelsLast?: boolean;
}

const benches: Readonly<Record<string, Bench>> = {
  transformer: {
    kind: 'train',
    title: 'transformer, training step',
    spec: here('transformer.mmd'),
    flops: 10.68e9,
    targets: { eager: 0.75, compiled: 1 },
  },
  dit: {
    kind: 'train',
    title: 'DiT, training step',
    spec: here('dit.mmd'),
    targets: { eager: 0.75, compiled: 1 },
  },
  unet: {
    kind: 'train',
    title: 'U-Net, training step',
    spec: here('unet.mmd'),
    targets: { eager: 1 },
  },
  sampling: {
    kind: 'sample',
    title: 'digits, 64 pictures for labels in 20 steps',
    spec: here('../../examples/digits.mmd'),
    targets: { eager: 0.6 },
  },
};

type Side = 'ours' | 'eager' | 'compiled';

function spawnSide(side: Side, threads: number): Child {
  if (side === 'ours') return new Child(process.execPath, [here('ours.mjs')]);
  if (!python) throw new Error('set MMDC_PYTHON to a Python with PyTorch');
  // Compiling is timed too: nothing is taken from an earlier run's cache.
  const env = { OMP_NUM_THREADS: `${threads}`, TORCHINDUCTOR_FORCE_DISABLE_CACHES: '1' };
  return new Child(python, [here('torch/peer.py')], env);
}

interface Outcome {
  readonly times: Readonly<Record<Side, readonly number[][]>>;
  readonly prepared: Readonly<Record<Side, number>>;
  readonly session: number;
  readonly memory: Readonly<Record<Side, number>>;
  readonly difference: number;
  readonly versions: readonly string[];
}

async function measure(bench: Bench, threads: number, turns: number): Promise<Outcome> {
  const sides = compared;
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const children = new Map<Side, Child>();
  try {
    const writer = spawnSide('ours', threads);
    await writer.ask('fixture', { kind: bench.kind, spec: bench.spec, folder });
    writer.end();
    const record = <T>(value: (side: Side) => T) =>
      Object.fromEntries(sides.map((side) => [side, value(side)])) as Record<Side, T>;
    const prepared = record(() => NaN);
    const memory = record(() => NaN);
    const values = record(() => [] as number[]);
    const times = record(() => [] as number[][]);
    const versions: string[] = [];
    let session = NaN;
    for (const side of sides) {
      const child = spawnSide(side, threads);
      children.set(side, child);
      const reply = await child.ask('prepare', {
        kind: bench.kind,
        spec: bench.spec,
        fixture: folder,
        threads,
        compiled: side === 'compiled',
        channels_last: bench.channelsLast ?? false,
      });
      prepared[side] = reply.seconds;
      session = reply.session ?? session;
      versions.push(reply.version);
      values[side].push(...reply.values);
      // Warm, and a few more steps whose losses must agree.
      values[side].push(
        ...(await child.ask('run', { seconds: 0, least: bench.kind === 'train' ? 5 : 1 })).values,
      );
    }
    let difference = 0;
    for (const side of sides.slice(1))
      values.ours.forEach((x, i) => {
        difference = Math.max(
          difference,
          Math.abs(x - (values[side][i] as number)) / Math.max(Math.abs(x), 1e-3),
        );
      });
    if (bench.kind === 'sample' && python) difference = await pictures(children);
    for (let round = 0; round < turns; round++) {
      const order = sides.map((_, k) => sides[(k + round) % sides.length] as Side);
      for (const side of order)
        times[side].push([
          ...(
            await (children.get(side) as Child).ask('run', { seconds, least: bench.kind === 'train' ? 3 : 1 })
          ).times,
        ]);
    }
    for (const [side, child] of children) memory[side] = (await child.ask('memory')).bytes;
    return { times, prepared, session, memory, difference, versions };
  } finally {
    for (const child of children.values()) child.end();
    rmSync(folder, { recursive: true });
  }
}

/** Largest difference between the pictures of both sides, which are in [-1, 1]. */
async function pictures(children: ReadonlyMap<Side, Child>): Promise<number> {
  const ours = (await (children.get('ours') as Child).ask('result')).result;
  const theirs = (await (children.get('eager') as Child).ask('result')).result;
  return ours.reduce((worst, x, i) => Math.max(worst, Math.abs(x - (theirs[i] as number))), 0);
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  return low + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] as number) - low);
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

function ratio({ times }: Outcome, side: Side): string {
  if (!times[side]) return '-';
  const each = times.ours.map((own, k) => median(own) / median(times[side][k] as number[]));
  return `${median(each).toFixed(2)} (${quantile(each, 0.25).toFixed(2)}-${quantile(each, 0.75).toFixed(2)})`;
}

/** Best matmul rate of either side, FLOP/s. */
async function peak(threads: number): Promise<number> {
  let best = 0;
  for (const side of python ? (['ours', 'eager'] as const) : (['ours'] as const)) {
    const child = spawnSide(side, threads);
    best = Math.max(best, (await child.ask('matmul', { threads, seconds: tiny ? 0.01 : 1.5 })).rate);
    child.end();
  }
  return best;
}

async function speed(names: readonly string[]): Promise<void> {
  const rows: string[] = [];
  let versions: readonly string[] = [];
  for (const name of names) {
    const bench = benches[name] as Bench;
    for (const threads of threadCounts) {
      const o = await measure(bench, threads, rounds);
      versions = o.versions;
      const all = (side: Side): string => (o.times[side] ? median(o.times[side].flat()).toFixed(1) : '-');
      const memory = (side: Side): string => (o.memory[side] / 2 ** 20).toFixed(0);
      const rate =
        bench.flops === undefined
          ? ''
          : `${((100 * bench.flops) / (median(o.times.ours.flat()) / 1000) / (await peak(threads))).toFixed(0)} %`;
      rows.push(
        python
          ? `| ${bench.title} | ${threads} | ${all('ours')} | ${all('eager')} | ${all('compiled')} | ${ratio(o, 'eager')} | ${ratio(o, 'compiled')} | ${memory('ours')} / ${memory('eager')} = ${(o.memory.ours / o.memory.eager).toFixed(2)} | ${rate} | ${o.difference.toExponential(0)} |`
          : `| ${bench.title} | ${threads} | ${all('ours')} | - | - | - | - | ${memory('ours')} | ${rate} | - |`,
      );
      const fastest = compared.map((side) => `${side} ${Math.min(...o.times[side].flat()).toFixed(1)}`);
      console.error(`${rows.at(-1)}  fastest: ${fastest.join(', ')}`);
    }
  }
  const [cpu] = cpus();
  console.log(
    `\n${cpu?.model.trim()}, ${cpus().length} cores; Node ${process.versions.node}; mmdc ${versions[0]}; PyTorch ${versions[1] ?? 'not there'}\n`,
  );
  console.log(
    '| work | threads | ours, ms | eager, ms | compiled, ms | time / eager (middle half) | time / compiled | peak MiB, ours / eager | of matmul peak | difference |',
  );
  console.log(`|${' --- |'.repeat(10)}`);
  console.log(rows.join('\n'));
}

async function compileTimes(): Promise<void> {
  console.log('\n| source to first step, seconds | session made | ours | eager | torch.compile |');
  console.log(`|${' --- |'.repeat(5)}`);
  for (const name of ['transformer', 'dit', 'unet']) {
    const bench = benches[name] as Bench;
    const o = await measure(bench, threadCounts.at(-1) as number, 0);
    const shown = (side: Side): string => o.prepared[side]?.toFixed(2) ?? '-';
    console.log(
      `| ${bench.title} | ${o.session.toFixed(2)} | ${shown('ours')} | ${shown('eager')} | ${shown('compiled')} |`,
    );
  }
}

const [wanted = 'all'] = process.argv.slice(3);
const known = [...Object.keys(benches), 'compile', 'all'];
if (!known.includes(wanted)) {
  console.error(`there is no benchmark "${wanted}"; there are ${known.join(', ')}`);
  process.exitCode = 2;
} else {
  if (!python) console.error('no MMDC_PYTHON: without PyTorch only our own times are shown');
  if (wanted !== 'compile') await speed(wanted === 'all' ? Object.keys(benches) : [wanted]);
  if (wanted === 'compile' || wanted === 'all') await compileTimes();
}
