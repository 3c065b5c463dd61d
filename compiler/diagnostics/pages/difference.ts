/**
 * The lines in which two versions of an example differ.
 *
 * @module
 */

/**
 * Lines of both texts: `- ` only in the first, `+ ` only in the second, two blanks in both; `...` stands for lines in
 * both that are not next to a difference. A longest common subsequence, for texts of some dozen lines.
 */
export function difference(before: string, after: string): string {
  const a = before.trimEnd().split('\n');
  const b = after.trimEnd().split('\n');
  const common = commonLengths(a, b);
  const lines: string[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i]}`);
      i++;
      j++;
    } else if (j === b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1]))
      lines.push(`- ${a[i++]}`);
    else lines.push(`+ ${b[j++]}`);
  }
  const changed = (i: number) => i >= 0 && i < lines.length && !lines[i].startsWith('  ');
  return lines
    .flatMap((line, i) => {
      if ([i - 1, i, i + 1].some(changed)) return [line];
      return changed(i + 2) || i === lines.length - 1 ? ['  ...'] : [];
    })
    .join('\n');
}

/** The length of the longest common subsequence of what follows line i of one and line j of the other. */
function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table;
}
