/**
 * Wall time of `mmdc doc examples`, next to `mmdc check` of the same files, in milliseconds: the fastest and the median
 * of N runs, taken in turn. Exits with 1 where the median is over five seconds.
 *
 *     node bench/doc/doc.mjs [N [FOLDER]]     (5 runs of `examples` unless told)
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const runs = Number(process.argv[2] ?? 5);
if (!Number.isInteger(runs) || runs < 1) {
  console.error('usage: node bench/doc/doc.mjs [N [FOLDER]]');
  process.exit(2);
}
const out = mkdtempSync(join(tmpdir(), 'mmdc-doc-'));
const folder = process.argv[3] ?? 'examples';
const specs = readdirSync(join(root, folder))
  .filter((name) => name.endsWith('.mmd'))
  .map((name) => join(folder, name));
const cases = [
  { label: `mmdc check, ${specs.length} specs`, args: ['check', ...specs], times: [] },
  { label: `mmdc doc ${folder}`, args: ['doc', folder, '-o', out], times: [] },
];
for (let round = 0; round <= runs; round++) {
  for (const { label, args, times } of cases) {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [join('bin', 'mmdc.js'), ...args], {
      cwd: root,
      encoding: 'utf8',
    });
    const time = performance.now() - start;
    if (status !== 0) {
      console.error(`${label} failed:\n${stderr}`);
      process.exit(1);
    }
    // The first round fills the caches of the file system and is not counted.
    if (round > 0) times.push(time);
  }
}
rmSync(out, { recursive: true });
console.log(`Node ${process.version}, ${runs} runs, milliseconds: fastest, median`);
for (const { label, times } of cases) {
  times.sort((a, b) => a - b);
  const median = times[times.length >> 1];
  console.log(`  ${label.padEnd(28)} ${times[0].toFixed(0).padStart(6)} ${median.toFixed(0).padStart(6)}`);
  if (median > 5000) process.exitCode = 1;
}
