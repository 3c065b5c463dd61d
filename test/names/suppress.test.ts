import { describe, expect, it } from 'vitest';
import { applied, check, found, mlp, model, type Checked } from './support.js';

/** A file with one network, which nothing calls. */
const network = (body: string, params = 'x: f32[C]', before = ''): string =>
  `${before}network N(${params}) -> f32[C] {\n${body}\n}\n`;

describe('`// mmdc-allow CODE: reason`', () => {
  it.each([
    ['on the line before', network('  // mmdc-allow MMD0321: later\n  let y = x\n  x')],
    ['on the same line', network('  let y = x // mmdc-allow MMD0321: later\n  x')],
    ['before other comments', network('  // mmdc-allow MMD0321: later\n\n  // more\n  let y = x\n  x')],
    ['for several codes', network('  // mmdc-allow MMD0321, MMD0324: later\n  let x = x\n  param([C])')],
    ['in any case of the code', network('  // mmdc-allow mmd0321: later\n  let y = x\n  x')],
    [
      'for all of a statement',
      network(
        '  // mmdc-allow MMD0324: so be it\n  let y = if C > 1 {\n    let x = x\n    x\n  } else { x }\n  y',
      ),
    ],
    [
      'for the head of a network',
      network('  x', 'x: f32[C], t: f32[]', '// mmdc-allow MMD0323: for callers\n'),
    ],
    [
      'for all of a block',
      mlp +
        model({
          process:
            '// mmdc-allow MMD0604: a test\n  // mmdc-allow MMD0606: a test\n  process {\n    steps: 1000\n    retention: 0.5\n    origin: x\n  }',
        }),
    ],
    [
      'for one entry',
      mlp +
        model({
          process:
            'process {\n    steps: 1000\n    // mmdc-allow MMD0604, MMD0606: a test\n    retention: 0.5\n    origin: x\n  }',
        }),
    ],
  ])('silences a warning %s', (_, text) => {
    expect(found(check(text))).toEqual([]);
    expect(found(check(text.replaceAll('mmdc-allow', 'allow'))).length).toBeGreaterThan(0);
  });

  it.each([
    [
      'another code',
      network('  // mmdc-allow MMD0323: later\n  let y = x\n  x'),
      ['MMD0332 MMD0323', 'MMD0321 y'],
    ],
    [
      'the statement after next',
      network('  // mmdc-allow MMD0321: later\n  let a = x\n  let y = x\n  a'),
      ['MMD0332 MMD0321', 'MMD0321 y'],
    ],
    [
      'the line after one with code',
      network('  let a = x // mmdc-allow MMD0321: later\n  let y = x\n  a'),
      ['MMD0332 MMD0321', 'MMD0321 y'],
    ],
    [
      'the body of a network',
      network('  let y = x\n  x', 'x: f32[C]', '// mmdc-allow MMD0321: all of it\n'),
      ['MMD0332 MMD0321', 'MMD0321 y'],
    ],
  ])('does not reach %s', (_, text, expected) => {
    expect(found(check(text))).toEqual(expected);
  });

  it('never silences an error', () => {
    const text = network('  // mmdc-allow MMD0301: it is there\n  x + y');
    expect(found(check(text))).toEqual(['MMD0333 MMD0301', 'MMD0301 y']);
    expect(found(check(network('  // mmdc-allow MMD9999: what\n  x')))).toEqual(['MMD0333 MMD9999']);
    expect(check(network('  // mmdc-allow: all\n  x')).list.map((d) => d.code)).toEqual(['MMD0333']);
  });

  it('wants a reason, and holds without one', () => {
    for (const comment of ['// mmdc-allow MMD0321', '// mmdc-allow MMD0321:', '// mmdc-allow MMD0321:  ']) {
      const checked = check(network(`  ${comment}\n  let y = x\n  x`));
      expect(checked.list.map((d) => [d.code, d.severity])).toEqual([['MMD0331', 'warning']]);
    }
  });

  it('is a comment of its own, no documentation and no other word', () => {
    expect(found(check(network('  /// mmdc-allow MMD0321: later\n  let y = x\n  x')))).toEqual(['MMD0321 y']);
    expect(found(check(network('  // mmdc-allowed MMD0321: later\n  let y = x\n  x')))).toEqual([
      'MMD0321 y',
    ]);
  });
});

describe('a comment without a warning', () => {
  const fixed = (checked: Checked): string => {
    const [unused] = checked.list.filter((d) => d.code === 'MMD0332');
    expect(unused!.fixes[0]!.safe).toBe(true);
    return applied(checked.files, unused!.fixes[0]!)['main.mmd']!;
  };

  it.each([
    ['  // mmdc-allow MMD0321: later\n  x', '  x'],
    ['  x // mmdc-allow MMD0321: later', '  x'],
    [
      '  // mmdc-allow MMD0323, MMD0321: later\n  let y = x\n  x',
      '  // mmdc-allow MMD0321: later\n  let y = x\n  x',
    ],
    [
      '  // mmdc-allow MMD0321, MMD0323: later\n  let y = x\n  x',
      '  // mmdc-allow MMD0321: later\n  let y = x\n  x',
    ],
  ])('%j is removed by a safe fix', (before, after) => {
    expect(fixed(check(network(before)))).toBe(network(after));
  });

  it('is not blamed where warnings may be missing: after an error, under `--set`, in an imported file', () => {
    const comment = '// mmdc-allow MMD0604: a test\n  ';
    const spec = (decoder: string) =>
      mlp + model({ process: `${comment}process { steps: 100, origin: x }`, decoder });
    expect(found(check(spec('h |> linear(2)')))).toEqual(['MMD0332 MMD0604']);
    expect(found(check(spec('h |> linaer(2)')))).toEqual(['MMD0301 linaer']);
    expect(found(check({ 'main.mmd': spec('h |> linear(2)') }, ['train.batch=8']))).toEqual([]);
    const files = {
      'main.mmd': 'import { N } from "./a.mmd"\nnetwork Main(x: f32[C]) -> f32[C] { x |> N }\n',
      'a.mmd': network('  x') + spec('h |> linear(2)'),
    };
    expect(found(check(files))).toEqual([]);
  });

  it('in an imported file still silences', () => {
    const files = {
      'main.mmd': 'import { N } from "./a.mmd"\nnetwork Main(x: f32[C]) -> f32[C] { x |> N }\n',
      'a.mmd': network('  // mmdc-allow MMD0321: later\n  let y = x\n  x'),
    };
    expect(found(check(files))).toEqual([]);
  });
});
