/**
 * `npm run experiments:digits`: trains the digits model with every seed, asks it three questions through the command
 * line, has a separate classifier judge the answers, and makes the table of docs/digits.md. What is there already is
 * reused, so that an interrupted experiment goes on where it was.
 *
 *     OUT/judge.safetensors     the judge
 *     OUT/SPEC/seed-S.json      result of a seed
 *     OUT/SPEC/seed-S/          its run and samples
 *     OUT/SPEC/table.md, .png   table, and samples of the first seed
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { format, resolveConfig } from 'prettier';
import { compileFile } from '../runtime/cli/source.js';
import { readNpy } from '../runtime/data/npy.js';
import { choose } from '../runtime/executors/index.js';
import { InputFault } from '../runtime/faults.js';
import { writeAtomic } from '../runtime/files/atomic.js';
import { packageRoot } from '../runtime/host.js';
import { version } from '../runtime/version.js';
import { begin } from './begin.js';
import { Judge } from './judge.js';
import { classes, hasDigits, heldOutRows } from './mnist.js';
import { gridByClass } from './picture.js';
import { Plan } from './progress.js';
import { answer, sampleFor, tasks, type Asking, type Task } from './questions.js';
import { intoDocument, table, type Machine, type SeedResult } from './result.js';
import { sampled, trainStage, type Stage } from './stage.js';

interface Options {
  readonly seeds: readonly number[];
  readonly spec: string;
  readonly n: number;
  readonly quick: boolean;
  readonly data: string;
  readonly out: string;
}

/** What `--quick` does instead. */
const quick = { steps: 600, n: 200 } as const;

/** Pictures of every class in the grid. */
const columns = 12;

const log = (line: string): void => void process.stderr.write(`${line}\n`);

async function run(options: Options): Promise<void> {
  if (!hasDigits(options.data))
    throw new InputFault(`${options.data} does not hold the digits`, 'name their folder with --data');
  const { model } = compileFile(options.spec, [], undefined, 'never');
  const missing = tasks.find((name) => !model.info.tasks.some((task) => task.name === name));
  if (missing) throw new InputFault(`${options.spec} has no task \`${missing}\``);
  const name = basename(options.spec, '.mmd');
  const dir = join(options.out, options.quick ? `${name}-quick` : name);
  mkdirSync(dir, { recursive: true });
  const plan = new Plan(['judge', ...options.seeds.flatMap(() => ['train', ...tasks])]);

  const executor = await choose('ort', { log });
  log(plan.heading('judge'));
  const began = performance.now();
  const judge = await Judge.open(options.out, options.data, executor, log);
  plan.finish((performance.now() - began) / 1000);
  const spec = { file: name, hash: model.hash() };
  const versions = { mmdc: version(), node: process.versions.node, executor: executor.detail };
  const results: SeedResult[] = [];
  for (const seed of options.seeds) {
    const measured = await measure(options, join(dir, `seed-${seed}`), seed, plan, judge);
    const result: SeedResult = {
      format: 1,
      spec,
      ...measured,
      judge: judge.record,
      machine: machine(),
      versions,
      measured: new Date().toISOString(),
    };
    writeAtomic(join(dir, `seed-${seed}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
    results.push(result);
  }
  await judge.dispose();
  await publish(name, dir, results);
}

/** Trains and asks one seed. */
async function measure(options: Options, dir: string, seed: number, plan: Plan, judge: Judge) {
  const { spec, data, n } = options;
  const path = join(dir, 'run');
  log(plan.heading(`seed ${seed}: train`));
  const began = performance.now();
  const { reused, ...training } = await trainStage({
    spec,
    data,
    run: path,
    seed,
    steps: options.quick ? quick.steps : undefined,
  });
  plan.finish(reused ? null : (performance.now() - began) / 1000);
  const asking: Asking = { run: path, dir, data, n, seed };
  const sampling: Partial<Record<Task, Pick<Stage, 'seconds' | 'commit'>>> = {};
  for (const task of tasks) {
    log(plan.heading(`seed ${seed}: ${task}`));
    const stage = await sampleFor(task, asking);
    plan.finish(stage.reused ? null : stage.seconds);
    sampling[task] = { seconds: stage.seconds, commit: stage.commit };
  }
  const answers = await answer(asking, judge);
  const secondsPer1000Steps = (1000 * training.seconds) / training.steps;
  return {
    seed,
    quick: options.quick,
    n,
    answers,
    training: { ...training, secondsPer1000Steps },
    sampling: sampling as SeedResult['sampling'],
  };
}

function machine(): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${platform()} ${arch()}`,
  };
}

/** Writes table and picture, prints the table, and puts both into the documentation. */
async function publish(name: string, dir: string, results: readonly SeedResult[]): Promise<void> {
  const first = results[0] as SeedResult;
  const text = table(results);
  const drawn = join(dir, `seed-${first.seed}`, 'draw');
  const picture = gridByClass(
    readNpy(sampled(drawn, 'image')).data as Float32Array,
    readNpy(sampled(drawn, 'label')).data as Int32Array,
    columns,
  );
  writeAtomic(join(dir, 'table.md'), `${text}\n`);
  writeAtomic(join(dir, 'samples.png'), picture);
  process.stdout.write(`${text}\n`);
  const file = join(packageRoot(), 'docs', 'digits.md');
  if (first.quick || !existsSync(file)) return;
  const content = `${text}\n\n![Twelve samples of every label, seed ${first.seed}](images/${name}.png)`;
  const changed = intoDocument(readFileSync(file, 'utf8'), name, content);
  if (changed === undefined) {
    log(`docs/digits.md has no section for ${name}`);
    return;
  }
  const config = await resolveConfig(file);
  mkdirSync(join(packageRoot(), 'docs', 'images'), { recursive: true });
  writeAtomic(join(packageRoot(), 'docs', 'images', `${name}.png`), picture);
  writeAtomic(file, await format(changed, { ...config, parser: 'markdown' }));
  log(`docs/digits.md: the section of ${name} is new`);
}

function seedList(text: string): number[] {
  const seeds = text.split(',').map(Number);
  if (!/^\d+(,\d+)*$/.test(text) || new Set(seeds).size !== seeds.length)
    throw new InvalidArgumentError('it must be different integers with commas between them.');
  return seeds;
}

/** Every class is asked for equally often, and there are only so many held-out rows. */
function sampleCount(text: string): number {
  const n = Number(text);
  const most = heldOutRows.to - heldOutRows.from;
  const least = classes * columns;
  if (!/^\d+$/.test(text) || n % classes !== 0 || n < least || n > most)
    throw new InvalidArgumentError(`it must be a multiple of ${classes} in ${least} to ${most}.`);
  return n;
}

function parse(): Options {
  const root = packageRoot();
  const program = new Command('npm run experiments:digits --')
    .description('Measure what a model of digits and labels does; makes the table of docs/digits.md.')
    .option('--seeds <list>', 'seeds, with commas between them', seedList, [0, 1, 2])
    .option(
      '--spec <file>',
      'a spec with the tasks draw, generate and classify',
      join(root, 'examples/digits.mmd'),
    )
    .option('--n <count>', 'samples of every question', sampleCount, 2000)
    .option(
      '--quick',
      `one seed, ${quick.steps} steps, ${quick.n} samples: shows that it works, claims nothing`,
    )
    .option('--data <dir>', 'folder of the digits', join(root, '../shared/data/mnist'))
    .option('--out <dir>', 'folder to write to', join(root, 'runs/experiments'))
    .parse();
  const {
    seeds,
    n,
    spec,
    data,
    out,
    quick: short = false,
  } = program.opts<{
    seeds: number[];
    n: number;
    spec: string;
    data: string;
    out: string;
    quick?: boolean;
  }>();
  const paths = { spec: resolve(spec), data: resolve(data), out: resolve(out) };
  return short
    ? { ...paths, quick: true, seeds: seeds.slice(0, 1), n: quick.n }
    : { ...paths, quick: false, seeds, n };
}

await begin(() => run(parse()), log);
