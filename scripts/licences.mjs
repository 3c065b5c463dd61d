/**
 * Writes NOTICE.md: the packages that package.json names and their licences, as their installed copies state them.
 * With `--check` nothing is written, and the exit code is 1 if the file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const readJson = (...parts) => JSON.parse(readFileSync(join(root, ...parts), 'utf8'));
const manifest = readJson('package.json');
const lock = readJson('package-lock.json').packages;

/** The licence that an installed package states, or that the lock file keeps where an optional one is not there. */
function licenceOf(name) {
  const licence =
    lock[`node_modules/${name}`]?.license ?? readJson('node_modules', name, 'package.json').license;
  if (typeof licence !== 'string')
    throw new Error(`${name} does not state its licence as an SPDX expression`);
  return licence;
}

const table = (packages) =>
  [
    '| package | licence |',
    '|---|---|',
    ...Object.keys(packages)
      .sort()
      .map((name) => `| [${name}](https://www.npmjs.com/package/${name}) | ${licenceOf(name)} |`),
  ].join('\n');

/** The licences of all packages that an installation of mmdc brings. */
function summary() {
  const installed = Object.entries(lock).filter(([path, { dev }]) => path !== '' && !dev);
  const found = new Set(installed.map(([, { license = 'not stated' }]) => license));
  return [...found].sort().join(', ');
}

const text = `# Notices

mmdc is licensed under the Apache License 2.0 (see [LICENSE](LICENSE)). npm installs the packages
below beside it, each under its own licence; the licence texts of those whose code is also bundled into the published
command line are in \`dist/bundle/LICENSES.txt\`. This file is written by \`node scripts/licences.mjs\`.

## Needed to run

${table({ ...manifest.dependencies, ...manifest.optionalDependencies })}

With everything that these depend on in turn: ${summary()}.

## Needed to develop

${table(manifest.devDependencies)}
`;

const file = join(root, 'NOTICE.md');
const wanted = await format(text, { ...readJson('.prettierrc.json'), parser: 'markdown' });
if (!process.argv.includes('--check')) {
  writeFileSync(file, wanted);
} else if (readFileSync(file, 'utf8') !== wanted) {
  console.error('NOTICE.md is out of date: run `node scripts/licences.mjs`');
  process.exitCode = 1;
}
