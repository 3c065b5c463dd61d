/**
 * What is wrong with a user's data, said in terms of the file it is in.
 *
 * @module
 */

export interface FaultDetails {
  /** Row of the data, from 0, where one is to blame. */
  readonly row?: number;
  /** What the user can do about it. */
  readonly help?: string;
  readonly cause?: unknown;
}

export class DataFault extends Error {
  override readonly name = 'DataFault';
  /** The file or folder as the user named it, or the name of a column. */
  readonly file: string;
  /** The problem, without the file's name. */
  readonly detail: string;
  readonly row?: number;
  readonly help?: string;

  constructor(file: string, detail: string, { row, help, cause }: FaultDetails = {}) {
    super(`${file}: ${row === undefined ? '' : `row ${row}: `}${detail}`, { cause });
    this.file = file;
    this.detail = detail;
    if (row !== undefined) this.row = row;
    if (help !== undefined) this.help = help;
  }
}
