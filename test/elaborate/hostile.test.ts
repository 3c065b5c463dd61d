/** Specs that are out to hang or crash the checker end with a diagnostic, soon. */
import { describe, expect, it } from 'vitest';
import { analyzeText, shown } from '../model/support.js';

const model = (stage: string, networks = '', rest = ''): string => `${networks}
model M {
  modality x: vector[4]
  space z: f32[4]
  encoder x = x
  process { origin: x }
  backbone h = concat(z, given) |> linear(4) ${stage}
  decoder z = concat(h, t |> reshape([1])) |> linear(4)
  task generate: x
  ${rest}
}
`;

/** CPU time is what counts: the machine may be busy with other things. */
function seconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const calls = (n: number, name: string) => Array.from({ length: n }, () => `|> ${name}`).join(' ');
const chain = Array.from(
  { length: 40 },
  (_, i) => `network N${i}(x: f32[C]) -> f32[C] { (x |> N${i + 1}) + (x |> N${i + 1}) }`,
).join('\n');

const specs: Record<string, readonly [string, RegExp]> = {
  'recursion without an end': [
    model('|> Loop', 'network Loop(x: f32[C]) -> f32[C] { x |> Loop }'),
    /MMD0801/,
  ],
  'two networks that call each other': [
    model('|> A', 'network A(x: f32[C]) -> f32[C] { x |> B }\nnetwork B(x: f32[C]) -> f32[C] { x |> A }'),
    /MMD0801/,
  ],
  'recursion that doubles': [
    model(
      '|> Twice(60)',
      'network Twice(x: f32[C], n: int) -> f32[C] {\n  if n == 0 { x |> silu } else { (x |> Twice(n - 1)) + (x |> Twice(n - 1)) }\n}',
    ),
    /MMD0802/,
  ],
  'recursion that doubles and makes no nodes': [
    model(
      '|> Twice(60)',
      'network Twice(x: f32[C], n: int) -> f32[C] {\n  if n == 0 { x } else { x |> Twice(n - 1) |> Twice(n - 1) }\n}',
    ),
    /MMD0802/,
  ],
  'static recursion that doubles': [
    model(
      '|> linear(Count(4, 60))',
      'network Count(a: int, n: int) -> int { if n == 0 { a } else { Count(a, n - 1) + Count(a, n - 1) } }',
    ),
    /MMD0802/,
  ],
  'a chain of networks that doubles': [
    model('|> N0', `${chain}\nnetwork N40(x: f32[C]) -> f32[C] { x }`),
    /MMD0802/,
  ],
  'nested repetition': [model('|> repeat(4096) { repeat(4096) { repeat(4096) { silu } } }'), /MMD0802/],
  'nested repetition of nothing': [
    model('|> repeat(4096) { repeat(4096) { repeat(4096) { stop_gradient } } }'),
    /MMD0802/,
  ],
  'nested repetition of an identity': [
    model(
      '|> repeat(4096) { repeat(4096) { repeat(4096) { Same } } }',
      'network Same(x: f32[C]) -> f32[C] { x }',
    ),
    /MMD0802/,
  ],
  'lists that double': [
    model(
      '|> linear(len(Grow([1, 2], 40)))',
      'network Grow(a: [int], n: int) -> [int] { if n == 0 { a } else { Grow(a + a, n - 1) } }',
    ),
    /MMD0414/,
  ],
  'a list that doubles in one network': [
    model(
      '|> linear(4)',
      '',
      `let l0 = [1]\n${Array.from({ length: 50 }, (_, i) => `let l${i + 1} = l${i} + l${i}`).join('\n')}\nlet n = len(l50)`,
    ),
    /MMD0414/,
  ],
  'strings that double': [
    model(
      '|> linear(4)',
      '',
      `let s0 = "ab"\n${Array.from({ length: 50 }, (_, i) => `let s${i + 1} = s${i} + s${i}`).join('\n')}\nlet n = s50 == "x"`,
    ),
    /MMD0414/,
  ],
  'a wide tensor': [model('|> linear(1000000000) |> linear(1000000000)'), /MMD0803/],
  'a wide tensor by broadcasting': [
    model('|> reshape([4, 1]) |> broadcast([4, 1000000000]) |> mean([0])'),
    /MMD0803/,
  ],
  'an outer product': [
    model(
      '|> linear(100000) |> Outer',
      'network Outer(x: f32[C]) -> f32[C] { matmul(x |> reshape([C, 1]), x |> reshape([1, C])) |> mean([0]) }',
    ),
    /MMD0803/,
  ],
  'a huge parameter': [
    model('|> Add', 'network Add(x: f32[C]) -> f32[C] { x + (param([100000, 100000]) |> sum) }'),
    /MMD0803/,
  ],
  'lists inside lists': [
    model(
      '|> linear(4)',
      '',
      `let l0 = [1]\n${Array.from({ length: 50 }, (_, i) => `let l${i + 1} = [l${i}, l${i}]`).join('\n')}\nlet n = l50 == l50`,
    ),
    /MMD0410/,
  ],
  'an image enlarged a billionfold': [model('|> reshape([2, 2, 1]) |> upsample(100000) |> pool'), /MMD0803/],
  'many small layers': [model(calls(20, 'repeat(4000) { linear(4) |> silu }')), /MMD0802/],
  'dimensions of 1e18': [model('|> linear(1000000000000000000)'), /MMD04(14|12)|MMD0103/],
  'a modality of 2^53': [model('', '', 'modality big: vector[9007199254740992]'), /MMD0803|MMD0103|MMD0414/],
  'a space of 1e18': [model('').replace('z: f32[4]', 'z: f32[1000000, 1000000, 1000000]'), /MMD0803/],
  'a count of classes without end': [model('', '', 'modality big: category[4000000000]'), /MMD0803/],
  'a deep expression': [model(`|> linear(${'('.repeat(5000)}4${')'.repeat(5000)})`), /MMD0106/],
  'a long sum': [model(`|> linear(${Array.from({ length: 20_000 }, () => '1').join(' + ')})`), /MMD0106/],
  'a long pipe': [model(calls(20_000, 'silu')), /MMD0106/],
  'a long else-if': [
    model(
      `|> linear(${Array.from({ length: 2000 }, (_, i) => `if 4 == ${i + 5} { ${i} } else `).join('')} { 4 })`,
    ),
    /MMD0106/,
  ],
  powers: [model('|> linear(9 ^ 9 ^ 9 ^ 9)'), /MMD0414/],
  'a process with too many steps': [
    model('').replace('origin: x', 'origin: x, steps: 1000000000'),
    /MMD0414/,
  ],
};

describe('hostile specs', () => {
  it.each(Object.entries(specs))('%s', (_, [text, wanted]) => {
    let report = '';
    const spent = seconds(() => {
      report = shown(analyzeText(text));
    });
    expect(report.slice(0, 2000)).toMatch(wanted);
    // A handful of problems, not one for every node.
    expect(report.match(/^error/gm)?.length ?? 0).toBeLessThan(10);
    expect(spent).toBeLessThan(5);
  });
});
