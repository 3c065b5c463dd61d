/**
 * The long run: MMDC_CASES damaged examples (100,000 unless set) and generated programs, from a seed of the day or
 * MMDC_SEED. It prints the seed first: with it a failure repeats.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const cases = process.env['MMDC_CASES'] ?? '100000';
const seed = process.env['MMDC_SEED'] ?? String(Math.floor(Date.now() / 86_400_000));
console.log(`${cases} cases from seed ${seed}`);
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const started = Date.now();
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/mutation', 'test/cli/hostile.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, MMDC_CASES: cases, MMDC_SEED: seed, MMDC_NIGHTLY: '1' },
});
const spent = (Date.now() - started) / 1000;
console.log(`${(Number(cases) / spent).toFixed(0)} cases/s`);
process.exitCode = status ?? 1;
