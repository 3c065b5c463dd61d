/** Random programs for the laws of parser and formatter: first well-formed text, then text laid out anyhow. */
import fc from 'fast-check';
import { scan } from '../../grammar/scan.js';

const name = fc.constantFrom('x', 'h', 'image', 'label', 'z', 'given', 'as', 'from', 'W', 'conv2', '_a');
const number = fc.constantFrom('0', '12', '4_000', '1e-3', '0.5', '2.5e+7', '3');
const string = fc.constantFrom('"std/a"', '""', '"a \\"b\\" \\\\ \\n \\u{41}"', '"// no comment"');
const infix = fc.constantFrom('+', '-', '*', '/', '%', '&&', '||');
const comparison = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');

const many = (item: fc.Arbitrary<string>, min: number, max: number, separator = ', '): fc.Arbitrary<string> =>
  fc.array(item, { minLength: min, maxLength: max }).map((items) => items.join(separator));
const text = (...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((all) => all.join(''));
const maybe = (part: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.oneof(fc.constant(''), part);

const { expr, type, block, body } = fc.letrec<
  Record<'expr' | 'operand' | 'arg' | 'stage' | 'body' | 'type' | 'block' | 'statement', string>
>((tie) => ({
  operand: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    name,
    number,
    string,
    fc.constantFrom('true', 'false'),
    text(name, '(', many(tie('arg'), 0, 3), ')'),
    text(name, '[', tie('expr'), ']'),
    text(name, '[', maybe(number), '..', maybe(number), ']'),
    text('(', tie('expr'), ')'),
    text('(', tie('expr'), ', ', tie('expr'), ')'),
    text('[', many(tie('expr'), 0, 3), ']'),
    text(fc.constantFrom('-', '!'), tie('operand')),
    text(name, '^', tie('operand')),
    text('if ', tie('operand'), ' ', tie('body'), ' else ', tie('body')),
    text('if ', name, ' ', tie('body'), ' else if ', name, ' ', tie('body'), ' else ', tie('body')),
  ),
  expr: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('operand'),
    text(tie('operand'), ' ', infix, ' ', tie('operand')),
    text(tie('operand'), ' ', infix, ' ', tie('operand'), ' ', infix, ' ', tie('operand')),
    text('(', tie('operand'), ') ', comparison, ' ', tie('operand')),
    text(tie('operand'), ' |> ', many(tie('stage'), 1, 4, ' |> ')),
  ),
  stage: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    name,
    text(name, '(', many(tie('arg'), 0, 3), ')'),
    text('repeat(', number, ') { ', many(tie('stage'), 1, 3, ' |> '), ' }'),
  ),
  arg: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('expr'),
    text(fc.oneof(name, fc.constantFrom('data', 'if', 'model')), ': ', tie('expr')),
    text(name, ': ', maybe(number), '..', maybe(name)),
  ),
  statement: fc.oneof(
    text('let ', name, ' = ', tie('expr'), '\n'),
    text('let (', many(name, 1, 3), ') = ', tie('expr'), '\n'),
    text('require ', tie('expr'), ', ', string, '\n'),
  ),
  body: text('{ ', maybe(text('\n', many(tie('statement'), 1, 2, ''))), tie('expr'), ' }'),
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    name,
    text(name, '[', many(fc.oneof(tie('expr'), text('...', name)), 0, 3), ']'),
    text('[', tie('type'), ']'),
  ),
  block: text(
    '{ ',
    many(
      fc.oneof(
        text(
          fc.oneof(name, fc.constantFrom('train', 'loss')),
          ': ',
          tie('expr'),
          fc.constantFrom(',', '\n', ' '),
        ),
        text(name, ' ', tie('block'), fc.constantFrom(',', '\n')),
      ),
      0,
      4,
      ' ',
    ),
    '}',
  ),
}));

const doc = fc.constantFrom('', '', '/// Words.\n', '/// Two\n///  lines\n', '//// no doc\n', '\n');
const member = text(
  doc,
  fc.oneof(
    text('let ', name, ' = ', expr),
    text('modality ', name, ': ', type, maybe(text(' = ', expr)), maybe(text(' ', block))),
    text('space ', name, ': ', type),
    text(fc.constantFrom('encoder ', 'backbone ', 'decoder '), name, ' = ', expr, maybe(text(' ', block))),
    text(
      'task ',
      name,
      ': ',
      many(name, 1, 3),
      maybe(text(' -> ', many(name, 1, 2))),
      maybe(text(' ', block)),
    ),
    text(fc.constantFrom('process ', 'loss ', 'train ', 'data ', 'eval '), block),
  ),
  '\n',
);
const declaration = text(
  doc,
  fc.oneof(
    text('import { ', many(fc.oneof(name, text(name, ' as ', name)), 0, 3), ' } from ', string),
    text('model ', name, maybe(text(' = ', name)), ' { ', many(member, 0, 4, ''), '}'),
    text(
      ...['network ', name, '('],
      many(text(name, ': ', type, maybe(text(' = ', expr))), 0, 3),
      ...[') -> ', type, ' ', body],
    ),
  ),
  '\n',
);

/** Well-formed files. */
export const program: fc.Arbitrary<string> = many(declaration, 0, 3, '');

const filler = fc.constantFrom(
  ' ',
  '\n',
  '\n\n\n',
  '  // note\n',
  '\n// own line\n',
  '\n/// stray\n',
  '// a\n\n\t// b\n',
  '//\n',
);

/** A well-formed file with space, lines and comments put between some of its tokens; it need not mean the same. */
export const laidOut = (source: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(source, fc.array(fc.tuple(fc.nat(), filler), { maxLength: 6 })).map(([file, insertions]) => {
    const tokens = scan(file).tokens;
    const places = [...tokens.map((token) => token.startOffset), file.length];
    const chosen = insertions.map(([at, space]) => [places[at % places.length], space] as const);
    return chosen
      .toSorted((a, b) => b[0] - a[0])
      .reduce((result, [at, space]) => result.slice(0, at) + space + result.slice(at), file);
  });
