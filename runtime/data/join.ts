/**
 * Joining columns by the names of their rows instead of their order.
 *
 * @module
 */
import { pickRows, type Column } from './column.js';
import { DataFault } from './fault.js';

/** Names that a message lists, and ids that are there twice. */
const listed = 5;
const mostTwice = 20;

/**
 * Columns with the rows in one order: that of the first column that may not miss any.
 * @param mayMiss names of the columns in which rows may be missing
 * @throws DataFault when a column's rows have no names, a name is there twice, or one has no partner
 */
export function joinById(columns: readonly Column[], mayMiss: ReadonlySet<string>): Column[] {
  const places = columns.map((column) => {
    if (!column.rowNames)
      throw new DataFault(column.source, `the rows of '${column.name}' have no names to join by`, {
        help: 'name the column that has them (`id: "file"`), or join by order',
      });
    const at = new Map<string, number>();
    const twice: { id: string; rows: readonly [number, number] }[] = [];
    column.rowNames.forEach((name, row) => {
      const id = idOf(name);
      const before = at.get(id);
      if (before !== undefined) twice.push({ id, rows: [before, row] });
      at.set(id, row);
    });
    if (twice.length > 0) throw ambiguous(column, twice);
    return at;
  });
  const lead = columns.findIndex((column) => !mayMiss.has(column.name));
  const ids =
    lead >= 0 ? [...places[lead]!.keys()] : [...new Set(places.flatMap((at) => [...at.keys()]))].sort();
  return columns.map((column, k) => {
    const at = places[k]!;
    const absent = ids.filter((id) => !at.has(id));
    if (absent.length > 0 && !mayMiss.has(column.name)) throw unpaired(column, absent, columns[lead]!.source);
    const extra = [...at.keys()].filter((id) => lead >= 0 && !places[lead]!.has(id));
    if (extra.length > 0 && lead >= 0) throw unpaired(columns[lead]!, extra, column.source);
    return pickRows(
      column,
      Int32Array.from(ids, (id) => at.get(id) ?? -1),
    );
  });
}

function ambiguous(
  column: Column,
  twice: readonly { readonly id: string; readonly rows: readonly [number, number] }[],
): DataFault {
  const named = twice.slice(0, mostTwice).map(({ id, rows: [a, b] }) => `'${id}' in the rows ${a} and ${b}`);
  const more = twice.length > mostTwice ? `, and ${twice.length - mostTwice} more` : '';
  const what = twice.length > 1 ? 'ids are' : 'an id is';
  return new DataFault(column.source, `${what} there twice: ${named.join(', ')}${more}`, {
    row: twice[0]!.rows[1],
    help: 'every row of a source has an id of its own: take the wrong ones out, or join by order',
  });
}

function unpaired(column: Column, ids: readonly string[], other: string): DataFault {
  const names = ids
    .slice(0, listed)
    .map((id) => `'${id}'`)
    .join(', ');
  const more = ids.length > listed ? ` and ${ids.length - listed} more` : '';
  return new DataFault(column.source, `has no '${column.name}' for ${names}${more}, which ${other} has`, {
    help: 'a source that may lack rows says `missing: true`',
  });
}

/** A file's name without folder and ending; `a.b.png` and `a.b.txt` are of one row. */
function idOf(name: string): string {
  return name.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
}
