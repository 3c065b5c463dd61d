/**
 * Makes a fresh clone ready: installs the packages of the lock file where they are missing or older than it, and
 * builds. Needs nothing but Node and npm. Quick when all is up to date.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => join(root, ...parts);
const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`mmdc needs Node 20 or newer; this is ${process.version}`);
  process.exit(1);
}

function run(command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

const installed = at('node_modules', '.package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(at('package-lock.json')).mtimeMs) {
  console.log('installing packages (npm ci) ...');
  run('npm', ['ci', '--no-fund', '--no-audit']);
}
run(process.execPath, [at('scripts', 'build.mjs')]);
