/** Networks checked where they are defined: what is wrong for every use is reported, what depends on it is not. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/collect.js';
import { loadProject } from '../../compiler/project/project.js';
import { memoryHost } from '../../compiler/project/host.js';
import { checkDefinitions } from '../../compiler/symbolic/index.js';
import { check, library, mlp, model } from '../names/support.js';

/** Errors of the definitions of a text alone. */
function errors(text: string): string[] {
  const diagnostics = new Diagnostics();
  const project = loadProject(memoryHost({}, library), 'main.mmd', text, diagnostics);
  checkDefinitions(project, diagnostics);
  return diagnostics.list.map((d) => `${d.code} ${text.slice(d.range.start, d.range.end)}: ${d.message}`);
}

const network = (head: string, body: string) => errors(`network ${head} {\n  ${body}\n}\n`);

describe('a definition that no use can satisfy', () => {
  it.each([
    ['N(x: f32[C]) -> f32[2 * C]', 'x', 'MMD0416', '`f32[2 * C]`, and its body returns `f32[C]`'],
    ['N(x: f32[H, W, C]) -> f32[H, W, C]', 'x |> conv(C + 1)', 'MMD0416', '`f32[H, W, C + 1]`'],
    ['N(x: f32[H, W, C]) -> f32[H, W, C]', 'x |> upsample', 'MMD0416', '`f32[2 * H, 2 * W, C]`'],
    ['N(x: f32[C]) -> f32[3 * C]', 'concat(x, x)', 'MMD0416', '`f32[2 * C]`'],
    ['N(x: f32[...S, C]) -> f32[...S, C]', 'x |> linear(C + 1)', 'MMD0416', '`f32[...S, C + 1]`'],
    [
      'N(x: f32[H, W, C]) -> f32[H * W, C]',
      'x |> reshape([H * W, C + 1])',
      'MMD0401',
      'C * H * W + H * W elements',
    ],
    ['N(x: f32[H, W, C]) -> f32[H / 2, W / 2, C]', 'x |> avg_pool(3)', 'MMD0416', '`f32[H / 3, W / 3, C]`'],
    ['N(x: f32[L, C]) -> f32[L, L]', 'matmul(x, x |> linear(2 * C), transpose: true)', 'MMD0410', 'matmul'],
    ['N(x: f32[H, W, C + 2]) -> f32[H, W, C]', 'x + (x |> conv(C + 3))', 'MMD0410', '`f32[H, W, C + 3]`'],
    ['N(x: f32[C]) -> f32[C]', 'x |> conv(C)', 'MMD0401', '`f32[H, W, C]`, and this is `f32[C]`'],
    [
      'N(x: f32[C]) -> f32[C]',
      'x |> attention(heads: 2, head: 3)',
      'MMD0404',
      '`attention` has no parameter `head`',
    ],
    ['N(x: f32[C]) -> f32[C]', 'x |> modulate(x)', 'MMD0402', '`modulate` needs an argument for `shift`'],
    [
      'N(x: f32[C]) -> f32[C]',
      'x |> modulate(x, concat(x, x))',
      'MMD0401',
      '`f32[C]`, and this is `f32[2 * C]`',
    ],
    ['N(x: f32[C]) -> f32[C]', 'x |> linear("wide")', 'MMD0406', 'must be an integer'],
    ['N(x: f32[C]) -> f32[C]', 'x |> linear(x)', 'MMD0415', ''],
    ['N(x: f32[C]) -> f32[C]', 'x |> relu(x, x)', 'MMD0403', ''],
    ['N(x: f32[C]) -> f32[C]', 'x |> linear(x: x, C)', 'MMD0405', ''],
    ['N(x: f32[2 * C + 1]) -> f32[C]', 'let (a, _b) = x |> split(2)\n  a', 'MMD0407', '`f32[2 * C + 1]`'],
    ['N(x: f32[2 * C]) -> f32[C]', 'let (a, _b, _c) = x |> split(2)\n  a', 'MMD0419', ''],
    ['N(x: f32[C], n: int) -> f32[C]', 'x |> repeat(n) { linear(2 * C) }', 'MMD0418', '`f32[2 * C]`'],
    ['N(x: f32[C]) -> int', 'x', 'MMD0416', 'an integer'],
    ['N(x: f32[C], k: int = "a") -> f32[k]', 'x |> linear(k)', 'MMD0406', 'the default of `k`'],
    ['N(x: f32[H, W, C]) -> f32[H, W, C]', 'x |> conv(C, kernel: 4)', 'MMD0414', ''],
    ['N(x: f32[H, W, C]) -> f32[W, H, C]', 'x |> permute([1, 0])', 'MMD0414', ''],
    ['N(x: f32[C]) -> f32[C]', 'if C { x } else { x }', 'MMD0406', 'the condition of `if`'],
    // In one branch only, whichever it is.
    ['N(x: f32[C], k: int) -> f32[C]', 'if k > 2 { x } else { concat(x, x) }', 'MMD0416', '`f32[2 * C]`'],
    // What follows from it is silent.
    [
      'N(x: f32[C]) -> f32[C]',
      'let y = matmul(x, x)\n  y |> linear(2 * C) |> conv(3) |> linear(2 * C)',
      'MMD0410',
      'matmul',
    ],
  ])('%s { %s }: %s', (head, body, code, message) => {
    const list = network(head, body);
    expect(list).toHaveLength(1);
    expect(list[0]!.slice(0, 7)).toBe(code);
    expect(list[0]).toContain(message);
  });
});

describe('a definition that some use satisfies', () => {
  it.each([
    ['N(x: f32[C], y: f32[D]) -> f32[C]', 'x + y'],
    // C = 1: arithmetic repeats along axes of size 1.
    ['N(x: f32[C]) -> f32[C]', 'let y = x + concat(x, x, x)\n  y |> linear(C)'],
    ['N(x: f32[C], width: int) -> f32[width]', 'if C == width { x } else { x |> linear(width) }'],
    ['N(x: f32[H, W, C], p: int) -> f32[(H / p) * (W / p), p^2 * C]', 'x |> patchify(p)'],
    ['N(x: f32[H, W, C]) -> f32[H, W, C]', 'x |> fold(2) |> unfold(2)'],
    ['N(x: f32[H, W, C]) -> f32[H, W, C]', 'x |> downsample |> upsample'],
    [
      'N(x: f32[...S, C]) -> f32[...S, 2 * C]',
      'x |> reshape([product(S), C]) |> linear(2 * C) |> reshape(S + [2 * C])',
    ],
    ['N(x: f32[...S]) -> f32[size(x)]', 'x |> reshape([-1])'],
    ['N(x: f32[C], pad: int = 0) -> f32[C + pad]', 'if pad == 0 { x } else { concat(x, param([pad])) }'],
    ['N(x: f32[C], widths: [int]) -> f32[widths[1]]', 'x |> linear(widths[0]) |> linear(widths[1..][0])'],
    [
      'N(x: f32[C], ws: [int]) -> f32[ws[0]]',
      'if len(ws) > 1 { x |> N(ws[1..]) |> linear(ws[0]) } else { x |> linear(ws[0]) }',
    ],
    ['N(x: f32[C], n: int) -> f32[C]', 'x |> repeat(n - 1) { linear(C) |> silu }'],
    ['N(x: f32[P^2 * C], P: int, k: int = gcd(8, C)) -> f32[k]', 'x |> linear(k)'],
    [
      'N(x: f32[C], k: string = "a") -> f32[C]',
      'if k == "a" { x } else { require false, "no"\n  concat(x, x, x, x) }',
    ],
    ['N(x: f32[H, W, C]) -> f32[C]', 'if H == 1 { x |> reshape([W, C]) |> mean([0]) } else { x |> pool }'],
    [
      'N(x: f32[L, C], h: int) -> f32[L, C]',
      'x |> reshape([L, h, C / h]) |> permute([1, 0, 2]) |> permute([1, 0, 2]) |> reshape([L, C])',
    ],
    ['N(x: f32[C]) -> [int]', 'shape(x) + [C]'],
  ])('%s { %s }', (head, body) => expect(network(head, body)).toEqual([]));

  it('is every one of the standard library', () => {
    const folder = new URL('../../stdlib/', import.meta.url);
    for (const file of readdirSync(folder)) {
      const text = readFileSync(new URL(file, folder), 'utf8');
      expect(errors(text), file).toEqual([]);
    }
  });
});

describe('a network that is used', () => {
  const bad = 'network Twice(x: f32[C]) -> f32[C] { concat(x, x) }\n';

  it('is reported once, at its definition, however often it is used and with what', () => {
    const { list } = check(mlp + bad + model({ decoder: 'h |> Twice |> linear(4) |> Twice |> linear(2)' }));
    expect(list.map((d) => [d.code, d.message])).toEqual([
      ['MMD0416', '`Twice` is declared to return `f32[C]`, and its body returns `f32[2 * C]`'],
    ]);
  });

  it('is reported at the use where its numbers decide', () => {
    const half = 'network Half(x: f32[C]) -> f32[C / 2] { x |> linear(C / 2) }\n';
    const { list } = check(mlp + half + model({ decoder: 'h |> linear(5) |> Half |> linear(2)' }));
    expect(list.map((d) => d.code)).toEqual(['MMD0407']);
    expect(list[0]!.help).toContain('in `Half` with C = 5');
  });
});
