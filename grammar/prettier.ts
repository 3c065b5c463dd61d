/**
 * The Prettier plugin: `prettier --plugin mmdc/grammar/prettier.js model.mmd`, and what `format` runs.
 *
 * @module
 */
import type { Plugin } from 'prettier';
import type { Comment, Node, SourceFile } from './ast.js';
import { linkParents } from './comments.js';
import { FormatError } from './format.js';
import { parse } from './parse.js';
import { printer } from './printer.js';

/** @throws FormatError when the text has syntax errors */
function read(text: string): SourceFile {
  const { tree, problems } = parse(text);
  if (problems.length > 0) throw new FormatError(problems);
  linkParents(tree);
  return tree;
}

const plugin: Plugin<Node> = {
  languages: [{ name: 'mmd', parsers: ['mmd'], extensions: ['.mmd'] }],
  parsers: {
    mmd: {
      parse: read,
      astFormat: 'mmd',
      locStart: (node: Node | Comment) => node.range.start,
      locEnd: (node: Node | Comment) => node.range.end,
    },
  },
  printers: { mmd: printer },
  defaultOptions: { printWidth: 100, tabWidth: 2 },
};

export default plugin;
