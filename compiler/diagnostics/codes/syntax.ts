import { rows } from '../row.js';

/** 01zz: what the parser could not read. The parser words the problem itself (`SyntaxProblem.message`). */
export const syntax = rows({
  MMD0101: { severity: 'error', title: 'Unexpected character', message: '{message}' },
  MMD0102: { severity: 'error', title: 'String without an end', message: '{message}' },
  MMD0103: { severity: 'error', title: 'Malformed number', message: '{message}' },
  MMD0104: { severity: 'error', title: 'Something else was expected here', message: '{message}' },
  MMD0105: { severity: 'error', title: 'Block without an end', message: '{message}' },
  MMD0106: { severity: 'error', title: 'Nesting too deep', message: '{message}' },
  MMD0107: { severity: 'error', title: 'File too large', message: '{message}' },
  MMD0108: { severity: 'error', title: 'Unknown escape in a string', message: '{message}' },
  MMD0109: { severity: 'error', title: 'Missing expression', message: '{message}' },
  MMD0110: { severity: 'error', title: 'Missing name', message: '{message}' },
  MMD0111: { severity: 'error', title: '`if` without `else`', message: '{message}' },
  MMD0112: { severity: 'error', title: 'Word reserved by the language', message: '{message}' },
  MMD0113: { severity: 'error', title: 'Comparisons in a row', message: '{message}' },
  MMD0114: { severity: 'error', title: 'Declaration in the wrong place', message: '{message}' },
  MMD0115: { severity: 'error', title: 'Bracket without an end', message: '{message}' },
  MMD0116: { severity: 'error', title: 'Too many syntax errors', message: '{message}' },
});
