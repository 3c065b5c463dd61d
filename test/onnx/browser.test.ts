import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { deployOnnx } from '../../compiler/targets/onnx/index.js';
import { initialState, modelTensors } from '../../runtime/train/state.js';
import { browserPath, launchBrowser, needsBrowser } from '../support/browser.js';
import { compileSpec, root } from '../pytorch/support.js';

const types: Readonly<Record<string, string>> = {
  html: 'text/html',
  mjs: 'text/javascript',
  wasm: 'application/wasm',
};

describe.skipIf(!browserPath)(`the page that samples digits${needsBrowser}`, () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    const model = compileSpec('examples/digits.mmd');
    const state = initialState(model.layout, 1);
    const weights = new Map(Object.entries(modelTensors(model.layout, state)));
    const task = deployOnnx(model, weights as never).get('task.generate.onnx') as Uint8Array;
    server = createServer((request, response) => {
      const name = (request.url ?? '/').slice(1) || 'index.html';
      try {
        const body =
          name === 'task.generate.onnx'
            ? task
            : name === 'index.html'
              ? readFileSync(join(root, 'examples', 'browser', name))
              : readFileSync(join(root, 'node_modules', 'onnxruntime-web', 'dist', name));
        response.writeHead(200, {
          'content-type': types[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
        });
        response.end(body);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    browser = await launchBrowser();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it('draws digits and their labels', async () => {
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).host));
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.getByText('Ready.').waitFor({ timeout: 60_000 });
    await page.fill('#rows', '2');
    await page.click('#go');
    await page.getByText(/2 rows in|It failed/).waitFor({ timeout: 120_000 });
    expect(await page.textContent('#state')).toContain('2 rows in');
    expect(await page.locator('canvas').count()).toBe(2);
    for (const caption of await page.locator('figcaption').allTextContents()) expect(caption).toMatch(/^\d$/);
    // Pictures, not one grey.
    const levels = await page.evaluate<number>(`(() => {
      const { data } = document.querySelector('canvas').getContext('2d').getImageData(0, 0, 28, 28);
      return new Set(data).size;
    })()`);
    expect(levels).toBeGreaterThan(20);
    expect(new Set(asked)).toEqual(new Set([`127.0.0.1:${port}`]));
  }, 240_000);
});
