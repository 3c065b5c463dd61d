/** Data that are decoded while training: the same run as when they are decoded first, and faults that name the row. */
import { mkdirSync } from 'node:fs';
import { encode } from 'fast-png';
import { beforeAll, describe, expect, it } from 'vitest';
import { folder } from './support.js';

const dir = folder();
const spec = (errors: string) => `import { MLP } from "std/backbones"
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
  data {
    image: images("pictures")
    label: csv("labels.csv", column: "label", id: "file", missing: true)
    join: id
    errors: ${errors}
  }
  train { batch: 4, steps: 12 }
}
`;
const picture = (v: number) =>
  encode({
    width: 4,
    height: 4,
    channels: 1,
    depth: 8,
    data: new Uint8Array(16).map((_, i) => (v * 16 + i) & 255),
  });
const train = (file: string, out: string, ...args: string[]) =>
  dir.run('train', file, '--data', 'data', '--out', out, '--threads', '1', ...args);
const losses = (run: string) =>
  dir
    .read(`${run}/log.jsonl`)
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { loss: number; L2: unknown }).loss);

beforeAll(() => {
  mkdirSync(dir.at('data', 'pictures'), { recursive: true });
  for (let i = 0; i < 10; i++) dir.write(`data/pictures/${i}.png`, picture(i));
  // The rows 3 and 7 have no label, once as an empty cell and once without a line.
  const lines = [0, 1, 2, 3, 4, 5, 6, 8, 9].map((i) => `${i}.png,${i === 3 ? '' : i % 3}`);
  dir.write('data/labels.csv', `file,label\n${lines.join('\n')}\n`);
  dir.write('stop.mmd', spec('stop'));
  dir.write('skip.mmd', spec('skip'));
});

describe('streaming', () => {
  it('gives the run that decoding everything first gives', async () => {
    expect((await train('stop.mmd', 'whole')).code).toBe(0);
    // Rows that may be skipped are decoded one by one, in a thread of their own.
    expect((await train('skip.mmd', 'streamed')).code).toBe(0);
    expect(losses('streamed').length).toBeGreaterThan(0);
    expect(losses('streamed')).toEqual(losses('whole'));
  });

  it('leaves out and counts what cannot be decoded, or stops with the file and the row', async () => {
    const damaged = Uint8Array.from(picture(4));
    damaged[damaged.length - 20]! ^= 0xff;
    dir.write('data/pictures/4.png', damaged);
    const stopped = await train('stop.mmd', 'stopped');
    expect(stopped.code).toBe(1);
    expect(stopped.err).toContain('4.png');
    const skipped = await train('skip.mmd', 'skipped');
    expect(skipped.code).toBe(0);
    expect(skipped.err).toMatch(/1 rows cannot be decoded and are left out of the 10 to train on: .*4\.png/);
    dir.write('data/pictures/4.png', picture(4));
  });

  it('leaves out a first picture that is none, like any other', async () => {
    dir.write('data/pictures/0.png', 'not a picture');
    const skipped = await train('skip.mmd', 'first');
    expect(skipped.code).toBe(0);
    expect(skipped.err).toMatch(/1 rows cannot be decoded and are left out of the 10 to train on: .*0\.png/);
    const stopped = await train('stop.mmd', 'none');
    expect(stopped.code).toBe(1);
    expect(stopped.err).toContain('0.png');
    dir.write('data/pictures/0.png', picture(0));
  });
});
