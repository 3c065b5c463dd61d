import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { applied, check, found, type Checked } from '../names/support.js';

/** Images with labels, both aggregated unless `process` says otherwise. */
const spec = (process: string): string => `model Pairs {
  modality image: image[4, 4, 1]
  modality label: category[3]
  space z: f32[4, 4, 1]
  encoder image = image
  encoder label = label |> project(shape(z))
  process { ${process} }
  backbone h = concat(z, given) |> project([8])
  decoder image = h |> project(shape(z))
  ${process.includes('origin: image') ? 'decoder z = h |> project(shape(z))' : ''}
  decoder label = h |> linear(3)
  task generate: image, label
}
`;

const ofProcess = (process: string, set: readonly string[] = []) =>
  check({ 'main.mmd': spec(process) }, set).list.filter((d) => d.code.startsWith('MMD06'));

/** Codes with the modalities they are about. */
const keys = ({ list }: Checked): string[] =>
  list.flatMap((d) => [...d.message.matchAll(/`(image|label)`/g)].map(([, name]) => `${d.code} ${name}`));

describe('warnings of the process', () => {
  it('have their figures', () => {
    const list = ofProcess('steps: 200, alpha: constant(1), origin: zero, weights: step(1)');
    expect(list.map((d) => `${d.severity} ${d.code} ${d.message}`)).toEqual([
      'warning MMD0604 z_1 holds `image` and `label` with a signal-to-noise ratio of 0.5, and 100 is needed',
      'warning MMD0605 z_T is not N(0, I): its mean holds 1.37 of `image` and 1.37 of `label`; L0 is up to 59.7 nats a row, 3.73 per dimension',
      'warning MMD0607 the weights inject `image` and `label` again in 199 steps after the first: w_t is up to 1, and c_t / sqrt(A_t) grows more than 10000-fold',
    ]);
    const one = ofProcess('steps: 200, alpha: constant(1), origin: image, weights { label: step(1) }');
    expect(one.map((d) => d.message).join('\n')).toContain('its mean holds 2.41 of `label`;');
  });

  it.each([
    ['steps: 1000', []],
    ['steps: 1000, origin: image', []],
    ['steps: 1000, origin: mean', []],
    ['steps: 1000, retention: linear, weights: marginal(cosine)', ['MMD0607 marginal(cosine)']],
    ['steps: 100, origin: image, retention: 0.5', ['MMD0604 0.5', 'MMD0606 0.5']],
    [
      'steps: 100, weights { image: nested, label: nested(0.01) }',
      ['MMD0604 nested(0.01)', 'MMD0606 nested(0.01)'],
    ],
    [
      'steps: 100, weights { image: nested, label: marginal(1) }',
      ['MMD0605 marginal(1)', 'MMD0608 marginal(1)'],
    ],
    ['steps: 100, retention: linear(1e-4, 0.002)', ['MMD0605 linear(1e-4, 0.002)']],
    ['steps: 10', ['MMD0604 10']],
  ])('{ %s }', (process, expected) => {
    expect(found(check(spec(process)))).toEqual(expected);
  });

  it('come with a change that ends them and brings no others', () => {
    let offered = 0;
    for (const process of [
      'steps: 200, alpha: constant(1), origin: zero, weights: step(1)',
      'steps: 200, alpha: constant(1), normaliser: 4, weights { image: step(1), label: step(0.5) }',
      'steps: 200, retention: 0.5, weights: marginal(cosine)',
      'steps: 100, origin: image, retention: 0.5',
      'steps: 100, weights { image: nested, label: nested(0.01) }',
      'steps: 100, weights { image: nested, label: marginal(1) }',
      'steps: 100, weights { label: marginal(linear(1, 0.5)) }',
      'steps: 100, retention: linear(1e-4, 0.002)',
    ]) {
      const before = check(spec(process));
      for (const d of before.list) {
        expect(d.fixes, `${process}: ${d.code}`).toHaveLength(1);
        const [fix] = d.fixes;
        expect(fix!.safe).toBe(false);
        const after = keys(check(applied(before.files, fix!)));
        for (const key of keys({ ...before, list: [d] })) expect(after).not.toContain(key);
        for (const key of after) expect(keys(before)).toContain(key);
        offered++;
      }
    }
    expect(offered).toBeGreaterThan(12);
  });

  it('have no change where none of the block ends them', () => {
    expect(ofProcess('steps: 10').map((d) => [d.code, d.fixes])).toEqual([['MMD0604', []]]);
  });

  it('point into the override that causes them, which cannot be edited', () => {
    const [d] = ofProcess('steps: 1000, origin: image', ['process.retention=linear(1e-4, 0.002)']);
    expect(d).toMatchObject({
      code: 'MMD0605',
      file: '--set process.retention=linear(1e-4, 0.002)',
      fixes: [],
    });
    const list = ofProcess('steps: 1000, retention: 0.5, origin: image', ['process.retention=cosine']);
    expect(list).toEqual([]);
  });

  it('are none for the examples of the documentation', () => {
    for (const name of ['digits', 'scenes']) {
      const text = readFileSync(new URL(`../../examples/${name}.mmd`, import.meta.url), 'utf8');
      expect(found(check(text))).toEqual([]);
    }
  });
});

describe('learned encodings in the same channels', () => {
  const pair = (a: string, b: string): string => `model Pair {
  modality a: vector[3]
  modality b: category[3]
  space z: f32[2, 4]
  encoder a = ${a}
  encoder b = ${b}
  process { origin: zero }
  backbone h = concat(z, given) |> project([8])
  decoder a = h |> linear(3)
  decoder b = h |> linear(3)
  task generate: a, b
}
`;
  const shared = (a: string, b: string) => check(pair(a, b)).list.filter((d) => d.code === 'MMD0609');

  it('are told with their channels', () => {
    const whole = 'project(shape(z))';
    const [d] = shared(`a |> ${whole}`, `b |> ${whole}`);
    expect(d!.message).toBe('the learned encodings of `a` and `b` are added up in channels 0..4 of `z`');
    const part = (x: string, from: number, to: number) =>
      `${x} |> project([2, ${to - from}]) |> into(z, channels: ${from}..${to})`;
    expect(shared(part('a', 0, 3), part('b', 2, 4))[0]!.message).toContain('in channels 2..3 of `z`');
    expect(shared(part('a', 0, 2), part('b', 2, 4))).toEqual([]);
  });

  it('are no problem where one of the two is not learned', () => {
    expect(
      shared('concat(a, a, mean(a) |> broadcast([2])) |> reshape([2, 4])', 'b |> project(shape(z))'),
    ).toEqual([]);
  });
});
