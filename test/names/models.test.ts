import { describe, expect, it } from 'vitest';
import { applied, check, found, mlp, model } from './support.js';

const inModel = (parts: Parameters<typeof model>[0]): string[] => found(check(mlp + model(parts)));

describe('constants of a model', () => {
  it.each([
    [{ lets: 'let a = 1' }, ['MMD0321 a']],
    [{ lets: 'let _a = 1' }, []],
    [{ lets: 'let a = 1\n  let b = a' }, ['MMD0321 b']],
    [{ lets: 'let w = 8', encoder: 'x |> linear(w) |> linear(2)' }, []],
    [{ lets: 'let w = 8', more: 'train { rate: cosine(1e-3, warmup: w) }' }, []],
    [{ lets: 'let w = 100', process: 'process { steps: w, origin: x }' }, []],
    [{ lets: 'let size = 2', decoder: 'h |> linear(size)' }, ['MMD0324 size']],
    [{ lets: 'let MLP = 2', decoder: 'h |> linear(MLP)' }, ['MMD0322 MLP', 'MMD0324 MLP', 'MMD0307 MLP']],
    [{ lets: 'let h = 4' }, ['MMD0321 h', 'MMD0324 h']],
    [{ lets: 'let given = 4' }, ['MMD0310 given', 'MMD0321 given']],
  ])('%j', (parts, expected) => {
    expect(inModel(parts)).toEqual(expected);
  });

  it('may be used by a variant alone, or replaced by it for what its base declares', () => {
    const base = model({ lets: 'let w = 8', decoder: 'h |> linear(2)' });
    expect(found(check(mlp + base))).toEqual(['MMD0321 w']);
    expect(
      found(check(`${mlp}${base}model B = M {\n  decoder z = h |> linear(w) |> linear(2)\n}\n`)),
    ).toEqual([]);
    const used = model({ lets: 'let w = 8', decoder: 'h |> linear(w) |> linear(2)' });
    expect(found(check(`${mlp}${used}model B = M {\n  let w = 4\n}\n`))).toEqual([]);
  });
});

describe('declarations of a model', () => {
  it('see what the evaluator lets them see', () => {
    expect(inModel({ encoder: 'x |> project(shape(z)) |> linear(t)' })).toEqual(['MMD0308 t']);
    expect(inModel({ backbone: 'concat(z, given, x) |> MLP(t)' })).toEqual(['MMD0308 x']);
    expect(inModel({ decoder: 'h |> linear(2) |> modulate(given, t)' })).toEqual(['MMD0308 given']);
    expect(inModel({ decoder: 'g |> linear(2)' })).toEqual(['MMD0301 g']);
  });

  it('are checked although the model is too broken to be built', () => {
    expect(
      inModel({ process: 'process { steps: 1000, retention: constant(1) }', decoder: 'h |> linaer(2)' }),
    ).toEqual(['MMD0602 constant(1)', 'MMD0301 linaer']);
  });

  it('have no names of their own to be blamed for where space or backbone are missing', () => {
    expect(
      found(check('model M {\n  modality x: vector[2]\n  encoder x = x |> project(shape(z))\n}\n')),
    ).toEqual(['MMD0503 M', 'MMD0503 M']);
  });

  it('are checked in imported files too', () => {
    const files = {
      'main.mmd': 'import { Head } from "./a.mmd"\nnetwork N(x: f32[C]) -> f32[2] { x |> Head }\n',
      'a.mmd': `${mlp}network Head(x: f32[C]) -> f32[2] { x |> linear(2) }\n${model({ decoder: 'h |> linaer(2)' })}`,
    };
    expect(found(check(files))).toEqual(['a.mmd MMD0301 linaer']);
  });
});

describe('imports', () => {
  const text = (names: string) =>
    `import { ${names} } from "std/backbones"\nnetwork N(x: f32[H, W, C]) -> f32[H, W, C] { x |> Used(2) }\n`;

  it.each([
    ['AttentionBlock as Used', []],
    ['AttentionBlock as Used, DiT', ['DiT']],
    ['DiT, AttentionBlock as Used', ['DiT']],
    [
      'DiT, MLP as M, AttentionBlock as Used, UNet, Levels as _Levels, ResBlock',
      ['DiT', 'M', 'UNet', 'ResBlock'],
    ],
  ])('{ %s }', (names, unused) => {
    const checked = check(text(names));
    expect(found(checked)).toEqual(unused.map((name) => `MMD0322 ${name}`));
  });

  it('are removed by safe fixes, which can be applied at once', () => {
    const checked = check(text('DiT, MLP as M, AttentionBlock as Used, UNet, ResBlock as R'));
    const fixes = checked.list.map((d) => d.fixes[0]!);
    expect(fixes.every((fix) => fix.safe)).toBe(true);
    const all = { title: '', safe: true, edits: fixes.flatMap((fix) => fix.edits) };
    expect(applied(checked.files, all)['main.mmd']).toBe(text('AttentionBlock as Used'));
  });

  it('go with their line where none of the names is used', () => {
    const rest = text('AttentionBlock as Used');
    for (const [before, after] of [
      [`import { DiT, MLP } from "std/backbones"\n${rest}`, rest],
      [`import { DiT } from "std/backbones"\r\n${rest}`, rest],
      [`${rest}import { DiT } from "std/backbones"`, rest],
      [`import { DiT } from "std/backbones" // why\n${rest}`, ` // why\n${rest}`],
    ]) {
      const checked = check(before!);
      const [first] = checked.list;
      expect(first!.fixes[0]!.safe).toBe(true);
      expect(applied(checked.files, first!.fixes[0]!)['main.mmd']).toBe(after);
    }
  });

  it('with a comment inside are not removed without asking', () => {
    const [first] = check(text('DiT, // the transformer\n  AttentionBlock as Used')).list;
    expect(first!.fixes[0]!.safe).toBe(false);
  });
});
