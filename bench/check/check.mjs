/**
 * What checking costs per line of source, warm, in microseconds, and how it grows with the length of the program: syntax
 * alone (lexer, parser, tree) and everything that `mmdc check` does. Two kinds of programs: networks that no model uses,
 * and models, for which the graph of each is built. Both are measured twice: in Node's usual heap, and in one whose young
 * generation holds the tokens and the tree of a long file, as the collector otherwise copies them while they grow.
 *
 *     npm run build && node bench/check/check.mjs [LINES ...]     (1000 10000 100000 unless told)
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyze, memoryHost } from '../../dist/compiler/index.js';
import { parse } from '../../dist/grammar/index.js';
import { manyModels, unusedNetworks } from './program.mjs';

const stdlib = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'stdlib');
const library = Object.fromEntries(
  readdirSync(stdlib).map((name) => [name.replace(/\.mmd$/, ''), readFileSync(join(stdlib, name), 'utf8')]),
);

/** Longest time for one measurement, and how often it is repeated in it, at least and at most. */
const tiny = process.env['BENCH_TINY'] === '1';
const [seconds, least, most] = tiny ? [0, 1, 1] : [2, 3, 25];

/** Models of one program at most: their cost is per model and does not need the longest program. */
const mostModelLines = 10_000;

const sizes = process.argv.slice(2).map(Number);
if (sizes.some((n) => !Number.isInteger(n) || n < 100)) {
  console.error('usage: node bench/check/check.mjs [LINES ...]     (each at least 100)');
  process.exit(2);
}

/**
 * Least time of a call over some rounds, in microseconds: of clock and processor the smaller, since other work on the machine
 * stretches the one, and the engine's own threads (collector, compiler) add to the other.
 */
function fastest(work) {
  let best = Infinity;
  const until = performance.now() + seconds * 1000;
  for (let round = 0; round < least || (round < most && performance.now() < until); round++) {
    const [start, clock] = [process.cpuUsage(), performance.now()];
    work();
    const elapsed = (performance.now() - clock) * 1000;
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, user + system, elapsed);
  }
  return best;
}

function syntax(files) {
  for (const text of Object.values(files)) {
    const { problems } = parse(text);
    if (problems.length > 0) throw new Error(`the program has syntax errors: ${problems[0].message}`);
  }
}

function everything(files, roots) {
  const host = memoryHost(files, library);
  for (const root of roots) {
    const { diagnostics, models } = analyze(host, root, files[root]);
    const error = diagnostics.find((d) => d.severity === 'error');
    if (error) throw new Error(`${error.file}: ${error.code}: ${error.message}`);
    if (models.size === 0) throw new Error('nothing was checked');
  }
}

function row(name, files, roots, before) {
  const lines = Object.values(files).reduce((n, text) => n + text.split('\n').length - 1, 0);
  const perLine = [fastest(() => syntax(files)), fastest(() => everything(files, roots))].map(
    (t) => t / lines,
  );
  const cells = perLine.map((t, i) => {
    const growth = before === undefined ? '' : `x ${(t / before[i]).toFixed(2)}`;
    return `${t.toFixed(2).padStart(9)} ${growth.padEnd(8)}`;
  });
  console.log(`${name.padEnd(16)}${String(lines).padStart(8)}${cells.join('')}`);
  return perLine;
}

const wanted = sizes.length > 0 ? sizes : [1000, 10_000, 100_000];
const kinds = [
  { name: 'unused networks', make: unusedNetworks, roots: () => ['main.mmd'], lines: wanted },
  {
    name: 'models',
    make: manyModels,
    roots: Object.keys,
    lines: wanted.filter((n) => n <= mostModelLines),
  },
];
// Warm: the code has been compiled before anything is counted.
for (const { make, roots } of kinds) {
  const files = make(1000);
  for (const until = performance.now() + 1000; !tiny && performance.now() < until;) {
    syntax(files);
    everything(files, roots(files));
  }
}
const young = '--min-semi-space-size=64';
const wide = process.execArgv.includes(young);
console.log(
  wide
    ? '\nwith a young generation of 64 MiB'
    : `Node ${process.version}, microseconds a line (x: times that of the row above)`,
);
console.log(
  `${'program'.padEnd(16)}${'lines'.padStart(8)}${'syntax'.padStart(9)}${'everything'.padStart(19)}`,
);
for (const { name, make, roots, lines } of kinds) {
  let before;
  for (const n of lines) {
    const files = make(n);
    before = row(name, files, roots(files), before);
  }
}
if (!wide) {
  const args = [young, '--max-semi-space-size=64', ...process.argv.slice(1)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}
