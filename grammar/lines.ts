/**
 * Offsets to lines and columns and back.
 *
 * @module
 */

/** Lines and columns count from 1; columns in UTF-16 units. */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

/** The lines of a text; `\n`, `\r\n` and a lone `\r` end one. */
export class LineMap {
  private readonly starts: number[] = [0];

  constructor(readonly text: string) {
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) this.starts.push(i + 1);
    }
  }

  /** At least 1: a text that ends in a newline has an empty last line. */
  get lineCount(): number {
    return this.starts.length;
  }

  /** The place of an offset; offsets outside the text are brought to its ends. */
  position(offset: number): LineColumn {
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - this.starts[low] + 1 };
  }

  /** The offset of a place; a column past the end of its line gives that end, a line past the last the text's end. */
  offset(line: number, column: number): number {
    if (line < 1) return 0;
    if (line > this.starts.length) return this.text.length;
    return Math.min(this.starts[line - 1] + Math.max(0, column - 1), this.contentEnd(line));
  }

  /** The text of a line without what ends it; empty for lines that do not exist. */
  lineText(line: number): string {
    if (line < 1 || line > this.starts.length) return '';
    return this.text.slice(this.starts[line - 1], this.contentEnd(line));
  }

  private contentEnd(line: number): number {
    let end = line < this.starts.length ? this.starts[line] : this.text.length;
    if (line === this.starts.length) return end;
    end--;
    if (
      this.text.charCodeAt(end) === 10 &&
      end > this.starts[line - 1] &&
      this.text.charCodeAt(end - 1) === 13
    )
      end--;
    return end;
  }
}
