/**
 * Real processes that are killed, starved of disk, given damaged files, or meet another one: nothing is lost, and the
 * run ends with the bytes of one that was left alone. `npm run soak` and `scripts/kills.mjs` do the same for longer.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readLog } from '../../runtime/run/log.js';
import { folder, mmdc, root, tinySpec } from '../cli/support.js';

interface Kills {
  readonly same: boolean;
  readonly kills: number;
  readonly expected: object;
  readonly found: object;
}
interface Script {
  outcome(run: string): object;
}
// Several processes a test.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });
const { outcome } = (await import(join(root, 'scripts', 'kills.mjs'))) as Script;

const dir = folder();
const spec = tinySpec.replace(/ {2}task (recognise|imagine).*\n/g, '');
dir.write('tiny.mmd', spec);
const args = (run: string, ...more: string[]) =>
  ['train', 'tiny.mmd', '--out', run, '--steps', '60', '--threads', '1', '--checkpoint-every', '10', ...more] as const;
const train = (run: string, ...more: string[]) => dir.run(...args(run, ...more));
const checkpoints = (run: string) => dir.list(`${run}/checkpoints`).filter((name) => name.endsWith('.safetensors'));
const like = (run: string) => expect(outcome(dir.at(run))).toEqual(outcome(dir.at('straight')));

/** Copies a run, and takes it back to its older checkpoint. */
function unfinished(run: string): void {
  cpSync(dir.at('straight'), dir.at(run), { recursive: true });
  rmSync(dir.at(run, 'model.safetensors'));
}

beforeAll(async () => {
  expect((await train('straight', '--keep', '3')).code).toBe(0);
});

describe('a process that is killed', () => {
  // `npm run soak` in short: little memory, files that may not grow, random kills.
  it('goes on, under pressure, and ends with the same bytes', () => {
    const file = dir.at('soak.json');
    const soak = [join(root, 'scripts', 'soak.mjs'), '--minutes', '0.05', '--kills', '3', '--seed', '7', '--json', file];
    const { status, stderr } = spawnSync(process.execPath, soak, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const figures = JSON.parse(dir.read('soak.json')) as Kills;
    expect(figures.found).toEqual(figures.expected);
    expect([figures.same, figures.kills >= 3]).toEqual([true, true]);
  });
});

describe('damaged checkpoints', () => {
  it.each<[string, (file: string) => void]>([
    [
      'a flipped bit',
      (file) => {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1] ^= 4;
        writeFileSync(file, bytes);
      },
    ],
    ['a cut', (file) => writeFileSync(file, readFileSync(file).subarray(0, 1000))],
  ])('%s: an older good one is used, and it says so', async (name, damage) => {
    const run = name.replaceAll(' ', '-');
    unfinished(run);
    const newest = checkpoints(run).at(-1)!;
    damage(dir.at(run, 'checkpoints', newest));
    const { code, err } = await train(run, '--resume', '--keep', '3');
    expect([code, err]).toEqual([0, expect.stringContaining(`left out a checkpoint: `)]);
    expect(err).toContain(newest);
    expect(err).toMatch(/using the older checkpoint .*step-00000050/);
    like(run);
  });
});

describe('a disk that is full', () => {
  // Node ignores SIGXFSZ, so that a write beyond the limit fails as one to a full disk does.
  it.skipIf(process.platform === 'win32')('as a limit on the size of files: what was saved stays, and the run goes on later', async () => {
    unfinished('limited');
    for (const name of dir.list('limited/checkpoints').filter((n) => /0000(50|60)/.test(n)))
      rmSync(dir.at('limited', 'checkpoints', name));
    const command = `ulimit -f 20; exec "$0" "$@"`;
    const limited = spawnSync('bash', ['-c', command, process.execPath, join(root, 'bin', 'mmdc.js'), ...args('limited', '--resume', '--keep', '3')], {
      cwd: dir.path,
      encoding: 'utf8',
    });
    expect([limited.status, limited.stderr]).toEqual([1, expect.stringMatching(/error: a file would be larger.*at step 50/)]);
    expect(limited.stderr).toMatch(/help: the last checkpoint is .*step-00000040.*--resume/);
    expect(dir.list('limited/checkpoints').filter((n) => n.endsWith('.tmp'))).toEqual([]);
    expect((await train('limited', '--resume', '--keep', '3')).code).toBe(0);
    like('limited');
  });

  const mounted = mkdtempSync(join(tmpdir(), 'mmdc-disk-'));
  const mounts = mount('-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mounted);
  afterAll(() => {
    if (mounts) spawnSync('umount', ['-l', mounted]);
    rmSync(mounted, { recursive: true, force: true });
  });

  it.skipIf(!mounts)(`as a small file system: refused before the start, or stopped with its checkpoint${mounts ? '' : ' (skipped: only root can mount)'}`, async () => {
    writeFileSync(join(mounted, 'ballast'), new Uint8Array(200 * 1024));
    const refused = await train(join(mounted, 'run'));
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/two checkpoints need .* are free/)]);
    expect(existsSync(join(mounted, 'run'))).toBe(false);
  });

});

describe('a folder that cannot be written to', () => {
  const said = (reason: string) => expect.stringMatching(new RegExp(`cannot be written to: ${reason}[^]*--out`));
  const locked = mkdtempSync(join(tmpdir(), 'mmdc-locked-'));
  const mounts = mount('-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', locked);
  const isRoot = process.getuid?.() === 0;
  afterAll(() => {
    if (mounts) spawnSync('umount', ['-l', locked]);
    else chmodSync(locked, 0o755);
    rmSync(locked, { recursive: true, force: true });
  });

  it('since its path leads through a file', async () => {
    dir.write('file', 'x');
    const { code, err } = await train('file/run');
    expect([code, err]).toEqual([1, said('a part of its path is a file')]);
    expect(dir.read('file')).toBe('x');
  });

  // Permissions do not bind root, whom only a read-only mount stops.
  it.skipIf(!mounts && (isRoot || process.platform === 'win32'))(`is told before anything is computed, for new runs and old${!mounts && isRoot ? ' (skipped: root, and no mounts)' : ''}`, async () => {
    cpSync(dir.at('straight'), join(locked, 'old'), { recursive: true });
    if (mounts) expect(mount('-o', 'remount,ro', locked)).toBe(true);
    else for (const place of ['old', '.']) chmodSync(join(locked, place), 0o555);
    const reason = mounts ? 'the file system is read-only' : 'permission is denied';
    for (const run of [['new'], ['old', '--resume', '--steps', '90']] as const) {
      const { code, err } = await train(join(locked, run[0]), ...run.slice(1));
      expect([code, err]).toEqual([1, said(reason)]);
      expect(err).not.toContain('parameters,');
    }
    expect(existsSync(join(locked, 'new'))).toBe(false);
    expect(outcome(join(locked, 'old'))).toEqual(outcome(dir.at('straight')));
    if (!mounts) for (const place of ['.', 'old']) chmodSync(join(locked, place), 0o755);
  });
});

function mount(...what: string[]): boolean {
  return process.getuid?.() === 0 && process.platform === 'linux' && spawnSync('mount', what).status === 0;
}

describe('two runs in one folder', () => {
  it('the second is refused, and a lock whose process is gone is not', async () => {
    let second: ReturnType<typeof mmdc> | undefined;
    const long = ['train', 'tiny.mmd', '--out', 'two', '--steps', '1000000', '--threads', '1'];
    const first = await mmdc(long, {
      cwd: dir.path,
      onErr: (err, child) => {
        if (second || !err.includes('parameters, 1000000 steps')) return;
        second = mmdc([...long, '--resume'], { cwd: dir.path });
        void second.then(() => child.kill('SIGTERM'));
      },
    });
    expect(first.code).toBe(130);
    expect(await second).toMatchObject({ code: 1, err: expect.stringMatching(/in use by process \d+/) });
    // A process id that is used again, by a process that started at another time.
    dir.write('two/run.lock', JSON.stringify({ host: (await import('node:os')).hostname(), pid: process.pid, started: '1' }));
    const after = await mmdc([...long, '--resume'], {
      cwd: dir.path,
      onErr: (err, child) => {
        if (err.includes('going on from step')) child.kill('SIGTERM');
      },
    });
    expect(after.code).toBe(130);
  });
});

describe('a clock that jumps', () => {
  it('changes neither the run nor its times', async () => {
    dir.write('clock.mjs', 'const now = Date.now; Date.now = () => now() + (Math.random() - 0.5) * 1e12;');
    const { code } = await mmdc([...args('clock')], {
      cwd: dir.path,
      env: { NODE_OPTIONS: `--import=${dir.at('clock.mjs')}` },
    });
    expect(code).toBe(0);
    like('clock');
    const seconds = readLog(dir.at('clock')).map((r) => r.seconds);
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
    expect(seconds.at(-1)).toBeLessThan(120);
  });
});

describe('more steps', () => {
  it('are a matter of --resume --steps; less than were done are refused', async () => {
    unfinished('more');
    expect((await train('more', '--resume')).code).toBe(0);
    const longer = ['train', 'tiny.mmd', '--out', 'more', '--threads', '1', '--checkpoint-every', '10', '--resume'];
    const more = await dir.run(...longer, '--steps', '90');
    expect([more.code, more.err]).toEqual([0, expect.stringContaining('going on from step 60')]);
    expect(readLog(dir.at('more')).at(-1)?.step).toBe(90);
    expect((JSON.parse(dir.read('more/run.json')) as { steps: number }).steps).toBe(90);
    const again = await dir.run(...longer);
    expect([again.code, again.err]).toEqual([0, expect.stringContaining('going on from step 90')]);
    const less = await dir.run(...longer, '--steps', '70');
    expect([less.code, less.err]).toEqual([1, expect.stringContaining('has done 90 steps, and 70 are asked for')]);
    expect((await dir.run('sample', 'more', '--checkpoint', 'best', '-n', '1', '--steps', '2', '--out', 's')).code).toBe(0);
    expect((await dir.run('sample', 'more', '--checkpoint', '7', '--out', 's')).err).toContain('no checkpoint of step 7');
  });
});

describe('what a checkpoint says', () => {
  it('spec and hash, settings, versions, position, metrics', () => {
    const name = checkpoints('straight').at(-1)!.replace('.safetensors', '.json');
    const { meta, metrics } = JSON.parse(dir.read(`straight/checkpoints/${name}`)) as {
      meta: Record<string, unknown>;
      metrics: Record<string, number>;
    };
    const run = JSON.parse(dir.read('straight/run.json')) as { hash: string };
    expect(meta).toMatchObject({
      hash: run.hash,
      bundle: { model: 'Tiny', set: ['train.steps=60'], files: { 'tiny.mmd': spec } },
      seed: 0,
      batch: 16,
      versions: { node: process.version, executor: expect.stringContaining('ort') },
      position: { step: 61, generator: 'philox4x32-10', row: (60 * 16) % (meta.data as { rows: number }).rows },
      data: { columns: ['label: index[]', 'emb: real[16]'] },
    });
    for (const key of ['loss', 'L1', 'L2.label', 'held_out.loss', 'held_out.L2.emb'])
      expect(metrics[key]).toBeTypeOf('number');
  });
});

