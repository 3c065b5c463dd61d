/**
 * The main job on embedded data: checks the scenes spec, trains it for a minute or two on the CPU, samples its tasks
 * and writes a report. `--quick` trains for a few steps, to see that everything is in place.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const quick = process.argv.includes('--quick');
const out = join('runs', quick ? 'demo-quick' : 'demo');

function run(...args) {
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

run('scripts/setup.mjs');
rmSync(join(root, out), { recursive: true, force: true });
console.log('\nmmdc check examples/scenes.mmd');
run('bin/mmdc.js', 'check', 'examples/scenes.mmd');
const steps = quick ? ['--steps', '20'] : [];
console.log(`\nmmdc train examples/scenes.mmd --out ${out} ${steps.join(' ')}`);
run('bin/mmdc.js', 'train', 'examples/scenes.mmd', '--out', out, ...steps);
console.log(`\nOpen the report: ${join(root, out, 'report.html')}`);
