/**
 * How the commands of this folder end.
 *
 * @module
 */
import { InputFault, SpecFault } from '../runtime/faults.js';
import { Interrupted } from './command.js';
import { showSeconds } from './progress.js';

/** Runs a command; what a user can do something about ends it with a line and an exit code. */
export async function begin(run: () => Promise<void>, log: (line: string) => void): Promise<void> {
  const start = performance.now();
  try {
    await run();
    log(`done in ${showSeconds((performance.now() - start) / 1000)}`);
  } catch (error) {
    if (error instanceof Interrupted) {
      log('interrupted; the same command goes on from there');
      process.exitCode = 130;
    } else if (error instanceof InputFault) {
      log(`error: ${error.message}${error.help === undefined ? '' : ` (${error.help})`}`);
      process.exitCode = 1;
    } else if (error instanceof SpecFault) process.exitCode = 1;
    else throw error;
  }
}
