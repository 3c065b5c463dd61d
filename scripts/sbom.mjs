/**
 * Writes the software bill of materials: every package that an installation of mmdc brings, with version, licence and
 * hash, as CycloneDX JSON (default `sbom.cdx.json`). Made by `npm sbom` from the lock file; nothing is asked of the network.
 * What only development needs is taken out here, since `--omit=dev` also leaves out packages that both need.
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
  ['sbom', '--sbom-format=cyclonedx', '--package-lock-only', '--sbom-type=application'],
  {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  },
);
const bill = JSON.parse(text);
const { bomFormat, specVersion } = bill;
const isDevelopment = ({ properties }) =>
  properties?.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true') ?? false;
const gone = new Set(bill.components.filter(isDevelopment).map((component) => component['bom-ref']));
const components = bill.components.filter((component) => !gone.has(component['bom-ref']));
const dependencies = bill.dependencies
  .filter(({ ref }) => !gone.has(ref))
  .map((entry) => ({ ...entry, dependsOn: entry.dependsOn?.filter((ref) => !gone.has(ref)) }));
writeFileSync(file, `${JSON.stringify({ ...bill, components, dependencies }, undefined, 2)}\n`);
console.log(`${file}: ${bomFormat} ${specVersion}, ${components.length} packages`);
