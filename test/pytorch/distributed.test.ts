import { existsSync, readFileSync, readdirSync } from 'node:fs';
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

const long = Boolean(process.env.MMDC_LONG);
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
  const difference = relative(all(a), all(b));
  if (long) console.info(`${expect.getState().currentTestName}: ${difference.toExponential(1)}`);
  expect(difference).toBeLessThan(1e-5);
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

  const cases = [
    [2, 'ddp', []],
    ...(long
      ? ([
          [2, 'fsdp', ['--fsdp']],
          [4, 'ddp', []],
          [4, 'fsdp', ['--fsdp']],
        ] as const)
      : []),
  ] as const;
  it.each(cases)(
    '%i workers, %s: parameters after 20 steps are those of one process',
    (n, kind, options) => {
      const out = `${kind}-${n}`;
      expectEqual(weights(torchrun(n, out, ...options), out), alone);
    },
    240_000,
  );

  it('writes what TensorBoard shows, with the values of the log', () => {
    const code = `
import json, sys
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
except ImportError:
    sys.exit(3)
events = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps({tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
`;
    const ran = runPython(folder, ['-c', code, join(folder, 'alone', 'tensorboard')]);
    if (ran.status === 3) return;
    expect([ran.status, ran.status === 0 ? '' : ran.error]).toEqual([0, '']);
    const scalars = JSON.parse(ran.out.trim().split('\n').at(-1)!) as Record<string, [number, number][]>;
    const lines = readFileSync(join(folder, 'alone', 'log.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const last = JSON.parse(lines.at(-1)!) as { step: number; loss: number; L0: number; rate: number };
    expect(last.step).toBe(20);
    for (const tag of ['loss', 'L0', 'rate'] as const) {
      const [step, value] = scalars[tag]!.at(-1)!;
      expect([tag, step]).toEqual([tag, 20]);
      expect(Math.abs(value - last[tag])).toBeLessThanOrEqual(1e-6 * Math.abs(last[tag]));
    }
    expect(Object.keys(scalars).sort()).toEqual(
      ['L0', 'L1', 'L2.emb', 'L2.image', 'L2.label', 'L3', 'grad_norm', 'loss', 'rate'].sort(),
    );
  }, 60_000);

  /**
   * Starts five interpreters, one after the other where the machine is busy: what matters is that it ends well, not when.
   * Which of the workers the launcher reports is a matter of which it sees first: the mark says who died, and how.
   */
  const killed = (kind: string, options: readonly string[]) => {
    const out = `killed-${kind}`;
    const mark = join(folder, `${out}.mark`);
    const launcher = [
      '-m',
      'torch.distributed.run',
      '--standalone',
      '--nproc-per-node=2',
      '--max-restarts=2',
    ];
    const args = trainArgs(out, ...options, '--resume', '--checkpoint-every', '4').slice(2);
    const ran = runPython(
      folder,
      [...launcher, worker, `${module}.train`, mark, 'SIGKILL', ...args],
      {},
      600_000,
    );
    if (ran.status !== 0) throw new Error(`${ran.status}: ${ran.error.slice(-6000)}`);
    expect(existsSync(mark)).toBe(true);
    expect(ran.out).toContain('going on from step 4');
    expectEqual(read(out), alone);
  };
  it('a worker that is killed, fsdp: the job restarts from its checkpoint and ends equal', () => {
    killed('fsdp', ['--fsdp']);
  }, 620_000);
  it.skipIf(!long)(
    'a worker that is killed, ddp: the job restarts from its checkpoint and ends equal',
    () => {
      killed('ddp', []);
    },
    620_000,
  );

  it('workers that start again find each other, and not those that were there before', () => {
    const ran = runPython(folder, [join(root, 'test', 'pytorch', 'restart.py'), `${module}.train`]);
    expect([ran.status, ran.error.slice(-2000)]).toEqual([0, '']);
    expect(ran.out.trim().split('\n')).toEqual(Array<string>(3).fill('[3.0, 3.0] [0, 0]'));
  }, 240_000);

  it('SIGTERM, with recomputation: writes a checkpoint, ends with 130, and goes on from there', () => {
    const mark = join(folder, 'stopped.mark');
    const args = trainArgs('stopped', '--resume', '--recompute');
    const ran = runPython(folder, [worker, `${module}.train`, mark, 'SIGTERM', ...args.slice(2)]);
    expect(ran.status, ran.error.slice(-4000)).toBe(130);
    expect(readdirSync(join(folder, 'stopped', 'shards'))).toEqual(['step-00000005']);
    expectEqual(weights(args, 'stopped'), alone);
  }, 240_000);
});
