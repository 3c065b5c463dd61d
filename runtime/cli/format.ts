/**
 * `mmdc fmt`.
 *
 * @module
 */
import { Diagnostics } from '../../compiler/diagnostics/collect.js';
import { reportSyntax } from '../../compiler/diagnostics/syntax.js';
import { format, parse } from '../../grammar/index.js';
import { writeAtomic } from '../files/atomic.js';
import { noteDiagnostics, note, print, type ColorChoice } from './output.js';
import { readSpec, standardInput } from './source.js';

export interface FormatOptions {
  readonly check?: boolean;
  readonly color: ColorChoice;
}

/** Files with syntax errors are left as they are, with their problems. */
export async function formatFiles(files: readonly string[], options: FormatOptions): Promise<void> {
  for (const file of files) {
    const text = readSpec(file);
    const { problems } = parse(text);
    if (problems.length > 0) {
      const name = file === '-' ? standardInput : file;
      const diagnostics = new Diagnostics();
      reportSyntax(diagnostics, name, problems);
      noteDiagnostics(diagnostics.sorted(), new Map([[name, text]]), options.color);
      process.exitCode = 1;
      continue;
    }
    const formatted = await format(text);
    if (options.check) {
      if (formatted === text) continue;
      print(file === '-' ? standardInput : file);
      process.exitCode = 1;
    } else if (file === '-') {
      process.stdout.write(formatted);
    } else if (formatted !== text) {
      writeAtomic(file, formatted);
      note(`formatted ${file}`);
    }
  }
}
