/** Runs one TypeScript benchmark: `node bench/run.js ops/convolution`. */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const name = process.argv[2];
if (name === undefined) {
  console.error('usage: node bench/run.js NAME   (for example ops/convolution)');
  process.exit(2);
}
await runnerImport(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), { configFile: false });
