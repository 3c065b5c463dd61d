/**
 * Wall time of a cold `mmdc check`, next to `node -e 0`, in milliseconds: the fastest and the median of N runs, taken in
 * turn so that other work on the machine falls on both alike.
 *
 *     node bench/cold/cold.mjs [N] [COMMAND ...]     (21 runs of `check examples/digits.mmd` unless told)
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const [count = '21', ...given] = process.argv.slice(2);
const runs = Number(count);
if (!Number.isInteger(runs) || runs < 1) {
  console.error('usage: node bench/cold/cold.mjs [N] [COMMAND ...]');
  process.exit(2);
}
const command = given.length > 0 ? given : ['check', 'examples/digits.mmd'];

const cases = [
  { label: 'node -e 0', args: ['-e', '0'], times: [] },
  { label: `mmdc ${command.join(' ')}`, args: [join('bin', 'mmdc.js'), ...command], times: [] },
];
// The first round fills the caches of the file system and is not counted.
for (let round = 0; round <= runs; round++) {
  for (const { label, args, times } of cases) {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    const time = performance.now() - start;
    if (status !== 0) {
      console.error(`${label} failed:\n${stderr}`);
      process.exit(1);
    }
    if (round > 0) times.push(time);
  }
}

console.log(`Node ${process.version}, ${runs} runs, milliseconds: fastest, median`);
const medians = cases.map(({ label, times }) => {
  times.sort((a, b) => a - b);
  const median = times[times.length >> 1];
  console.log(`  ${label.padEnd(36)} ${times[0].toFixed(0).padStart(5)} ${median.toFixed(0).padStart(5)}`);
  return median;
});
console.log(`  ratio of the medians: ${(medians[1] / medians[0]).toFixed(2)}`);
