import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineMap } from '../../grammar/lines.js';
import type { Painter, Style } from '../../compiler/diagnostics/render.js';
import { plain, renderJson, renderText, summary, toJson } from '../../compiler/diagnostics/render.js';
import { label, placeOf, problem } from './helpers.js';

const files = {
  'a.mmd': `import { DiT } from "std/backbones"

model Digits {
  space z: f32[28, 28, 1]
\tencoder image = image |> conv(日本語, kernel: 3)
  process {
    stepz: 1000
    a: 1
    b: 2
    c: 3
    d: 4
    e: 5
  }
}
`,
  'b.mmd': 'network A(x: f32[H]) -> f32[H] {\r\n  x + 1\r\n}\r\n',
} as const;

const source = (file: string): string | undefined => (files as Record<string, string>)[file];
const at = (file: keyof typeof files, text: string, to?: string) => placeOf(files, file, text, to);
const text = (...list: Parameters<typeof problem>[]) =>
  renderText(
    list.map((l) => problem(...l)),
    source,
  );

describe('the code frame', () => {
  it('shows the line, the mark, help and fixes', () => {
    const place = at('a.mmd', 'stepz');
    const fixes = [{ title: 'replace by `steps`', safe: true, edits: [{ ...place, text: 'steps' }] }];
    expect(text([place, { help: 'did you mean `steps`?', fixes }])).toBe(`error[MMD0401]: shapes differ
 --> a.mmd:7:5
  |
7 |     stepz: 1000
  |     ^^^^^
  |
  = help: did you mean \`steps\`?
  = fix: replace by \`steps\` (applied by \`--fix\`)
`);
  });

  it('labels several places on a line, in other lines and in other files', () => {
    const labels = [
      label(at('a.mmd', 'conv(', ')'), 'gives f32[28, 28, 8]'),
      label(at('a.mmd', 'image |>'), 'this is f32[28, 28, 1]'),
      label(at('a.mmd', '日本語'), 'the width'),
      label(at('a.mmd', 'f32[28, 28, 1]'), 'needed here'),
      label(at('b.mmd', 'x: f32[H]'), 'declared here'),
    ];
    // A tab is as wide as the next stop, each of 日本語 is two cells.
    expect(text([at('a.mmd', 'conv(', ')'), { labels }])).toBe(`error[MMD0401]: shapes differ
 --> a.mmd:5:27
  |
4 |   space z: f32[28, 28, 1]
  |            -------------- needed here
5 |     encoder image = image |> conv(日本語, kernel: 3)
  |                     -------- ^^^^^------^^^^^^^^^^^^
  |                     |        |    |
  |                     |        |    the width
  |                     |        gives f32[28, 28, 8]
  |                     this is f32[28, 28, 1]
  |
 ::: b.mmd:1:11
  |
1 | network A(x: f32[H]) -> f32[H] {
  |           --------- declared here
`);
  });

  it('draws bars beside ranges of several lines, one inside the other, and leaves their middle out', () => {
    const block = at('a.mmd', '{\n    stepz', '}');
    const labels = [
      label(block, 'in this block'),
      label(at('a.mmd', 'model', 'e: 5\n  }\n}'), 'of this model'),
    ];
    expect(text([block, { severity: 'warning', labels }])).toBe(`warning[MMD0401]: shapes differ
  --> a.mmd:6:11
   |
 3 | /   model Digits {
 4 | |     space z: f32[28, 28, 1]
 5 | |       encoder image = image |> conv(日本語, kernel: 3)
 6 | |     process {
   | |  ___________^
 7 | | |     stepz: 1000
...  | |
12 | | |     e: 5
13 | | |   }
   | | |___^ in this block
14 | |   }
   | |___- of this model
`);
  });

  it('reads CRLF as one line break', () => {
    const place = at('b.mmd', 'network', '}');
    expect(text([place, { labels: [label(place, 'all of it')] }])).toBe(`error[MMD0401]: shapes differ
 --> b.mmd:1:1
  |
1 | / network A(x: f32[H]) -> f32[H] {
2 | |   x + 1
3 | | }
  | |_^ all of it
`);
  });

  it('marks empty ranges, the end of the file, and a line with its break', () => {
    const end = files['b.mmd'].length;
    expect(text([{ file: 'b.mmd', range: { start: end, end } }])).toContain(
      ' --> b.mmd:4:1\n  |\n4 |\n  | ^\n',
    );
    const line = { file: 'b.mmd', range: { start: 34, end: 43 } };
    expect(text([line])).toContain('2 |   x + 1\n  | ^^^^^^^\n');
  });

  it('cuts a long line around its mark', () => {
    const long = `${'a + '.repeat(5000)}wrong${' + b'.repeat(5000)}`;
    const place = placeOf({ long }, 'long', 'wrong');
    const out = renderText([problem(place)], () => long);
    const [code, marks] = out.split('\n').slice(3);
    expect(code.length).toBeLessThan(160);
    expect(code.indexOf('wrong')).toBe(marks.indexOf('^^^^^'));
    expect(marks.trim()).toMatch(/^\| +\^{5}$/);
  });

  it('names a file without text, and nothing where there is no file', () => {
    const nowhere = { start: 0, end: 0 };
    expect(text([{ file: 'x.gz', range: nowhere }])).toBe('error[MMD0401]: shapes differ\n --> x.gz\n');
    expect(text([{ file: '', range: nowhere }, { help: 'read this' }])).toBe(
      'error[MMD0401]: shapes differ\n  = help: read this\n',
    );
  });

  it('separates diagnostics by a blank line and is empty without any', () => {
    const place = { file: '', range: { start: 0, end: 0 } };
    expect(text([place], [place])).toBe('error[MMD0401]: shapes differ\n\nerror[MMD0401]: shapes differ\n');
    expect(text()).toBe('');
  });

  it('lets nothing through that moves the cursor or reorders the text', () => {
    const evil = 'let x = "\u001b[2J\u202e"\u0007';
    const out = renderText(
      [
        problem(
          { file: 'e\u001b', range: { start: 4, end: 5 } },
          { message: 'm\u001b]0;\u0007', help: 'h\r\u009b' },
        ),
      ],
      () => evil,
    );
    // eslint-disable-next-line no-control-regex -- escape sequences are what is looked for
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(out).toContain('let x = "␛[2J�"␇');
  });

  it('colours by the injected painter, each piece in its role', () => {
    const tag = (s: Style) => (t: string) => `<${s}>${t}</${s}>`;
    const painter = Object.fromEntries((Object.keys(plain) as Style[]).map((s) => [s, tag(s)])) as Painter;
    const place = at('a.mmd', 'stepz');
    const out = renderText([problem(place, { labels: [label(place, 'here')] })], source, painter);
    expect(out).toBe(`<error>error[MMD0401]</error><title>: shapes differ</title>
 <gutter>--></gutter> a.mmd:7:5
<gutter>  |</gutter>
<gutter>7 |</gutter>     stepz: 1000
<gutter>  |</gutter>     <error>^^^^^</error> <error>here</error>
`);
  });
});

describe('any text, any ranges', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 80 });
  const piece = fc.constantFrom('a', ' ', '\n', '\r\n', '\r', '\t', '界', '👩‍👩‍👧', 'e\u0301', '\u001b', '"');
  const lines = fc.array(piece, { maxLength: 60 }).map((p) => p.join(''));
  const range = fc.tuple(fc.integer({ min: -3, max: 90 }), fc.integer({ min: -3, max: 90 }));

  it('render, and show the right line in every form', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyText, lines),
        fc.array(range, { minLength: 1, maxLength: 5 }),
        (all, ranges) => {
          const places = ranges.map(([start, end]) => ({ file: 'f', range: { start, end } }));
          const labels = places.slice(1).map((p, i) => label(p, i % 2 === 0 ? `label ${i}` : ''));
          const d = problem(places[0], { labels });
          const out = renderText([d], () => all);
          // eslint-disable-next-line no-control-regex -- escape sequences are what is looked for
          expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
          for (const l of labels) if (l.message !== '') expect(out).toContain(l.message);
          const { line, column } = new LineMap(all).position(places[0].range.start);
          expect(out.split('\n')[1].trim()).toBe(`--> f:${line}:${column}`);
          const [json] = toJson([d], () => all);
          expect(json.range.start).toMatchObject({ line, column });
          expect(json.range.start.offset).toBeLessThanOrEqual(json.range.end.offset);
          expect(json.range.end.offset).toBeLessThanOrEqual(all.length);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('put a mark of one line exactly under its characters', () => {
    const word = fc.stringMatching(/^[a-z =+]{1,40}$/);
    fc.assert(
      fc.property(word, fc.nat(), fc.nat(), (line, a, b) => {
        const start = a % line.length;
        const end = start + 1 + (b % (line.length - start));
        const rows = renderText([problem({ file: 'f', range: { start, end } })], () => line).split('\n');
        const offset = rows[3].indexOf('|') + 2;
        expect(rows[3].slice(offset)).toBe(line.trimEnd());
        expect(rows[4].slice(offset)).toBe(' '.repeat(start) + '^'.repeat(end - start));
      }),
    );
  });
});

describe('the JSON form', () => {
  it('has every field, places as line, column and offset', () => {
    const place = at('a.mmd', 'stepz');
    const other = at('b.mmd', 'x + 1');
    const fixes = [{ title: 'rename', safe: false, edits: [{ ...place, text: 'steps' }] }];
    const d = problem(place, { labels: [label(place, 'here'), label(other, 'there')], fixes });
    const range = { start: { line: 7, column: 5, offset: 141 }, end: { line: 7, column: 10, offset: 146 } };
    const there = { start: { line: 2, column: 3, offset: 36 }, end: { line: 2, column: 8, offset: 41 } };
    expect(place.range).toEqual({ start: 141, end: 146 });
    expect(JSON.parse(renderJson([d], source))).toEqual([
      {
        code: 'MMD0401',
        severity: 'error',
        message: 'shapes differ',
        file: 'a.mmd',
        range,
        labels: [
          { range, message: 'here' },
          { file: 'b.mmd', range: there, message: 'there' },
        ],
        help: null,
        fixes: [{ title: 'rename', safe: false, edits: [{ range, text: 'steps' }] }],
      },
    ]);
    expect(renderJson([], source)).toBe('[]\n');
  });
});

describe('the summary', () => {
  it('counts by severity', () => {
    const of = (...severities: ('error' | 'warning' | 'info')[]) =>
      summary(severities.map((severity) => problem({ file: '', range: { start: 0, end: 0 } }, { severity })));
    expect(of()).toBe('no problems');
    expect(of('error')).toBe('1 error');
    expect(of('error', 'warning', 'error')).toBe('2 errors and 1 warning');
    expect(of('error', 'warning', 'info')).toBe('1 error, 1 warning and 1 note');
  });
});
