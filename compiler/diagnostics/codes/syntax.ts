import { rows } from '../row.js';

/** 01zz: what the parser could not read. The parser words the problem itself (`SyntaxProblem.message`). */
export const syntax = rows({
  MMD0101: { severity: 'error', title: 'Unexpected character', message: '{message}' },
  MMD0102: { severity: 'error', title: 'String without an end', message: '{message}' },
  MMD0103: { severity: 'error', title: 'Malformed number', message: '{message}' },
  MMD0104: { severity: 'error', title: 'Something else was expected here', message: '{message}' },
  MMD0105: { severity: 'error', title: 'Bracket or block without an end', message: '{message}' },
  MMD0106: { severity: 'error', title: 'Nesting too deep', message: '{message}' },
  MMD0107: { severity: 'error', title: 'File too large', message: '{message}' },
});
