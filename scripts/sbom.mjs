/**
 * Writes the software bill of materials: every package that an installation of mmdc brings, with version, licence and
 * hash, as CycloneDX JSON (default `sbom.cdx.json`). Made by `npm sbom` from the lock file; nothing is asked of the network.
 *
 *     node scripts/sbom.mjs [FILE]
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = process.argv[2] ?? 'sbom.cdx.json';
const text = execFileSync(
  'npm',
  ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--omit=dev', '--sbom-type=application'],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  },
);
const { bomFormat, specVersion, components } = JSON.parse(text);
writeFileSync(file, text);
console.log(`${file}: ${bomFormat} ${specVersion}, ${components.length} packages`);
