/** The playground as a person uses it, in headless Chromium, from the server that `npm run playground` starts. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromFragment, toFragment } from '../../playground/link.js';
import { packageRoot } from '../../runtime/host.js';
import { browserPath, launchBrowser, needsBrowser } from '../support/browser.js';

const root = packageRoot();

describe('links', () => {
  it('carry any text, and say when they are damaged', () => {
    for (const text of ['', 'model A { }\n', 'é 😀 \r\n'.repeat(500)]) {
      const fragment = toFragment(text);
      expect(fragment).toMatch(/^#spec=[\w-]*$/);
      expect(fromFragment(fragment)).toBe(text);
    }
    expect(toFragment('model '.repeat(1000)).length).toBeLessThan(200);
    expect(fromFragment('')).toBeUndefined();
    expect(fromFragment('#spec=%%%')).toBeNull();
    expect(fromFragment(toFragment('x'.repeat(5_000_000)))).toBeNull();
  });
});

describe.skipIf(!browserPath)(`playground${needsBrowser}`, () => {
  let server: ChildProcess;
  let address: string;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  const settled = () => page.waitForSelector('body[data-checked=yes]', { timeout: 60_000 });
  const content = () =>
    page.evaluate<string>(
      "[...document.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\\n')",
    );
  async function put(text: string): Promise<void> {
    await page.locator('.cm-content').click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(text);
    await settled();
  }

  beforeAll(async () => {
    server = spawn(process.execPath, [join(root, 'scripts', 'playground.mjs')], { cwd: root });
    address = await new Promise<string>((resolve, reject) => {
      let out = '';
      let err = '';
      server.stdout!.on('data', (part: Buffer) => {
        out += part.toString();
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(out);
        if (found) resolve(found[0]);
      });
      server.stderr!.on('data', (part: Buffer) => (err += part.toString()));
      server.on('close', () => reject(new Error(`the server ended: ${err}`)));
    });
    browser = await launchBrowser();
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    page = await context.newPage();
    page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(address) && !request.url().startsWith('data:'))
        faults.push(request.url());
    });
    await page.goto(address);
    await settled();
  });
  afterAll(async () => {
    await browser?.close();
    server?.kill();
  });

  it('opens with an example, its picture and its curves', async () => {
    expect(await page.locator('#title').textContent()).toBe('Digits');
    expect(await page.locator('#content svg.picture').count()).toBe(1);
    expect(await page.locator('#content svg.chart').count()).toBeGreaterThanOrEqual(3);
    expect(await page.locator('#content math').count()).toBeGreaterThan(5);
    expect(await page.locator('#state').textContent()).toMatch(/^No problems, checked in \d+ ms$/);
  });

  it('shows a problem where it is, keeps the last picture, and goes to it', async () => {
    const wrong = readFileSync(join(root, 'examples', 'digits.mmd'), 'utf8').replace(
      'encoder image = image',
      'encoder image = imgae',
    );
    await put(wrong);
    const number = wrong.split('\n').findIndex((text) => text.includes('imgae')) + 1;
    const items = await page.locator('#problems li').allTextContents();
    expect(items).toContainEqual(expect.stringMatching(new RegExp(`^${number}:.*imgae`)));
    expect(await page.locator('.cm-lintRange-error').count()).toBeGreaterThan(0);
    expect(await page.locator('#title').textContent()).toBe('Digits');
    await page.locator('#problems li button', { hasText: 'imgae' }).first().click();
    expect(await page.locator('.cm-activeLine').textContent()).toContain('imgae');
  });

  it('switches examples, and offers the models of a file', async () => {
    await page.selectOption('#examples', 'scenes');
    await settled();
    expect(await page.locator('#title').textContent()).toBe('Scenes');
    expect(await content()).toContain('model Scenes');
  });

  it('says what stands under the pointer', async () => {
    await page.selectOption('#examples', 'digits');
    await settled();
    await page.locator('.cm-line', { hasText: 'encoder label' }).locator('.token-keyword').first().hover();
    await page.mouse.move(5, 5);
    const line = page.locator('.cm-line', { hasText: 'backbone h' });
    const box = (await line.boundingBox())!;
    // Over the name of the backbone's network.
    const at = (await content())
      .split('\n')
      .find((text) => text.includes('backbone h'))!
      .indexOf('UNet');
    const width = await page.evaluate<number>(
      `(() => { const range = document.createRange(); const walker = document.createTreeWalker([...document.querySelectorAll('.cm-line')].find((l) => l.textContent.includes('backbone h')), NodeFilter.SHOW_TEXT); let n = ${at}; for (let node; (node = walker.nextNode());) { if (n < node.length) { range.setStart(node, n + 1); range.setEnd(node, n + 2); return range.getBoundingClientRect().left; } n -= node.length; } return 0; })()`,
    );
    await page.mouse.move(width + 2, box.y + 8);
    await page.mouse.move(width + 4, box.y + 9);
    await page.waitForSelector('.hover');
    expect(await page.locator('.hover').textContent()).toContain('UNet');
    await page.mouse.move(5, 5);
  });

  it('formats, completes, and applies a fix', async () => {
    await put('model   A{space z:f32[ 4 ]\n}\n');
    await page.locator('#format').click();
    await page.locator('.cm-content', { hasText: 'space z: f32[4]' }).waitFor();
    await put('model A {\n  \n}\n');
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    await page.keyboard.type('mod');
    await page.waitForSelector('.cm-tooltip-autocomplete li');
    expect(await page.locator('.cm-tooltip-autocomplete').textContent()).toContain('modality');
    await page.keyboard.press('Escape');
  });

  it('carries a spec in a link', async () => {
    const spec = 'network Half(x: f32[C]) -> f32[C] {\n  x * 0.5 // é\n}\n';
    await put(spec);
    await page.locator('#link').click();
    await page.waitForURL(/#spec=/);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.waitForSelector('body[data-checked=yes]');
    const lines = await other.locator('.cm-line').allTextContents();
    expect(lines.join('\n')).toContain('x * 0.5 // é');
    expect(await other.locator('#examples').inputValue()).toBe('');
    await other.close();
  });

  it('lets nothing of a spec become markup', async () => {
    const example = readFileSync(join(root, 'examples', 'digits.mmd'), 'utf8');
    await put(
      example.replace(
        'model Digits',
        '/// <img src=x onerror="document.title=1"><script>document.title=1</script>\nmodel Digits',
      ),
    );
    expect(await page.locator('#content img, #content script').count()).toBe(0);
    expect(await page.title()).toBe('mmdc playground');
  });

  it('is accessible, and was quiet', async () => {
    await page.selectOption('#examples', 'digits');
    await settled();
    const context = await browser.newContext({ bypassCSP: true, viewport: { width: 1400, height: 900 } });
    const other = await context.newPage();
    await other.goto(address);
    await other.waitForSelector('body[data-checked=yes]');
    await other.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const violations = await other.evaluate(async () => {
      const { axe } = globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      };
      return (await axe.run()).violations.map((v) => `${v.impact} ${v.id}: ${v.nodes[0].html.slice(0, 200)}`);
    });
    expect(violations.filter((v) => /^(serious|critical)/.test(v))).toEqual([]);
    await context.close();
    expect(faults).toEqual([]);
  });
});
