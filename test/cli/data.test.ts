/** Specs and data that do not fit: one located, helpful message, exit code 1, and nothing left behind. */
import { describe, expect, it } from 'vitest';
import { mkdirSync } from 'node:fs';
import { readNpy } from '../../runtime/data/npy.js';
import { filesSpec, folder, idx, tinySpec } from './support.js';

const dir = folder();
mkdirSync(dir.at('data'));
dir.write(
  'data/image.idx',
  idx(
    [8, 4, 4],
    Array.from({ length: 128 }, (_, i) => 2 * i),
  ),
);
dir.write('data/label.idx', idx([8], [0, 1, 2, 0, 1, 2, 0, 1]));
dir.write('data/seven.idx', idx([7], [0, 1, 2, 0, 1, 2, 0]));
dir.write('data/outside.idx', idx([8], [0, 1, 2, 7, 1, 2, 0, 1]));
dir.write('data/cut.idx', idx([8, 4, 4], new Array<number>(100).fill(0)));
dir.write('data/wide.idx', idx([8, 5, 5], new Array<number>(200).fill(0)));
dir.write('data/text.idx', 'not an IDX file at all');
dir.write('good.mmd', filesSpec);

describe('data that fits', () => {
  it('trains, and images come out as arrays in [-1, 1] and as a picture', async () => {
    const { code } = await dir.run('train', 'good.mmd', '--data', 'data', '--out', 'run', '--threads', '1');
    expect(code).toBe(0);
    const folder = 'run/samples/generate';
    expect(dir.list(folder)).toEqual(['image.npy', 'image.png', 'label.npy', 'samples.json']);
    const image = readNpy(dir.at(folder, 'image.npy'));
    expect(image.shape).toEqual([8, 4, 4, 1]);
    expect([...image.data].every((v) => Number(v) >= -1 && Number(v) <= 1)).toBe(true);
    expect(readNpy(dir.at(folder, 'label.npy')).shape).toEqual([8]);
  });
});

interface Case {
  /** Replacements in the spec. */
  readonly edit?: readonly [string, string];
  readonly args?: readonly string[];
  readonly spec?: string;
  /** What the message must hold: code, place, text, help. */
  readonly says: readonly string[];
}

const data = ['--data', 'data'];
const cases: Record<string, Case> = {
  'an unknown key': {
    edit: ['batch: 4', 'bach: 4'],
    says: ['MMD0302', 'spec.mmd:15:11', 'did you mean `batch`?'],
  },
  'an encoder that does not end in the space': {
    edit: ['label |> project(shape(z))', 'label |> linear(16)'],
    says: ['MMD0509', 'spec.mmd:8:', '`f32[16]`', '`f32[4, 4, 1]`', 'project(shape(z))'],
  },
  'a produced modality without a decoder': {
    edit: ['  decoder label = h |> linear(3)\n', ''],
    says: ['MMD0504', 'spec.mmd:5:12', 'add `decoder label = ...`', 'the task `generate` produces it'],
  },
  'no data folder': { args: [], says: ['MMD0908', 'spec.mmd:14:3', '--data DIR'] },
  'a data folder that is not there': {
    args: ['--data', 'nowhere'],
    says: ['nowhere', 'does not exist', '--data'],
  },
  'a data file that is not there': {
    edit: ['image.idx', 'images.idx'],
    says: ['MMD0901', 'spec.mmd:14:17', 'images.idx', 'does not exist'],
  },
  'a data file of another format': {
    edit: ['image.idx', 'text.idx'],
    says: ['MMD0901', 'text.idx', 'not an IDX file'],
  },
  'a truncated data file': {
    edit: ['image.idx', 'cut.idx'],
    says: ['MMD0901', 'spec.mmd:14:17', 'cut.idx', 'truncated'],
  },
  'rows of another shape': { edit: ['image.idx', 'wide.idx'], says: ['wide.idx', '[5, 5]', '[4, 4, 1]'] },
  'numbers of rows that differ': {
    edit: ['label.idx', 'seven.idx'],
    says: ["'image' has 8 rows and 'label' has 7", 'seven.idx', 'spec.mmd:14:'],
  },
  'a class that is none': { edit: ['label.idx', 'outside.idx'], says: ['row 3', 'value 7', 'spec.mmd:14:'] },
  'rows outside the data': { args: [...data, '--set', 'data.rows=0..9'], says: ['8 rows', '0..9'] },
  'a modality that the data block leaves out': {
    edit: [', label: idx("label.idx")', ''],
    says: ['MMD0907', '`label`', 'spec.mmd:14:'],
  },
  'an embedded set that has not the modality': {
    args: ['--data', 'builtin:scenes'],
    says: ['MMD0909', 'spec.mmd:4:12', 'image[32, 32, 3]'],
  },
  'an embedded set that is not there': {
    args: ['--data', 'builtin:scene'],
    says: ['MMD0705', 'builtin("scenes")'],
  },
  'a class list of another length': {
    spec: tinySpec.replace('"box", ', '').replace('linear(6)', 'linear(5)'),
    args: [],
    says: ['MMD0909', '`label`'],
  },
};

describe('input with a fault', () => {
  it.each(Object.entries(cases))('%s', async (_, { edit, args, spec, says }) => {
    const text = spec ?? (edit ? filesSpec.replace(...edit) : filesSpec);
    if (edit) expect(text).not.toBe(filesSpec);
    dir.write('spec.mmd', text);
    const { code, out, err } = await dir.run('train', 'spec.mmd', '--out', 'none', ...(args ?? data));
    for (const part of says) expect(err).toContain(part);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/1 error\n$/);
    expect(err).not.toContain('at Object');
    expect(dir.has('none')).toBe(false);
  });

  it('a run folder that is a file', async () => {
    const { code, err } = await dir.run('train', 'good.mmd', ...data, '--out', 'good.mmd');
    expect(code).toBe(1);
    expect(err).toContain('good.mmd');
    expect(dir.read('good.mmd')).toBe(filesSpec);
  });
});
