/**
 * Colours in the editor, from the language's own tokens.
 *
 * @module
 */
import { RangeSetBuilder, StateField, type EditorState } from '@codemirror/state';
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view';
import { spansOf } from '../compiler/docs/highlight.js';

const marks = new Map<string, Decoration>();

function mark(kind: string): Decoration {
  let decoration = marks.get(kind);
  if (!decoration) marks.set(kind, (decoration = Decoration.mark({ class: `token-${kind}` })));
  return decoration;
}

function decorate(state: EditorState): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const { start, end, kind } of spansOf(state.doc.toString())) {
    if (kind !== 'name' && end > start) builder.add(start, end, mark(kind));
  }
  return builder.finish();
}

export const highlighting = StateField.define<DecorationSet>({
  create: decorate,
  update: (value, transaction) => (transaction.docChanged ? decorate(transaction.state) : value),
  provide: (field) => EditorView.decorations.from(field),
});
