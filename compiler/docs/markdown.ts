/**
 * Doc comments as HTML: Markdown with `$formulas$`. They are data: HTML in them is text, pictures are not loaded, links
 * lead to the web alone.
 *
 * @module
 */
import MarkdownIt from 'markdown-it';
import { trusted, type Html } from './html.js';
import { mathml } from './tex.js';

let shared: MarkdownIt | undefined;

/**
 * @param level how much deeper headings are than they are written, so that they fit into the page around
 */
export function renderMarkdown(text: string, level = 3): Html {
  shared ??= create();
  return trusted(shared.render(text, { level }));
}

/** The same within a line: no paragraphs, lists or headings. */
export function renderInline(text: string): Html {
  shared ??= create();
  return trusted(shared.renderInline(text.replace(/\s+/g, ' '), { level: 0 }));
}

/** The first sentence, or paragraph where it is none, as Markdown. */
export function firstSentence(text: string): string {
  const [paragraph] = text.trim().split(/\n\s*\n/);
  const line = paragraph.replace(/\s+/g, ' ');
  return /^.*?[.!?](?=\s|$)/.exec(line)?.[0] ?? line;
}

function create(): MarkdownIt {
  const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });
  markdown.disable('image');
  const valid = markdown.validateLink;
  markdown.validateLink = (url) => /^(https?:\/\/|mailto:|#)/i.test(url) && valid(url);
  markdown.inline.ruler.after('escape', 'formula', (state, silent) => {
    if (state.src[state.pos] !== '$') return false;
    const fence = state.src.startsWith('$$', state.pos) ? '$$' : '$';
    const start = state.pos + fence.length;
    const end = state.src.indexOf(fence, start);
    const tex = end < 0 ? '' : state.src.slice(start, end);
    // "5 $ and 6 $" is no formula: as elsewhere, its dollars touch it.
    if (tex.trim() === '' || (fence === '$' && (/^\s|\s$/.test(tex) || /\d/.test(state.src[end + 1] ?? ''))))
      return false;
    if (!silent) {
      const token = state.push('formula', 'math', 0);
      token.content = tex;
      token.markup = fence;
    }
    state.pos = end + fence.length;
    return true;
  });
  markdown.renderer.rules['formula'] = (tokens, i) =>
    mathml(tokens[i].content, tokens[i].markup === '$$').text;
  markdown.renderer.rules['link_open'] = (tokens, i, options, _, self) => {
    tokens[i].attrSet('rel', 'noreferrer');
    return self.renderToken(tokens, i, options);
  };
  for (const rule of ['heading_open', 'heading_close']) {
    markdown.renderer.rules[rule] = (tokens, i, options, env: { level: number }, self) => {
      const depth = Math.min(6, Number(tokens[i].tag.slice(1)) + env.level);
      tokens[i].tag = `h${depth}`;
      return self.renderToken(tokens, i, options);
    };
  }
  // A column that is wider than the page scrolls instead of widening it; code can be reached by keyboard.
  markdown.renderer.rules['table_open'] = () => '<div class="scroll"><table>\n';
  markdown.renderer.rules['table_close'] = () => '</table></div>\n';
  return markdown;
}
