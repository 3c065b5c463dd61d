/**
 * `mmdc info`.
 *
 * @module
 */
import { availableParallelism, totalmem } from 'node:os';
import { prepareEnvironment } from '../executors/environment.js';
import { available } from '../executors/index.js';
import { version } from '../version.js';
import { print } from './output.js';

export async function info(): Promise<void> {
  print(`mmdc ${version()}`);
  print(`Node ${process.version} on ${process.platform} ${process.arch}`);
  print(`${availableParallelism()} processors, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory`);
  prepareEnvironment(null);
  print('executors, fastest first:');
  for (const executor of await available()) {
    print(
      executor.ok
        ? `  ${executor.name}: ${executor.detail}`
        : `  ${executor.name}: not available (${executor.reason})`,
    );
  }
}
