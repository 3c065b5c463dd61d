/**
 * The extension for VS Code: bundles its code with the language client into one file, and makes the `.vsix` with
 * Microsoft's tool, which npx fetches since nothing else here needs it.
 *
 *     node scripts/extension.mjs [--bundle]     (--bundle: no `.vsix`)
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'editors', 'vscode');

/** Of the tool that makes the package. */
const vsce = '@vscode/vsce@3.9.2';

const build = await rolldown({
  input: join(folder, 'extension.mjs'),
  platform: 'node',
  external: ['vscode'],
});
await build.write({ file: join(folder, 'dist', 'extension.cjs'), format: 'cjs', minify: true });
await build.close();
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));

if (!process.argv.includes('--bundle')) {
  const { status } = spawnSync('npx', ['--yes', vsce, 'package', '--no-dependencies', '--skip-license'], {
    cwd: folder,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, MMDC_BUNDLED: '1' },
  });
  process.exit(status ?? 1);
}
