/**
 * Keystroke to diagnostics: the time in the server from an edit to the problems of the document as the protocol has
 * them, over edits at random places of files of 100, 1,000 and 10,000 lines, half of them networks, half models. Its
 * peer in the same run is what a server without memory does: analysing the text from the beginning. Times are of the
 * processor, so that other work on the machine counts little; `wall` is the 95th percentile by the clock.
 *
 *     npm run build && node bench/lsp/lsp.mjs [LINES ...]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { analyze, memoryHost } from '../../dist/compiler/index.js';
import { diagnosticsOf, Workspace } from '../../dist/compiler/server/index.js';
import { mixed } from '../check/program.mjs';

const stdlib = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'stdlib');
const library = Object.fromEntries(
  readdirSync(stdlib).map((name) => [name.replace(/\.mmd$/, ''), readFileSync(join(stdlib, name), 'utf8')]),
);
const host = { ...memoryHost({}, library), files: () => [] };
/** Edits of a file; the first 20 compile the code. */
const edits = process.env['BENCH_TINY'] === '1' ? 25 : 400;
const sizes = process.argv.slice(2).map(Number);
if (sizes.some((n) => !Number.isInteger(n) || n < 100)) {
  console.error('usage: node bench/lsp/lsp.mjs [LINES ...]     (each at least 100)');
  process.exit(2);
}

/** Numbers below `n` from a linear congruential generator (Numerical Recipes), the same ones every time. */
let state = 1;
const pick = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * n);
};

const rank = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
const ms = (x) => x.toFixed(x < 10 ? 2 : 1).padStart(9);

/** Milliseconds of the processor and by the clock. */
function timed(work) {
  const clock = performance.now();
  const cpu = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1000, clock: performance.now() - clock };
}

/** What one types at a place: a character, a line, a few removed; and the same taken back. */
const typed = ['x', '2', ' ', '(', '}', '\n', '  let y = x |> silu\n', ' |> silu', '"', '// note'];

function measure(lines) {
  let text = mixed(lines);
  const workspace = new Workspace(host);
  const check = () => {
    workspace.change('a.mmd', text);
    return diagnosticsOf(workspace.checked('a.mmd'), (file) => file);
  };
  const opened = timed(check).cpu;
  const times = [];
  const wall = [];
  const fresh = [];
  for (let i = 0; i < edits; i++) {
    const before = text;
    const at = pick(text.length);
    text = text.slice(0, at) + typed[pick(typed.length)] + text.slice(at + pick(3));
    for (const next of [text, before]) {
      text = next;
      const { cpu, clock } = timed(check);
      // The first edits compile the code.
      if (i < 20) continue;
      times.push(cpu);
      wall.push(clock);
    }
    if (i % Math.ceil(lines / 25) === 0)
      fresh.push(timed(() => analyze(memoryHost({}, library), 'a.mmd', text)).cpu);
  }
  times.sort((a, b) => a - b);
  wall.sort((a, b) => a - b);
  fresh.sort((a, b) => a - b);
  const cells = [
    opened,
    rank(times, 0.5),
    rank(times, 0.95),
    rank(times, 0.99),
    rank(wall, 0.95),
    rank(fresh, 0.5),
  ];
  console.log(
    `${String(lines).padStart(7)}${cells.map(ms).join('')}${ms(rank(fresh, 0.5) / rank(times, 0.5))}`,
  );
}

console.log(`Node ${process.version}; milliseconds from an edit to diagnostics`);
console.log(
  `${'lines'.padStart(7)}${['opening', 'median', '95 %', '99 %', 'wall', 'fresh', 'ratio'].map((c) => c.padStart(9)).join('')}`,
);
for (const lines of sizes.length > 0 ? sizes : [100, 1000, 10_000]) measure(lines);
