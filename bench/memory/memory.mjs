/**
 * Resident memory of a long run on every executor that is here: at the last step it may differ by 5 % from what it was
 * at step 200. Each executor has a process of its own. RSS is the median of ten steps, each after a collection, before a
 * mark: what the collector has not come to yet is no memory that is kept.
 *
 *   node bench/memory/memory.mjs [STEPS [EXECUTOR...]]      2,000 steps and every executor unless given
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const dist = new URL('../../dist/', import.meta.url);
const script = fileURLToPath(import.meta.url);
const settle = 200;
const allowed = 0.05;

/** A small model of two modalities on the embedded scenes. */
const spec = `
import { MLP } from "std/backbones"

model Small {
  modality emb: vector[16]
  modality label: category[6]
  space z: f32[16]
  encoder emb = emb
  encoder label = label |> linear(16)
  process { steps: 100, origin: emb }
  backbone h = concat(z, given) |> MLP(t, width: 64, depth: 2)
  decoder z = h |> linear(16)
  decoder label = h |> linear(6)
  task generate: emb, label
  train { batch: 32, steps: 100 }
  data { source: builtin("scenes") }
}
`;

/** In the child: trains, and prints RSS at the two marks as JSON. */
async function measure(name, steps) {
  const { analyze } = await import(new URL('compiler/driver.js', dist));
  const { trainCarry } = await import(new URL('compiler/lower/training.js', dist));
  const { choose } = await import(new URL('runtime/executors/index.js', dist));
  const { fileHost } = await import(new URL('runtime/host.js', dist));
  const { sizeOf } = await import(new URL('compiler/graph/ir.js', dist));
  const { host, name: file } = fileHost('small.mmd');
  const model = [...analyze(host, file, spec).models.values()][0];
  const { graph } = model.trainingStep(32);
  const inputs = graph.nodes.filter((node) => node.op === 'input');
  const names = new Set(inputs.map((node) => node.attrs.name));
  const carry = Object.fromEntries(Object.entries(trainCarry).filter(([input]) => names.has(input)));
  const program = await (await choose(name, { threads: 1 })).prepare(graph, { carry });
  const value = ({ shape, dtype }, seed) => {
    const length = sizeOf(shape);
    const data =
      dtype === 'i32'
        ? Int32Array.from({ length }, (_, k) => 1 + ((k + seed) % 5))
        : Float32Array.from({ length }, (_, k) => Math.sin((k + 1) * (seed + 1)) * 0.1);
    return { data, shape };
  };
  for (const node of inputs) {
    if (node.attrs.name in carry) {
      const { data, shape } = value(node, 0);
      program.write(node.attrs.name, { data: data.map((x) => Math.abs(x)), shape });
    }
  }
  const fed = inputs.filter((node) => !(node.attrs.name in carry));
  let recent = [];
  const marks = [];
  for (let step = 1; step <= steps; step++) {
    // New arrays for every step, as data that is read from files would be.
    const feeds = Object.fromEntries(fed.map((node) => [node.attrs.name, value(node, step)]));
    if (feeds.schedule) feeds.schedule = { data: Float32Array.of(1e-3, 1, 1, 0.99), shape: [4] };
    await program.run(feeds);
    const mark = [settle, steps].find((m) => step <= m && step > m - 10);
    if (mark === undefined) continue;
    globalThis.gc();
    recent = [...recent.slice(-9), process.memoryUsage().rss];
    if (step === mark) marks.push([...recent].sort((a, b) => a - b)[recent.length >> 1]);
  }
  await program.dispose();
  console.log(`RSS ${JSON.stringify(marks)}`);
  process.exit(0);
}

const mib = (bytes) => (bytes / 2 ** 20).toFixed(1).padStart(8);

async function main() {
  const { available } = await import(new URL('runtime/executors/index.js', dist));
  const [steps = '2000', ...only] = process.argv.slice(2);
  const found = (await available({ threads: 1 })).filter((e) => only.length === 0 || only.includes(e.name));
  console.log(`resident memory in MiB, at step ${settle} and step ${steps}`);
  let failed = false;
  for (const executor of found) {
    if (!executor.ok) {
      console.log(`${executor.name.padEnd(14)} skipped: ${executor.reason}`);
      continue;
    }
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--expose-gc', script, '--child', executor.name, steps],
      {
        encoding: 'utf8',
        env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
      },
    );
    const line = /^RSS (.*)$/m.exec(stdout)?.[1];
    if (status !== 0 || line === undefined) {
      console.log(`${executor.name.padEnd(14)} failed:\n${stderr}`);
      failed = true;
      continue;
    }
    const [before, after] = JSON.parse(line);
    const change = after / before - 1;
    const bad = Math.abs(change) > allowed;
    failed ||= bad;
    const percent = `${change >= 0 ? '+' : ''}${(change * 100).toFixed(1)} %`;
    console.log(
      `${executor.name.padEnd(14)}${mib(before)}${mib(after)}  ${percent.padStart(8)}${bad ? '  too much' : ''}`,
    );
  }
  process.exit(failed ? 1 : 0);
}

if (process.argv[2] === '--child') await measure(process.argv[3], Number(process.argv[4]));
else await main();
