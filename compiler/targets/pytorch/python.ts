/**
 * Python text: literals, docstrings, and statements broken the way `ruff format` breaks them.
 *
 * @module
 */

/** Columns of a line; `pyproject.toml` of the package says the same. */
export const lineLength = 120;

/** A number as Python writes it, exact in float64. */
export function pythonNumber(value: number, integer = Number.isInteger(value)): string {
  if (Number.isNaN(value)) return 'float("nan")';
  if (!Number.isFinite(value)) return value > 0 ? 'float("inf")' : '-float("inf")';
  const text = String(value);
  return integer || /[.e]/.test(text) ? text : `${text}.0`;
}

/** A string in double quotes, as ruff prefers; other quotes where that needs fewer backslashes. */
export function pythonString(text: string): string {
  const escaped = [...text]
    .map((char) => {
      if (char === '\\') return '\\\\';
      if (char === '\n') return '\\n';
      if (char === '\r') return '\\r';
      if (char === '\t') return '\\t';
      const code = char.codePointAt(0) as number;
      if (code < 32 || code === 127 || (code >= 0xd800 && code < 0xe000))
        return `\\u${code.toString(16).padStart(4, '0')}`;
      return char;
    })
    .join('');
  const doubles = escaped.split('"').length - 1;
  const singles = escaped.split("'").length - 1;
  if (doubles > singles) return `'${escaped.replaceAll("'", "\\'")}'`;
  return `"${escaped.replaceAll('"', '\\"')}"`;
}

/** `(a, b)`, and `(a,)` for one. */
export function pythonTuple(items: readonly string[]): string {
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}

/** A docstring at an indentation: paragraphs are wrapped, lines inside code fences and indented lines kept. */
export function docstring(text: string, indent: string): string[] {
  const safe = text.replaceAll('\\', '\\\\').replaceAll('"""', '\\"\\"\\"').trim();
  if (safe === '') return [];
  const width = lineLength - indent.length;
  const lines = paragraphs(safe, width - 6);
  if (lines.length === 0) return [];
  // A quote at the end would join the closing ones.
  const closing = lines[lines.length - 1].endsWith('"') ? ' """' : '"""';
  if (lines.length === 1) return [`${indent}"""${lines[0]}${closing}`];
  return [
    `${indent}"""${lines[0]}`,
    ...lines.slice(1).map((line) => (line === '' ? '' : indent + line)),
    `${indent}"""`,
  ];
}

/** Lines of prose flow together; indented lines, lists and code fences stay as they are. */
function paragraphs(text: string, width: number): string[] {
  const lines: string[] = [];
  let prose: string[] = [];
  let fenced = false;
  const flush = () => {
    if (prose.length > 0) lines.push(...wrapText(prose.join(' '), width));
    prose = [];
  };
  for (const line of text.split('\n').map((l) => l.trimEnd())) {
    const fence = line.startsWith('```');
    if (fence) fenced = !fenced;
    if (fence || fenced || line === '' || /^(\s{2,}|[-*|#>]|\d+\.)/.test(line)) {
      flush();
      lines.push(line);
    } else prose.push(line);
  }
  flush();
  return lines;
}

function wrapText(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  lines.push(current);
  return lines;
}

/**
 * `head(items)tail` on one line where it fits, else the items on one line of their own, else one a line.
 * @param items arguments as written
 */
export function bracketed(indent: string, head: string, items: readonly string[], tail: string): string[] {
  const flat = `${indent}${head}${items.join(', ')}${tail}`;
  if (flat.length <= lineLength || items.length === 0) return [flat];
  const inner = `${indent}    ${items.join(', ')}`;
  if (inner.length <= lineLength) return [`${indent}${head}`, inner, `${indent}${tail.trimStart()}`];
  return [
    `${indent}${head}`,
    ...items.map((item) => `${indent}    ${item},`),
    `${indent}${tail.trimStart()}`,
  ];
}
