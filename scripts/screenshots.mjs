/**
 * Makes the pictures of documentation, report and playground in docs/images, with whichever Chromium is installed
 * (`MMDC_CHROMIUM` names another). `npm run build` comes first.
 *
 *     node scripts/screenshots.mjs [RUN]     RUN: a folder of a run with a report, for its picture
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const images = join(root, 'docs', 'images');
const work = mkdtempSync(join(tmpdir(), 'mmdc-pictures-'));
const places = [
  process.env.MMDC_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const executablePath = places.find((path) => path && existsSync(path));
if (executablePath === undefined) {
  console.error('error: there is no Chromium; set MMDC_CHROMIUM to one');
  process.exit(1);
}

function mmdc(...args) {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin', 'mmdc.js'), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`mmdc ${args.join(' ')} failed:\n${stderr}`);
}

async function playground() {
  const server = spawn(process.execPath, [join(root, 'scripts', 'playground.mjs')], { cwd: root });
  const address = await new Promise((found, failed) => {
    server.stdout.on('data', (text) => found(String(text).trim()));
    server.on('close', () => failed(new Error('the playground did not start')));
  });
  return { server, address };
}

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });

/** @param prepare what happens on the page before its picture is taken */
async function shoot(name, url, colorScheme, prepare = async () => {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme });
  await page.goto(url);
  await prepare(page);
  const path = join(images, `${name}.png`);
  await page.screenshot({ path });
  await page.close();
  console.log(`docs/images/${name}.png`);
}

const to = (selector) => (page) =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView()`);

mmdc('doc', 'examples', '-o', work, '--format', 'html');
const site = (path) => pathToFileURL(join(work, path)).href;
await shoot('documentation', site('models/Scenes.html'), 'light');
await shoot('documentation-equations', site('models/Digits.html'), 'dark', to('#process .equations'));
await shoot('documentation-network', site('networks/std-backbones.html'), 'light', to('#UNet'));

const { server, address } = await playground();
const ready = (page) => page.waitForSelector('body[data-checked=yes]');
await shoot('playground', address, 'light', ready);
await shoot('playground-problem', address, 'dark', async (page) => {
  await ready(page);
  await page.locator('.cm-line', { hasText: 'decoder z' }).click();
  await page.keyboard.press('Home');
  for (let i = 0; i < 14; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.type('k |> ');
  await ready(page);
});
server.kill();

if (process.argv[2] !== undefined) {
  const report = pathToFileURL(join(resolve(process.argv[2]), 'report.html')).href;
  await shoot('report', report, 'light');
}
await browser.close();
rmSync(work, { recursive: true });
