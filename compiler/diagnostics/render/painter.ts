/**
 * Colours are chosen by whoever prints: a painter wraps a piece of text for each role it can have.
 *
 * @module
 */
import type { Severity } from '../diagnostic.js';

export type Style = Severity | 'title' | 'secondary' | 'gutter' | 'help' | 'fix';

export type Painter = { readonly [S in Style]: (text: string) => string };

const same = (text: string): string => text;

/** No colours. */
export const plain: Painter = {
  error: same,
  warning: same,
  info: same,
  title: same,
  secondary: same,
  gutter: same,
  help: same,
  fix: same,
};

/** One row of output: cells with styles. */
export class Row {
  readonly #cells: string[] = [];
  readonly #styles: (Style | undefined)[] = [];

  get length(): number {
    return this.#cells.length;
  }

  /** Writes cells from `column` on, over what is there. */
  put(column: number, cells: readonly string[] | string, style?: Style): this {
    const list = typeof cells === 'string' ? [...cells] : cells;
    while (this.#cells.length < column) this.#push(' ', undefined);
    list.forEach((cell, i) => {
      this.#cells[column + i] = cell;
      this.#styles[column + i] = style;
    });
    return this;
  }

  #push(cell: string, style: Style | undefined): void {
    this.#cells.push(cell);
    this.#styles.push(style);
  }

  /** The row as text, without trailing blanks. */
  paint(painter: Painter): string {
    let end = this.#cells.length;
    while (end > 0 && this.#cells[end - 1] === ' ') end--;
    let text = '';
    for (let i = 0; i < end;) {
      const style = this.#styles[i];
      let run = '';
      for (; i < end && this.#styles[i] === style; i++) run += this.#cells[i];
      text += style === undefined ? run : painter[style](run);
    }
    return text;
  }
}
