/**
 * Trains for a long time with kills and resumes, with little memory and a disk that fills up, and ends with the bytes
 * of an undisturbed run.
 *
 *     npm run soak [-- --minutes 30] [--kills 0] [--seed 1]
 *
 * Memory: V8's heap of every process is limited, and a child holds and touches several hundred MB beside it. Disk: every
 * fifth start may write only files smaller than a checkpoint, and is resumed without that limit. It goes on until the time
 * is up and so many kills were survived.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { killsAndResumes, random } from './kills.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    kills: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const folder = mkdtempSync(join(tmpdir(), 'mmdc-soak-'));
const began = performance.now();
const left = () => minutes * 60 - (performance.now() - began) / 1000;

const hog = spawn(process.execPath, [
  '-e',
  'const a = []; setInterval(() => { if (a.length < 12) a.push(Buffer.alloc(32 << 20, 1)); for (const b of a) b[Math.floor(Math.random() * b.length)]++; }, 200)',
]);
let full = 0;
const draw = random(seed + 1);
try {
  const figures = await killsAndResumes({
    kills: Infinity,
    until: (kills) => left() <= 0 && kills >= Number(values.kills),
    steps: Math.max(minutes < 0.5 ? 100 : 200, Math.round(minutes * 400)),
    seed,
    folder,
    longest: minutes < 0.5 ? 300 : minutes < 2 ? 800 : 8000,
    node: ['--max-old-space-size=256'],
    limit: () => {
      const limited = process.platform !== 'win32' && draw() < 0.2;
      if (limited) full++;
      return limited ? 40 : undefined;
    },
    onKill: (count, { code, signal }) =>
      console.error(`${count} kills, ${Math.round(left())} s left: ${signal ?? code}`),
  });
  const result = { ...figures, starved: full };
  console.log(JSON.stringify(result, undefined, 2));
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`);
  process.exitCode = figures.same ? 0 : 1;
} finally {
  hog.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
