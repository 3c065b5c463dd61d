/** What was never trained, and weights that belong to another spec, are refused with the difference. */
import { copyFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { folder, tinySpec } from './support.js';

const dir = folder();
const strict = tinySpec.replace(
  'steps: 30, ema: 0.9',
  'steps: 4, ema: 0.9, roles { all: 0, tasks: 1, any: 0, absent: 0 }',
);
const wider = strict.replace('width: 32', 'width: 40');

beforeAll(async () => {
  dir.write(
    'strict.mmd',
    strict.replace(/ {2}task (generate|recognise).*\n/g, '').replace('guidance: 1.5, ', ''),
  );
  dir.write('one.mmd', strict.replace(', absent: 0', ', absent: 0.1'));
  dir.write('wider.mmd', wider.replace(', absent: 0', ', absent: 0.1'));
  const train = (name: string) => dir.run('train', `${name}.mmd`, '--out', name, '--threads', '1');
  const results = await Promise.all(['strict', 'one', 'wider'].map(train));
  expect(results.map((r) => [r.code, r.err])).toEqual(results.map((r) => [0, r.err]));
});

describe('roles that were never trained', () => {
  it.each([
    [['--given', 'emb=builtin:scenes#0:2', '--produce', 'label'], '`emb -> label` was never trained'],
    [['--produce', 'label,emb'], '`label, emb` was never trained'],
    [['--produce', 'emb'], '`emb` was never trained'],
  ])('are refused by name, with a way out: %s', async (args, says) => {
    const { code, out, err } = await dir.run('sample', 'strict', ...args, '-n', '2', '--out', 'no');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(says);
    expect(err).toContain('declare a task for it');
    expect(dir.has('no')).toBe(false);
  });

  it('while those that were are sampled', async () => {
    const { code } = await dir.run(
      'sample',
      'strict',
      '--given',
      'label=1',
      '--produce',
      'emb',
      '-n',
      '2',
      '--out',
      'yes',
    );
    expect(code).toBe(0);
  });
});

describe('weights of another spec', () => {
  it('are refused where they are sampled, with the tensors that differ', async () => {
    copyFileSync(dir.at('wider', 'model.safetensors'), dir.at('one', 'model.safetensors'));
    const { code, out, err } = await dir.run(
      'sample',
      'one',
      '--task',
      'imagine',
      '--given',
      'label=1',
      '--out',
      'no',
    );
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('was trained with another spec');
    expect(err).toMatch(/backbone\.MLP_1\.[a-z_.0-9]+weight.*\[?40/);
    expect(err).toMatch(/32/);
    expect(dir.has('no')).toBe(false);
  });

  it('and evaluated', async () => {
    const { code, out, err } = await dir.run('eval', 'one', '--out', 'no.json');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('was trained with another spec');
    expect(dir.has('no.json')).toBe(false);
  });

  it('or gone on from: the line that differs is shown', async () => {
    dir.write('one.mmd', wider.replace(', absent: 0', ', absent: 0.1'));
    const { code, err } = await dir.run('train', 'one.mmd', '--out', 'one', '--resume');
    expect(code).toBe(1);
    expect(err).toMatch(/line 13 of one\.mmd was `.*width: 32.*` and is `.*width: 40.*`/);
  });
});
