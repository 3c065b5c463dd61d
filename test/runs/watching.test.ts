/** The log and what is made of it: schema, TensorBoard, comparison, the live page in a browser. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { logFile, LogWriter, readLog } from '../../runtime/run/log.js';
import { crc32c, frame } from '../../runtime/report/tensorboard.js';
import { folder, mmdc, root, tinySpec } from '../cli/support.js';
import { browserPath, launchBrowser, needsBrowser } from '../support/browser.js';

const dir = folder();
dir.write('tiny.mmd', tinySpec.replace(/ {2}task (recognise|imagine).*\n/g, ''));
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });
beforeAll(async () => {
  const train = (...args: string[]) => dir.run('train', 'tiny.mmd', '--threads', '1', '--checkpoint-every', '20', ...args);
  const results = [await train('--out', 'run', '--steps', '300', '--tensorboard'), await train('--out', 'other', '--steps', '200', '--seed', '2')];
  expect(results.map((r) => r.code)).toEqual([0, 0]);
});

describe('the log', () => {
  it('is what its schema says', () => {
    const validate = new Ajv().compile(
      JSON.parse(readFileSync(join(root, 'schema', 'log.schema.json'), 'utf8')) as object,
    );
    const lines = dir.read('run/log.jsonl').trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of lines) expect(validate(line), JSON.stringify(validate.errors)).toBe(true);
    expect(lines.filter((line) => line.held_out)).toHaveLength(15);
    for (const bad of [{}, { ...lines[0], step: 0.5 }, { ...lines[0], more: 1 }, { ...lines[0], L2: { a: 'x' } }])
      expect(validate(bad)).toBe(false);
  });

  it('can be cut anywhere and still be read; what is written next begins on its own line', () => {
    const text = readFileSync(dir.at('run/log.jsonl'));
    const all = readLog(dir.at('run'));
    dir.write('cut.txt', '');
    fc.assert(
      fc.property(fc.nat(text.length), (at) => {
        writeFileSync(logFile(dir.path), text);
        truncateSync(logFile(dir.path), at);
        const whole = text.subarray(0, at).toString().split('\n').length - 1;
        const left = readLog(dir.path);
        // A record that has lost only its newline is still one.
        expect([whole, whole + 1]).toContain(left.length);
        expect(left).toEqual(all.slice(0, left.length));
        const writer = new LogWriter(dir.path, Infinity);
        writer.write(all[0]);
        writer.close();
        expect(readLog(dir.path)).toEqual([...all.slice(0, whole), all[0]]);
      }),
      { numRuns: 60 },
    );
  });

  it('loses only the lines that are damaged', () => {
    const lines = dir.read('run/log.jsonl').trimEnd().split('\n');
    const all = readLog(dir.at('run'));
    fc.assert(
      fc.property(fc.nat(lines.length - 1), fc.string({ maxLength: 300 }), (at, junk) => {
        writeFileSync(logFile(dir.path), lines.map((line, i) => (i === at ? junk.replaceAll('\n', ' ') : line)).join('\n'));
        expect(readLog(dir.path)).toEqual(all.filter((_, i) => i !== at));
      }),
      { numRuns: 40 },
    );
    // Longer than anything that is held.
    writeFileSync(logFile(dir.path), `${'x'.repeat(3 << 20)}\n${lines[0]}\n`);
    expect(readLog(dir.path)).toEqual([all[0]]);
  });

  it('loses what is done again, and nothing else', () => {
    writeFileSync(logFile(dir.path), dir.read('run/log.jsonl'));
    new LogWriter(dir.path, 105).close();
    expect(readLog(dir.path).map((r) => r.step)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  });
});

describe('event files', () => {
  it('are framed with masked CRC-32C', () => {
    // RFC 3720, B.4.
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(frame(new Uint8Array(3))).toHaveLength(19);
  });

  const hasTensorBoard = (path: string | undefined): path is string =>
    path !== undefined && existsSync(path) && spawnSync(path, ['-c', 'import tensorboard']).status === 0;
  const python = [process.env.MMDC_TENSORBOARD, process.env.MMDC_PYTHON, join(root, '.cache/tensorboard/bin/python')].find(hasTensorBoard);
  it.skipIf(!python)(`are read by TensorBoard${python ? '' : ' (skipped: neither MMDC_TENSORBOARD nor MMDC_PYTHON names a Python with it)'}`, async () => {
    const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0}); a.Reload()
print(json.dumps({t: [[e.step, e.value] for e in a.Scalars(t)] for t in a.Tags()['scalars']}))`;
    const read = (folder: string) =>
      JSON.parse(execFileSync(python!, ['-c', script, folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as Record<string, [number, number][]>;
    const log = readLog(dir.at('run'));
    const live = read(dir.at('run/tensorboard'));
    expect(live.loss).toEqual(log.map((r) => [r.step, Math.fround(r.loss)]));
    expect(live['bound/L2/label']).toEqual(log.map((r) => [r.step, Math.fround(r.L2.label)]));
    expect(live['held_out/loss']).toHaveLength(15);
    expect((await dir.run('report', 'run', '--tensorboard', 'exported')).code).toBe(0);
    expect(read(dir.at('exported'))).toEqual(live);
  });

  it('are written as the run goes', () => {
    expect(readdirSync(dir.at('run/tensorboard'))).toHaveLength(1);
  });
});

describe('mmdc report A B', () => {
  it('shows terms of both, last figures and what differs', async () => {
    const { code, out } = await dir.run('report', 'run', 'other', '--out', 'both.html');
    expect([code, out]).toEqual([0, 'both.html\n']);
    const page = dir.read('both.html');
    for (const text of ['2 runs', 'L2 label', '300 of 300', '200 of 200', 'train.seed', 'Settings that differ'])
      expect(page).toContain(text);
    expect(page).not.toMatch(/(src|href)="https?:/);
  });
});

describe(`mmdc watch${needsBrowser}`, () => {
  let browser: Browser | undefined;
  let url = '';
  const child = () => spawn(process.execPath, [join(root, 'bin', 'mmdc.js'), 'watch', 'run'], { cwd: dir.path });
  let server: ReturnType<typeof child>;
  beforeAll(async () => {
    server = child();
    url = await new Promise<string>((resolve, reject) => {
      server.stdout.setEncoding('utf8').on('data', (text: string) => resolve(text.trim()));
      server.on('exit', () => reject(new Error('mmdc watch ended')));
    });
    if (browserPath) browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    server.kill('SIGINT');
  });

  it('serves this machine alone, to those who have the token', async () => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{32}$/);
    const at = new URL(url);
    const status = async (address: string, init?: RequestInit) => (await fetch(address, init)).status;
    expect(await status(url)).toBe(200);
    expect(await status(at.origin)).toBe(403);
    expect(await status(`${at.origin}/?token=${'0'.repeat(32)}`)).toBe(403);
    expect(await status(`${at.origin}/part`)).toBe(403);
    expect(await status(`${at.origin}/../run.json${at.search}`)).toBe(404);
    expect(await status(url, { method: 'POST' })).toBe(405);
    // A page elsewhere whose name was made to resolve to this machine; fetch() would set the header itself.
    const asked = await new Promise<number | undefined>((resolve, reject) => {
      get({ host: '127.0.0.1', port: at.port, path: `/${at.search}`, headers: { host: `evil.example:${at.port}` } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on('error', reject);
    });
    expect(asked).toBe(403);
    // It listens on loopback alone: the machine's other addresses refuse the connection.
    const others = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).filter((a) => !a.internal && a.family === 'IPv4'));
    for (const { address } of others) await expect(fetch(`http://${address}:${at.port}/${at.search}`)).rejects.toThrow();
  });

  it.skipIf(!browserPath)('shows every term, and new records as they come', async () => {
    const page = await browser!.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(url);
    await page.waitForSelector('#loss svg');
    expect(await page.textContent('#state')).toBe('The run is finished.');
    expect(await page.textContent('main')).toContain('L2 label');
    const before = dir.read('run/log.jsonl');
    const last = readLog(dir.at('run')).at(-1)!;
    writeFileSync(dir.at('run/log.jsonl'), `${before}${JSON.stringify({ ...last, step: 4321 })}\n`);
    await page.getByText('4,321').first().waitFor({ timeout: 30_000 });
    writeFileSync(dir.at('run/log.jsonl'), before);
    expect(problems).toEqual([]);
  });
});

describe('report.html', () => {
  it('is there while the run goes on and loads itself again, and no more when it has ended', async () => {
    // The first page is due after ten seconds: this clock is fast.
    dir.write('fast.mjs', 'const now = performance.now.bind(performance); performance.now = () => 40 * now();');
    let page = '';
    const going = await mmdc(['train', 'tiny.mmd', '--threads', '1', '--out', 'going', '--steps', '1000000'], {
      cwd: dir.path,
      env: { NODE_OPTIONS: `--import=${dir.at('fast.mjs')}` },
      onErr: (_, child) => {
        if (page !== '' || !dir.has('going/report.html')) return;
        page = dir.read('going/report.html');
        child.kill('SIGTERM');
      },
    });
    expect(going.code).toBe(130);
    expect(page).toContain('<meta http-equiv="refresh" content="30"');
    expect(page).toContain('L2 label');
    expect(dir.read('run/report.html')).not.toContain('http-equiv="refresh"');
  });
});
