/** Pages in a real browser: nothing is injected, nothing is loaded, axe finds no serious fault. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentation, type DocSpec } from '../../compiler/docs/index.js';
import { browserPath, launchBrowser, needsBrowser } from '../support/browser.js';
import { exampleSpecs, small, specOf } from './support.js';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

describe.skipIf(!browserPath)(`documentation in a browser${needsBrowser}`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'mmdc-doc-'));
  let browser: Browser;

  function write(name: string, specs: readonly DocSpec[], title?: string): string {
    for (const [path, text] of documentation(specs, title === undefined ? {} : { title })) {
      mkdirSync(dirname(join(dir, name, path)), { recursive: true });
      writeFileSync(join(dir, name, path), text);
    }
    return pathToFileURL(join(dir, name)).href;
  }

  /** Opens a page, keeps what goes wrong or leaves the folder. */
  async function open(
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('dialog', (dialog) => {
      faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(pathToFileURL(dir).href)) faults.push(`request: ${request.url()}`);
    });
    await page.goto(url);
    return { page, faults };
  }

  let examples: string;
  beforeAll(async () => {
    examples = write('examples', exampleSpecs());
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it.each([
    ['index.html', 'light', 1280],
    ['models/Scenes.html', 'light', 1280],
    ['models/Digits.html', 'dark', 1280],
    ['models/Digits.html', 'light', 390],
    ['networks/std-prelude.html', 'dark', 1280],
  ] as const)('%s has no serious fault of accessibility (%s, %i wide)', async (path, colorScheme, width) => {
    // The policy of a page keeps out every script but its own, so axe comes past it.
    const { page } = await open(`${examples}/${path}`, {
      colorScheme,
      viewport: { width, height: 800 },
      bypassCSP: true,
    });
    await page.evaluate(axeSource);
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: unknown[] }> } };
      return (await axe.run()).violations;
    });
    const serious = (violations as Violation[]).filter((v) => ['serious', 'critical'].includes(v.impact));
    expect(
      serious.map((v) => `${v.id}: ${v.nodes[0].target.join(' ')} ${v.nodes[0].failureSummary}`),
    ).toEqual([]);
    // Nothing is wider than the page.
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBeLessThanOrEqual(0);
    await page.context().close();
  });

  it('finds things, and goes there by keyboard', async () => {
    const { page, faults } = await open(`${examples}/index.html`);
    await page.keyboard.press('/');
    await page.keyboard.type('unet');
    await page.waitForSelector('.search li');
    expect(await page.locator('.search li b').first().textContent()).toBe('UNet');
    await page.keyboard.press('Enter');
    await page.waitForURL(/networks\/std-backbones\.html#UNet$/);
    await page.locator('.search input').fill('no such thing');
    expect(await page.locator('.search [role=status]').textContent()).toBe('Nothing found');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('reads without scripts, with formulas, pictures and links', async () => {
    const { page, faults } = await open(`${examples}/models/Digits.html`, { javaScriptEnabled: false });
    expect(await page.locator('.search').isVisible()).toBe(false);
    for (const [selector, least] of [
      ['math', 10],
      ['svg.chart', 3],
      ['svg.picture', 1],
      ['.source .line', 40],
    ] as const) {
      expect(await page.locator(selector).count(), selector).toBeGreaterThanOrEqual(least);
    }
    // Drawn, not an empty box.
    const box = await page.locator('math').nth(1).boundingBox();
    expect(box!.height).toBeGreaterThan(10);
    await page.locator('.source a', { hasText: 'UNet' }).last().click();
    await page.waitForURL(/std-backbones\.html#UNet$/);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it('injects nothing from a spec', async () => {
    const attack =
      '<script>document.title="taken"</script><img src=x onerror="document.title=\'taken\'"><svg onload=alert(1)></svg>';
    const text = small(
      'steps: 50, origin: picture, weights { kind: nested }',
      `// </code></pre>${attack}`,
      `/// ${attack} [a](javascript:document.title='taken') $\\href{javascript:alert(1)}{x}$ "><b id=got>\n/// <style>body{display:none}</style> \`\`</script>\`\`\n`,
    )
      .replace('category[3]', `category["<b id=got>", "</script>${attack.replaceAll('"', '')}", "c"]`)
      .replace('linear(3)', 'linear(3)');
    const url = write('attack', [specOf(text, `</title>${attack}.mmd`)], `</title>${attack}`);
    for (const path of ['index.html', 'models/Small.html']) {
      // With the page's policy, and without: escaping alone must hold too.
      for (const bypassCSP of [false, true]) {
        const { page, faults } = await open(`${url}/${path}`, { bypassCSP });
        await page.locator('.search input').fill('</script>');
        await page.waitForTimeout(100);
        expect(await page.title()).not.toBe('taken');
        expect(
          await page.locator('img, #got, [onload], [onerror], a[href^="javascript"], main script').count(),
        ).toBe(0);
        expect(await page.locator('style').count()).toBe(1);
        expect(await page.locator('h1').isVisible()).toBe(true);
        expect(faults).toEqual([]);
        await page.context().close();
      }
    }
  });
});
