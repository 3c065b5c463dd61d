/**
 * Runs a benchmark: `npm run bench -- transformer` against PyTorch (bench/peers), or a file by its path:
 * `npm run bench -- ops/convolution`.
 */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const name = process.argv[2] ?? 'all';
if (name.includes('/')) {
  await runnerImport(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), { configFile: false });
} else {
  process.argv.splice(2, 0, 'peers/main');
  await runnerImport(fileURLToPath(new URL('./peers/main.ts', import.meta.url)), { configFile: false });
}
