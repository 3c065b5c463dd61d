import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/collect.js';
import { checkNames } from '../../compiler/names/index.js';
import { memoryHost } from '../../compiler/project/host.js';
import { loadProject } from '../../compiler/project/project.js';
import { check, found, library, mlp, model } from './support.js';

/** Codes and places in a file with one network, which nothing calls. */
const network = (head: string, body: string): string[] => found(check(`network ${head} {\n${body}\n}\n`));

describe('unknown names', () => {
  it.each([
    ['N(x: f32[C]) -> f32[C]', 'x |> linaer(C)', ['MMD0301 linaer']],
    ['N(x: f32[C]) -> f32[C]', 'if C > 2 { x } else { x + y }', ['MMD0301 y']],
    ['N(x: f32[C]) -> f32[C]', 'x |> repeat(n) { Block(x) }', ['MMD0301 n', 'MMD0301 Block']],
    ['N(x: f32[C]) -> f32[C]', 'require c > 2, "c"\n x', ['MMD0301 c']],
    ['N(x: f32[C], k: int = K) -> f32[k]', 'x |> linear(k)', ['MMD0301 K']],
    ['N(x: f32[C]) -> f32[D]', 'x', ['MMD0301 D']],
    ['N(x: f32[gcd(2, C), C]) -> f32[C]', 'x |> pool', ['MMD0309 C']],
    ['N(x: f32[C]) -> f32[C]', 'x + param([C], init: normal(s))', ['MMD0301 s']],
    ['N(x: f32[C]) -> f32[C]', 'x + silu', ['MMD0307 silu']],
    ['N(x: f23[C]) -> f32[2]', 'x', ['MMD0303 f23']],
    ['N(x: f32[C], C: int) -> f32[C]', 'x |> linear(C)', ['MMD0325 C']],
    ['N(x: f32[P ^ 2 * C], P: int) -> f32[C]', 'x |> linear(C)', ['MMD0325 P']],
    ['N(x: f32[C], ks: [integer]) -> f32[C]', 'x |> linear(ks[0])', ['MMD0303 integer']],
  ])('%s { %s }', (head, body, expected) => {
    expect(network(head, body)).toEqual(expected);
  });

  it('are those that elaboration would not find either: dimensions, rests, inits and aliases resolve', () => {
    const good = [
      ['N(P: int, x: f32[...S, P ^ 2 * C]) -> f32[...S, C]', 'x |> linear(C) |> reshape(S + [C])'],
      [
        'N(x: f32[C], shape: [int], k: int = C) -> f32[...shape]',
        'x |> linear(k, init: (zeros)) |> reshape(shape)',
      ],
      ['N(x: f32[C]) -> f32[C]', 'let f = N\n x |> f'],
      ['N(x: f32[C]) -> f32[C]', 'let (a, _b) = x |> split(2)\n concat(a, a) |> pool'],
      ['N(x: f32[C], _t: f32[]) -> f32[C]', 'x'],
    ] as const;
    for (const [head, body] of good) expect(network(head, body)).toEqual([]);
  });

  it('are reported once, however often the network is used', () => {
    const head = 'network Head(x: f32[C]) -> f32[C] { x |> linaer(C) }\n';
    const twice = check(mlp + head + model({ decoder: 'h |> Head |> Head |> linear(2)' }));
    expect(found(twice)).toEqual(['MMD0301 linaer']);
    expect(twice.list[0]!.help).toBe('did you mean `linear`?');
  });

  it('are silent where the import that should bring them has failed', () => {
    expect(
      found(check(mlp.replace('MLP', 'MLQ') + model({ backbone: 'concat(z, given) |> MLQ(t)' }))),
    ).toEqual(['MMD0204 MLQ']);
  });
});

describe('order', () => {
  it.each([
    ['N(x: f32[C]) -> f32[C]', 'let a = b\n let b = x\n a', 'b'],
    ['N(x: f32[C]) -> f32[C]', 'let a = a + x\n a', 'a'],
    ['N(x: f32[C]) -> f32[C]', 'if C > 1 { let a = b\n let b = x\n a } else { x }', 'b'],
    ['N(x: f32[C], k: int = m, m: int = 2) -> f32[k]', 'x |> linear(m)', 'm'],
    ['N(x: f32[C], k: int = D, y: f32[D]) -> f32[k]', 'concat(x, y) |> linear(k)', 'D'],
  ])('%s { %s } uses `%s` too early', (head, body, name) => {
    const checked = check(`network ${head} {\n${body}\n}\n`);
    expect(found(checked)).toEqual([`MMD0309 ${name}`]);
    const [label] = checked.list[0]!.labels;
    expect(label!.message).toBe('declared here');
    expect(label!.range.start).not.toBe(checked.list[0]!.range.start);
  });

  it('lets a value see the outer name that its own `let` hides', () => {
    expect(network('N(x: f32[C]) -> f32[C]', 'let x = x |> silu\n x')).toEqual(['MMD0324 x']);
  });

  it('takes over from the report of elaboration', () => {
    expect(found(check(mlp + model({ lets: 'let a = b\n let b = 2', decoder: 'h |> linear(a)' })))).toEqual([
      'MMD0309 b',
    ]);
  });
});

describe('what is never used', () => {
  it.each([
    ['N(x: f32[C]) -> f32[C]', 'let y = x\n x', ['MMD0321 y']],
    ['N(x: f32[C]) -> f32[C]', 'let (a, b) = x |> split(2)\n concat(b, b)', ['MMD0321 a']],
    ['N(x: f32[C]) -> f32[C]', 'if C > 2 { let y = x\n x } else { x }', ['MMD0321 y']],
    ['N(x: f32[C], t: f32[]) -> f32[C]', 'x', ['MMD0323 t']],
    ['N(x: f32[C], t: f32[], k: int) -> f32[k]', '(x |> linear(k)) * t', []],
    // `y` is used by `z`, which is not used: one report at a time.
    ['N(x: f32[C]) -> f32[C]', 'let y = x\n let z = y\n x', ['MMD0321 z']],
    ['N(x: f32[C]) -> f32[C]', 'let _y = x\n x', []],
  ])('%s { %s }', (head, body, expected) => {
    expect(network(head, body)).toEqual(expected);
  });

  it('cannot be told in a file that the parser could not read', () => {
    expect(network('N(x: f32[C], t: f32[]) -> f32[C]', 'let y = x\n x |>').map((d) => d.slice(0, 5))).toEqual(
      ['MMD01'],
    );
  });
});

describe('names that hide others', () => {
  it.each([
    ['N(x: f32[C]) -> f32[C]', 'let C = 2\n x |> linear(C)', 'the dimension'],
    ['N(x: f32[C]) -> f32[C]', 'let y = x\n if C > 1 { let y = x |> silu\n y } else { y }', 'the `let`'],
    ['N(x: f32[C]) -> f32[C]', 'let N = x\n N', 'the network'],
    ['N(x: f32[C]) -> f32[C]', 'let pool = x\n pool', 'the network'],
    ['N(x: f32[C]) -> f32[C]', 'let mean = x\n mean', 'the function'],
    ['attention(x: f32[C]) -> f32[C]', 'x |> silu', 'the library network'],
  ])('%s { %s }: %s', (head, body, other) => {
    const { list } = check(`network ${head} {\n${body}\n}\n`);
    expect(list.map((d) => d.code)).toEqual(['MMD0324']);
    expect(list[0]!.message).toContain(`hides ${other} of the same name`);
  });

  it('leaves parameters free, which are named for callers', () => {
    expect(
      network('N(x: f32[C], range: int, pool: bool) -> f32[C]', 'if pool { x |> linear(range) } else { x }'),
    ).toEqual([]);
  });

  it('holds a name twice in one scope against the second', () => {
    expect(network('N(x: f32[C]) -> f32[C]', 'let y = x\n let y = y |> silu\n y')).toEqual(['MMD0305 y']);
    expect(network('N(x: f32[C], x: int) -> f32[C]', 'x')).toEqual(['MMD0305 x']);
    expect(network('N(x: f32[C]) -> f32[C]', 'let (a, a) = x |> split(2)\n concat(a, a)')).toEqual([
      'MMD0305 a',
    ]);
  });

  it('reserves functions, `t` and `given`', () => {
    expect(network('conv(x: f32[C]) -> f32[C]', 'x')).toEqual(['MMD0310 conv']);
    expect(network('given(x: f32[C]) -> f32[C]', 'x')).toEqual(['MMD0310 given']);
    const files = {
      'main.mmd': 'import { A as linear } from "./a.mmd"\nnetwork N(x: f32[C]) -> f32[C] { x |> linear }\n',
      'a.mmd': 'network A(x: f32[C]) -> f32[C] { x }\n',
    };
    expect(found(check(files))).toEqual(['MMD0310 linear']);
  });
});

describe('any tree', () => {
  const names = (text: string): Diagnostics => {
    const diagnostics = new Diagnostics();
    checkNames(
      loadProject(memoryHost({ 'main.mmd': text }, library), 'main.mmd', text, diagnostics),
      diagnostics,
    );
    return diagnostics;
  };

  it('is gone through, however the text is damaged', () => {
    const text =
      readFileSync(new URL('../../examples/scenes.mmd', import.meta.url), 'utf8') + library.backbones;
    const cut = fc.tuple(
      fc.nat(text.length),
      fc.nat(text.length),
      fc.constantFrom('', '{', ')', 'let ', '|>', 'network '),
    );
    fc.assert(
      fc.property(cut, ([a, b, put]) => {
        names(text.slice(0, Math.min(a, b)) + put + text.slice(Math.max(a, b)));
      }),
      { numRuns: 60 },
    );
  });

  it('may be as deep as the parser allows', () => {
    const deepest = (body: (n: number) => string) => {
      const codes = (n: number) =>
        names(`network N(x: f32[C]) -> f32[C] { ${body(n)} }`).list.map((d) => d.code);
      expect(codes(20_000)).toContain('MMD0106');
      expect(codes(100)).toEqual([]);
    };
    deepest((n) => `x${' |> silu'.repeat(n)}`);
    deepest((n) => `x${'[0]'.repeat(n)}`);
    deepest((n) => `${'if C > 1 { x } else '.repeat(n)} { x }`);
  });

  it('of the standard library has nothing to report', () => {
    for (const name of ['backbones', 'embeddings']) {
      expect(names(library[name]!).list).toEqual([]);
    }
  });
});
