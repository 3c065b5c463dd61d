import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageName } from '../../compiler/targets/pytorch/index.js';
import { parseSafetensors } from '../../runtime/checkpoint/safetensors.js';
import {
  compileSpec,
  emit,
  needsPython,
  python,
  relative,
  root,
  runPython,
  smallData,
  smallSpec,
} from './support.js';

let folder = '';
let data = '';
let module = '';
const worker = join(root, 'test', 'pytorch', 'worker.py');

const trainArgs = (out: string, ...more: string[]) => [
  ...[
    '-m',
    `${module}.train`,
    '--device',
    'cpu',
    '--data',
    data,
    '--out',
    join(folder, out),
    '--steps',
    '20',
  ],
  ...more,
];
const torchrun = (workers: number, out: string, ...more: string[]) => [
  ...['-m', 'torch.distributed.run', '--standalone', `--nproc-per-node=${workers}`],
  ...trainArgs(out, ...more),
];
/** Weights of a run that must have ended well. */
function weights(args: string[], out: string) {
  const ran = runPython(folder, args);
  if (ran.status !== 0) throw new Error(ran.error.slice(-4000));
  return read(out);
}
const read = (out: string) =>
  parseSafetensors(readFileSync(join(folder, out, 'model.safetensors'))).tensors as ReadonlyMap<
    string,
    { data: ArrayLike<number> }
  >;

/** Every tensor to 1e-5 of all parameters' size: single ones may be near zero. */
function expectEqual(
  a: ReadonlyMap<string, { data: ArrayLike<number> }>,
  b: ReadonlyMap<string, { data: ArrayLike<number> }>,
): void {
  expect([...a.keys()].sort()).toEqual([...b.keys()].sort());
  const all = (from: typeof a) =>
    [...a.keys()].sort().flatMap((name) => Array.from(from.get(name)?.data ?? []));
  expect(relative(all(a), all(b))).toBeLessThan(1e-5);
}

describe.skipIf(!python)(`distributed training${needsPython}`, () => {
  let alone: ReturnType<typeof read>;

  beforeAll(() => {
    const model = compileSpec(smallSpec);
    module = packageName(model.info.name);
    folder = emit(model);
    data = smallData(join(folder, 'data'), 64);
    alone = weights(trainArgs('alone'), 'alone');
  }, 120_000);

  const counts = process.env.MMDC_LONG ? [2, 4] : [2];
  it.each(counts.flatMap((n) => [[n, 'ddp', []] as const, [n, 'fsdp', ['--fsdp']] as const]))(
    '%i workers, %s: parameters after 20 steps are those of one process',
    (n, kind, options) => {
      const out = `${kind}-${n}`;
      expectEqual(weights(torchrun(n, out, ...options), out), alone);
    },
    240_000,
  );

  it('accumulation, recomputation: the same', () => {
    // Statistics of learned encoders are those of each part: `--accumulate` is compared where there are none.
    expectEqual(weights(trainArgs('recomputed', '--recompute'), 'recomputed'), alone);
  }, 120_000);

  it('a worker that is killed: the job restarts from its checkpoint and ends equal', async () => {
    const args = [
      ...['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=2', '--max-restarts=2'],
      ...[worker, `${module}.train`, folder, '0.1'],
      ...trainArgs('killed', '--fsdp', '--resume', '--checkpoint-every', '2').slice(2),
    ];
    const child = spawn(python as string, args, {
      cwd: folder,
      env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONPATH: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    const first = join(folder, 'killed', 'shards', 'step-00000004', 'step.json');
    const pids = join(folder, 'worker-1.pid');
    for (let i = 0; i < 1200 && !existsSync(first); i++) await new Promise((r) => setTimeout(r, 50));
    expect(existsSync(first)).toBe(true);
    process.kill(Number(readFileSync(pids, 'utf8')), 'SIGKILL');
    const status = await new Promise((done) => child.on('exit', done));
    if (status !== 0) throw new Error(errors.slice(-6000));
    expect(errors).toMatch(/exitcode: -9/);
    expectEqual(read('killed'), alone);
  }, 240_000);

  it('SIGTERM: writes a checkpoint, ends with 130, and goes on from there', async () => {
    const child = spawn(
      python as string,
      [worker, `${module}.train`, folder, '0.15', ...trainArgs('stopped', '--resume').slice(2)],
      {
        cwd: folder,
        env: { ...process.env, OMP_NUM_THREADS: '1', PYTHONPATH: folder },
        stdio: 'ignore',
      },
    );
    const pid = join(folder, 'stopped', 'log.jsonl');
    for (let i = 0; i < 1200 && !existsSync(pid); i++) await new Promise((r) => setTimeout(r, 50));
    await new Promise((r) => setTimeout(r, 1200));
    child.kill('SIGTERM');
    expect(await new Promise((done) => child.on('exit', done))).toBe(130);
    expectEqual(weights(trainArgs('stopped', '--resume'), 'stopped'), alone);
  }, 240_000);
});
