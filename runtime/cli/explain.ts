/**
 * `mmdc explain`.
 *
 * @module
 */
import { didYouMean } from '../../compiler/diagnostics/suggest.js';
import { explain } from '../../compiler/diagnostics/pages/index.js';
import { codes, findRow } from '../../compiler/diagnostics/table.js';
import { UsageFault } from '../faults.js';
import { print } from './output.js';

export function explainCode(code: string): void {
  const found = findRow(code);
  if (!found) {
    const near = didYouMean(code.toUpperCase(), codes());
    throw new UsageFault(
      `there is no diagnostic ${code}`,
      near ? `did you mean ${near}?` : 'codes look like MMD0401',
    );
  }
  print(explain(found.code));
}
