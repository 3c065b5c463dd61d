/** Guards as a user meets them: what stops a run, what is pointed out, what is refused before the start. */
import { totalmem } from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { load } from '../../runtime/checkpoint/checkpoint.js';
import { formatNpy } from '../../runtime/data/npy.js';
import { folder, tinySpec } from '../cli/support.js';

vi.setConfig({ testTimeout: 600_000 });
const dir = folder();
const spec = tinySpec.replace(/ {2}task (recognise|imagine).*\n/g, '');
dir.write('tiny.mmd', spec);
const train = (out: string, ...args: string[]) =>
  dir.run('train', 'tiny.mmd', '--out', out, '--threads', '1', ...args);

describe('a run stops', () => {
  it('where the loss is not finite, naming terms and the last good checkpoint, which has finite numbers only', async () => {
    const { code, err } = await train('nan', '--steps', '60', '--checkpoint-every', '1', '--set', 'train.rate=1e4');
    expect([code, err]).toEqual([1, expect.stringMatching(/is not finite at step \d+: .*L2\.label = /)]);
    const named = /the last good checkpoint is (\S+\.safetensors); lower `train\.rate`/.exec(err)?.[1];
    expect(named).toMatch(/step-\d+\.safetensors$/);
    const kept = dir.list('nan/checkpoints').filter((name) => name.endsWith('.safetensors'));
    expect(kept.length).toBeGreaterThan(0);
    for (const name of kept)
      for (const [key, { data }] of load(dir.at('nan/checkpoints', name)).arrays)
        expect(Array.from(data as Float32Array).every(Number.isFinite), `${name} ${key}`).toBe(true);
  });

  it('where gradients explode, naming the norm and the usual one', async () => {
    const { code, err } = await train('explodes', '--steps', '200', '--stop-norm', '1', '--set', 'train.clip=1e-9');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/gradients explode: at step \d+ their norm is \S+, usually it was \S+,[^]*lower `train\.rate`/),
    ]);
    const { code: off } = await train('goes', '--steps', '120', '--stop-norm', '0', '--set', 'train.clip=1e-9');
    expect(off).toBe(0);
  });
});

describe('it is pointed out', () => {
  it('that a modality is not learned; and progress has speed, time left and every term', async () => {
    const { code, err } = await train('dead', '--steps', '260', '--set', 'train.rate=1e-12');
    expect(code).toBe(0);
    for (const name of ['label', 'emb'])
      expect(err).toMatch(new RegExp(`warning: L2\\.${name} is no lower than at the start.*nothing is learned about .${name}.`));
    expect(dir.read('dead/events.jsonl')).toContain('nothing is learned about `label`');
    expect(err).toMatch(/training 260\/260, [\d.]+ steps\/s, \d+ s left, loss \S+ L0 \S+ L1 \S+ L2\.label \S+ L2\.emb \S+ L3 \S+/);
  });

  it('that training rows are rows for evaluation: copies are left out, near ones counted', async () => {
    const row = (seed: number) => Array.from({ length: 16 }, (_, i) => Math.sin((seed + 1) * (i + 1) * 1.7));
    const near = row(105).map((x, i) => x + 0.005 * Math.cos(i));
    const held = Array.from({ length: 10 }, (_, i) => row(100 + i));
    const rows = [...Array.from({ length: 40 }, (_, i) => row(i)), row(103), near, ...held];
    dir.write('emb.npy', formatNpy(Float32Array.from(rows.flat()), [52, 16]));
    dir.write('label.npy', formatNpy(new Int32Array(52).fill(1), [52]));
    dir.write('other.npy', formatNpy(new Int32Array(52).fill(2), [52]));
    const files = 'data { label: npy("label.npy"), emb: npy("emb.npy"), rows: 0..42 }\n  eval { rows: 42..52 }';
    const changed = spec.replace(/data \{.*\}/, files);
    expect(changed).not.toBe(spec);
    dir.write('files.mmd', changed);
    const split = ['train', 'files.mmd', '--data', '.', '--threads', '1', '--steps', '20'];
    const { code, err } = await dir.run(...split, '--out', 'split');
    expect([code, err]).toEqual([0, expect.stringMatching(/1 of 42 training rows are nearly the same as a row for evaluation/)]);
    expect(err).toMatch(/1 of 42 training rows are rows for evaluation too: they are left out/);
    const shown = await dir.run('data', 'files.mmd', '--data', '.');
    expect(shown.err + shown.out).toMatch(/1 to train on are copies of rows held out .* and 1 nearly are/);
    // Another source bound on the command line: another label, so another first loss.
    const bound = await dir.run(...split, '--out', 'bound', '--set', 'data.label=npy("other.npy")');
    expect(bound.code).toBe(0);
    const first = (run: string) => dir.read(`${run}/log.jsonl`).split('\n')[0];
    expect(first('bound').replace(/"seconds".*/, '')).not.toBe(first('split').replace(/"seconds".*/, ''));
    const none = await dir.run(...split, '--out', 'none', '--set', 'data.label=npy("absent.npy")');
    expect([none.code, none.err]).toEqual([1, expect.stringMatching(/absent\.npy`?: does not exist/)]);
  });
});

describe('it is refused before the start', () => {
  // The model below wants a terabyte.
  const large = totalmem() > 900e9;
  it.skipIf(large)(`to need more memory than there is${large ? ' (skipped: this machine has it)' : ''}`, async () => {
    const wide = spec.replace(/MLP\(t, width: \d+, depth: \d+\)/, 'MLP(t, width: 8000, depth: 32)');
    expect(wide).not.toBe(spec);
    dir.write('wide.mmd', wide);
    const { code, err } = await dir.run('train', 'wide.mmd', '--out', 'wide', '--set', 'train.batch=65536');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/a training step needs about [\d.]+ TB of memory, and there are .*[^]*--set train\.batch=\d+/),
    ]);
    expect(dir.has('wide')).toBe(false);
  });
});
