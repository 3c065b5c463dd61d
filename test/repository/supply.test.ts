/** What comes with an installation: a lock file for all of it, no install scripts of our own, a bill of materials. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './sources.js';

interface Package {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
}
const json = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { scripts, dependencies, devDependencies, optionalDependencies } = json('package.json') as Record<
  'scripts' | 'dependencies' | 'devDependencies' | 'optionalDependencies',
  Record<string, string>
>;
const { packages } = json('package-lock.json') as { packages: Record<string, Package> };
const nameOf = (place: string) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('supply', () => {
  it('has a lock file with a version and a hash for everything that is installed', () => {
    for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }))
      expect(packages[`node_modules/${name}`]?.version, name).toMatch(/^\d+\./);
    for (const [place, found] of Object.entries(packages))
      if (place.includes('node_modules/') && !found.link) expect(found.integrity, place).toMatch(/^sha512-/);
  });

  it('runs no script when the published package is installed', () => {
    for (const name of ['preinstall', 'install', 'postinstall'])
      expect(Object.keys(scripts)).not.toContain(name);
  });

  it('lists a licence for every package of an installation', () => {
    const notice = readFileSync(join(root, 'NOTICE.md'), 'utf8');
    for (const name of Object.keys(dependencies)) expect(notice, name).toContain(name);
  });

  it(
    'has a bill of materials with every package of an installation, made by a script',
    { timeout: 120_000 },
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'mmdc-sbom-'));
      try {
        const file = join(folder, 'sbom.json');
        const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'sbom.mjs'), file], {
          encoding: 'utf8',
        });
        expect([status, stderr]).toEqual([0, '']);
        const { bomFormat, components } = JSON.parse(readFileSync(file, 'utf8')) as {
          bomFormat: string;
          components: { group?: string; name: string; version: string; hashes?: unknown[] }[];
        };
        expect(bomFormat).toBe('CycloneDX');
        const listed = new Set(
          components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`),
        );
        for (const name of Object.keys(dependencies))
          expect([...listed], name).toContain(`${name}@${packages[`node_modules/${name}`]!.version}`);
        // The lock file is what it is made from.
        const known = new Set(
          Object.entries(packages).map(([place, { version }]) => `${nameOf(place)}@${version}`),
        );
        for (const { name, version, hashes } of components) {
          expect(
            [...known].some((each) => each.endsWith(`${name}@${version}`)),
            name,
          ).toBe(true);
          expect(hashes?.length ?? 0, name).toBeGreaterThan(0);
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
