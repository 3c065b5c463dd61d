/**
 * The Prettier plugin, which the package exports as `mmdc/prettier` and {@link format} runs:
 * `prettier --plugin mmdc/prettier model.mmd`. It formats files, `mmd` blocks in Markdown, and the Markdown of
 * documentation comments (unless `embeddedLanguageFormatting` is off).
 *
 * @module
 */
import type { Parser, ParserOptions, Plugin } from 'prettier';
import type { Comment, Node, SourceFile } from './ast.js';
import { linkParents } from './comments.js';
import { joinDocs } from './docs.js';
import { FormatError } from './format.js';
import { parse } from './parse.js';
import { printer } from './printer.js';
import { formatRange } from './range.js';

/** @throws FormatError when the text has syntax errors */
function read(text: string): SourceFile {
  const { tree, problems } = parse(text);
  if (problems.length > 0) throw new FormatError(problems, text);
  linkParents(tree);
  return { ...tree, comments: joinDocs(tree, text) };
}

/** Prettier's pragmas, in the first comments of a file. */
const pragma = (word: string) => new RegExp(`^\\s*(?:\\s*//[^\\n]*\\n)*?\\s*//+\\s*@${word}\\s*(?:\\n|$)`);
const formatPragma = pragma('(?:format|prettier)');
const ignorePragma = pragma('(?:noformat|noprettier)');

const parser: Parser<Node> = {
  parse: read,
  // Prettier leaves ranges of languages that are not its own as they are: they are formatted before it reads them.
  preprocess: ((text: string, options: ParserOptions<Node>) =>
    options.rangeStart > 0 || options.rangeEnd < text.length
      ? formatRange(text, plugin, options)
      : text) as unknown as NonNullable<Parser<Node>['preprocess']>,
  astFormat: 'mmd',
  hasPragma: (text) => formatPragma.test(text),
  hasIgnorePragma: (text) => ignorePragma.test(text),
  locStart: (node: Node | Comment) => node.range.start,
  locEnd: (node: Node | Comment) => node.range.end,
};

const plugin: Plugin<Node> = {
  languages: [
    {
      name: 'mmd',
      parsers: ['mmd'],
      extensions: ['.mmd'],
      aliases: ['mmdiff'],
      vscodeLanguageIds: ['mmdiff'],
    },
  ],
  parsers: { mmd: parser },
  printers: { mmd: printer },
  defaultOptions: { printWidth: 100, tabWidth: 2 },
};

export const { languages, parsers, printers, defaultOptions } = plugin;
export default plugin;
