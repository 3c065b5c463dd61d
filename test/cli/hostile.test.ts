/**
 * Hostile files end with a diagnostic within 512 MB, in a process of their own, memory of the engine included; and
 * within 2 seconds where MMDC_NIGHTLY says that the machine is free to be timed.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folder, root } from './support.js';

const model = (stage: string, networks = '', image = 'vector[4]'): string => `${networks}
model M {
  modality x: ${image}
  space z: f32[4]
  encoder x = x |> project(shape(z))
  process { origin: x }
  backbone h = concat(z, given) |> linear(4) ${stage}
  decoder z = concat(h, t |> reshape([1])) |> linear(4)
  task generate: x
}
`;

/** Files that import the next two each: 2^n ways from the first to the last. */
function laughs(n: number): Record<string, string> {
  const file = (i: number) => {
    const body = i < n ? `x |> N${i + 1} |> N${i + 2}` : 'x';
    const imports = i < n ? [i + 1, i + 2].map((k) => `import { N${k} } from "./f${k}.mmd"`) : [];
    return [...imports, `network N${i}(x: f32[C]) -> f32[C] { ${body} }`, ''].join('\n');
  };
  const parts = Array.from({ length: n + 2 }, (_, i) => [`f${i}.mmd`, file(i)] as const);
  return { ...Object.fromEntries(parts), 'main.mmd': model('|> N0', 'import { N0 } from "./f0.mmd"') };
}

/** A chain of files, each importing the next. */
function chain(n: number): Record<string, string> {
  const file = (i: number) =>
    `import { N${i + 1} } from "./f${i + 1}.mmd"\nnetwork N${i}(x: f32[C]) -> f32[C] { x |> N${i + 1} }\n`;
  return {
    ...Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}.mmd`, file(i)])),
    'main.mmd': model('|> N0', 'import { N0 } from "./f0.mmd"'),
  };
}

const list = (n: number, line: (i: number) => string, between: string): string =>
  Array.from({ length: n }, (_, i) => line(i)).join(between);

const sums = (n: number): string =>
  `network P(x: f32[${list(n, (i) => `D${i}`, ', ')}]) -> f32[${list(n, (i) => `(D${i} + ${i + 1})`, ' * ')}] {
  x |> reshape([${list(n, (i) => `(D${i} + ${i + 1})`, ' * ')}])\n}\n`;

const squares = (n: number): string =>
  `network P(x: f32[N]) -> f32[N] {\n  let a0 = N + 1
  ${list(n, (i) => `let a${i + 1} = a${i} * (a${i} + ${i})`, '\n')}\n  x |> linear(a${n}) |> linear(N)\n}\n`;

const conditions = (n: number): string =>
  `network P(x: f32[N], ${list(n, (i) => `b${i}: bool`, ', ')}) -> f32[N] {\n  let y0 = x
  ${list(n, (i) => `let y${i + 1} = if b${i} { y${i} |> linear(N) } else { y${i} |> silu }`, '\n')}\n  y${n}\n}\n`;

const circle = (n: number): string =>
  list(n, (i) => `network N${i}(x: f32[N]) -> f32[N] { x |> N${(i + 1) % n} |> N${(i + 2) % n} }`, '\n');

const steps = (n: number): string =>
  `network P(y0: f32[N]) -> f32[N] {
  ${list(n, (i) => `let y${i + 1} = y${i} |> linear(N + ${i})`, '\n')}\n  y${n} |> linear(N)\n}\n`;

const twice =
  'network Twice(x: f32[C], n: int) -> f32[C] {\n  if n == 0 { x } else { x |> Twice(n - 1) |> Twice(n - 1) }\n}';
const one = (text: string) => ({ 'main.mmd': text });

const cases: Record<string, readonly [files: Record<string, string>, code: RegExp]> = {
  'brackets a million deep': [one(model(`|> linear(${'('.repeat(1_000_000)}`)), /MMD0106/],
  'blocks a hundred thousand deep': [one(`model M { process ${'{ a '.repeat(100_000)}`), /MMD01/],
  'lists a hundred thousand deep': [
    one(model(`|> reshape(${'['.repeat(100_000)}${']'.repeat(100_000)})`)),
    /MMD0106/,
  ],
  'minus a hundred thousand times': [one(model(`|> linear(${'-'.repeat(100_000)}1)`)), /MMD0106/],
  'exponential recursion': [one(model('|> Twice(60)', twice)), /MMD0802/],
  'exponential recursion that makes nodes': [
    one(model('|> Twice(60)', twice.replace('{ x }', '{ x |> linear(C) |> silu }'))),
    /MMD0802/,
  ],
  'dimensions of 1e18': [one(model('', '', 'image[1000000000000000000, 1000000000000000000, 3]')), /MMD0/],
  'products of dimensions': [one(model('|> linear(1000000000) |> linear(1000000000)')), /MMD0803/],
  'a line of 10 MB': [one(model(`|> linear(${'1 + '.repeat(2_500_000)}1)`)), /MMD0107/],
  'a string of 10 MB': [one(model(`// ${'x'.repeat(10_000_000)}`)), /MMD0107/],
  'a line just below the limit': [one(model(`|> linear(${'1 + '.repeat(240_000)}1)`)), /MMD0106/],
  'an identifier of 900 kB': [one(model(`|> ${'a'.repeat(900_000)}`)), /MMD0301/],
  'twenty thousand unknown names among as many known ones': [
    one(`model M {\n${Array.from({ length: 20_000 }, (_, i) => `let v${i} = w${i} + 1`).join('\n')}\n}\n`),
    /MMD0301/,
  ],
  'twenty thousand unknown names': [
    one(
      model(Array.from({ length: 90 }, (_, i) => `|> unknown${i}`).join(' ')) +
        'network F(x: f32[C]) -> f32[C] {\n' +
        Array.from({ length: 20_000 }, (_, i) => `let v${i} = w${i}`).join('\n') +
        '\nx }\n',
    ),
    /MMD0301/,
  ],
  'ninety thousand syntax errors': [one('let = = 1\n'.repeat(90_000)), /MMD0116/],
  'imports with 2^40 ways through them': [laughs(40), /MMD0802|MMD0801/],
  'a chain of a thousand imports': [chain(1000), /MMD0207|MMD0801|MMD0201/],
  'rounds inside rounds': [one(model('|> repeat(4096) { repeat(4096) { linear(4) } }')), /MMD0802/],
  // Definitions are checked over symbols, whether or not anything uses them.
  'a product of 150 sums of dimensions': [one(sums(150)), /no problems|MMD0/],
  'squares of squares of a dimension': [one(squares(60)), /no problems|MMD0/],
  'forty conditions, 2^40 ways through them': [one(conditions(40)), /no problems/],
  'two thousand definitions in a circle': [one(circle(2000)), /no problems|MMD08/],
  'twenty thousand steps in one definition': [one(steps(20_000)), /no problems/],
  'powers of powers': [one(model('|> linear(9 ^ 9 ^ 9 ^ 9)')), /MMD0414/],
};

interface Ended {
  readonly code: number | null;
  readonly report: string;
  readonly megabytes: number;
  readonly seconds: number;
}

const watch = `process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stderr.write('\\n@' + JSON.stringify([maxRSS / 1024, (userCPUTime + systemCPUTime) / 1e6]) + '\\n');
});`;

function check(dir: string): Promise<Ended> {
  const hook = `data:text/javascript,${encodeURIComponent(watch)}`;
  const args = ['--import', hook, join(root, 'bin/mmdc.js'), 'check', '--color', 'never', 'main.mmd'];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
    let report = '';
    child.stdout.on('data', (chunk: Buffer) => (report += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (report += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      const [megabytes, seconds] = JSON.parse(/@(\[.*\])/.exec(report)?.[1] ?? '[0, 0]') as [number, number];
      resolve({ code, report, megabytes, seconds });
    });
  });
}

describe('hostile files', () => {
  const dir = folder();

  it.each(Object.entries(cases))('%s', { timeout: 60_000 }, async (name, [files, code]) => {
    const place = name.replaceAll(/\W+/g, '-');
    for (const [path, text] of Object.entries(files)) {
      const file = join(dir.path, place, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const ended = await check(join(dir.path, place));
    expect(code.test(ended.report) ? code.source : ended.report.slice(0, 2000)).toBe(code.source);
    expect(ended.code).toBe(ended.report.includes('no problems') ? 0 : 1);
    expect(ended.report.length).toBeLessThan(10_000_000);
    for (const line of ended.report.split('\n')) expect(line.length).toBeLessThan(2_000);
    expect(ended.megabytes).toBeGreaterThan(10);
    expect(ended.megabytes).toBeLessThan(512);
    if (process.env['MMDC_NIGHTLY']) expect(ended.seconds).toBeLessThan(2);
    if (process.env['MMDC_FIGURES'])
      console.log(`${name}: ${ended.seconds.toFixed(2)} s, ${ended.megabytes.toFixed(0)} MB`);
  });
});
