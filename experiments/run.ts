/**
 * `npm run experiments`: trains every system's joint model and the models that do one of its tasks alone, measures all
 * of them on the same held-out rows, and makes the tables. The same command goes on from wherever it was cut off.
 *
 *     OUT/stages/KEY/           runs, evaluations and samples, by what they depend on
 *     OUT/networks/DATA/        networks that measure
 *     OUT/NAME[-reduced].json   result of a system, and .md, its tables
 *
 * @module
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { format, resolveConfig } from 'prettier';
import { writeAtomic } from '../runtime/files/atomic.js';
import { packageRoot } from '../runtime/host.js';
import {
  draw,
  evaluationOf,
  factsOf,
  figuresOf,
  fingerprint,
  measure,
  measureExtra,
  stagesOf,
  train,
  type Arm,
} from './arms.js';
import { joinSplits } from './camvid.js';
import { commit } from './command.js';
import {
  compare,
  markdown,
  type Budget,
  type Compared,
  type Margin,
  type SystemResult,
  type Trained,
} from './comparison.js';
import { prepareFrozen, type Prepared } from './frozen.js';
import { Plan } from './progress.js';
import { intoDocument } from './result.js';
import { begin } from './begin.js';
import { Store, type Ingredients } from './store.js';
import { modelsOf, systems, type System } from './systems.js';

interface Options {
  readonly quick: boolean;
  readonly seeds: number;
  readonly system?: number;
  readonly data: string;
  readonly out: string;
  readonly publish: boolean;
  readonly steps?: number;
  readonly rows?: number;
}

/** Rows of every question: full, and with `--quick`. */
const rows = { full: 2000, quick: 100 } as const;
/** Rows of what is measured beside the tasks, and samples of each. */
const extras = {
  holes: { full: { rows: 100, calls: 16 }, quick: { rows: 12, calls: 4 } },
  roles: { full: { rows: 200 }, quick: { rows: 24 } },
} as const;
const pictures = 32;

const log = (line: string): void => void process.stderr.write(`${line}\n`);
const specOf = (system: System): string => join(packageRoot(), 'experiments', 'systems', system.spec);

interface Work {
  readonly system: System;
  readonly model: string;
  readonly budget: Budget | null;
  readonly arm: Arm;
  readonly facts: ReturnType<typeof factsOf>;
  readonly stages: ReturnType<typeof stagesOf>;
  /** What is measured of it beside its tasks. */
  readonly extra?: Ingredients;
}

/** Folder that a system reads, or why there is none. */
function dataOf(system: System, options: Options): { root: string | undefined } | { missing: string } {
  if (system.data === undefined) return { root: undefined };
  const dir = join(options.data, system.data);
  if (!existsSync(dir)) return { missing: `${dir} is not there; name the folder that holds it with --data` };
  return { root: system.data === 'camvid' ? joinSplits(dir, join(options.out, 'data', 'camvid')) : dir };
}

/** Everything to train of a system, the joint model of every seed first. */
function worksOf(
  system: System,
  root: string | undefined,
  options: Options,
  prepared: Prepared | undefined,
): Work[] {
  const reducedSteps = options.steps ?? (options.quick ? system.steps.quick : system.steps.full);
  const spec = prepared?.spec ?? specOf(system);
  const files = root === undefined ? 'builtin:scenes' : fingerprint(root);
  const data = prepared ? `${files} ${prepared.hash}` : files;
  const joint = factsOf(spec, 'Joint');
  const works: Work[] = [];
  for (const model of modelsOf(system)) {
    const facts = model === 'Joint' ? joint : factsOf(spec, model);
    // One baseline for one task: as many steps as the joint model gives to its tasks.
    const share = Math.max(1, Math.round((reducedSteps * facts.tasks.length) / joint.tasks.length));
    const budgets: readonly (Budget | null)[] =
      model === 'Joint' ? [null] : options.quick ? ['shared'] : ['shared', 'equal'];
    for (const budget of budgets)
      for (let seed = 0; seed < options.seeds; seed++) {
        const steps = budget === 'shared' ? share : reducedSteps;
        const n = options.rows ?? (options.quick ? rows.quick : rows.full);
        const arm: Arm = { spec, model, data: root, seed, steps, rows: n };
        const stages = stagesOf(arm, facts.hash, data);
        const extra = extraOf(system, model, facts.tasks, stages.train, options.quick);
        works.push({ system, model, budget, arm, facts, stages, ...(extra ? { extra } : {}) });
      }
  }
  return works;
}

/** The frozen network that a system's spec names, where it names one. */
async function prepare(
  store: Store,
  system: System,
  root: string | undefined,
  { quick, steps, out }: Options,
): Promise<Prepared | undefined> {
  if (!system.features || root === undefined) return undefined;
  log(`${system.name}: the network that is frozen`);
  return prepareFrozen(store, {
    features: join(packageRoot(), 'experiments', 'systems', system.features.spec),
    spec: specOf(system),
    data: root,
    steps: steps ?? system.features.steps[quick ? 'quick' : 'full'],
    folder: join(out, 'projects', system.name),
  });
}

function extraOf(
  { extra }: System,
  model: string,
  tasks: readonly string[],
  train: Ingredients,
  quick: boolean,
): Ingredients | undefined {
  if (extra === undefined || !(extra === 'holes' ? tasks.includes('fill') : model === 'Joint'))
    return undefined;
  return { ...train, stage: extra, ...extras[extra][quick ? 'quick' : 'full'] };
}

async function run(options: Options): Promise<void> {
  const chosen = systems.filter((s) => options.system === undefined || s.number === options.system);
  const store = new Store(join(options.out, 'stages'), commit);
  const planned: { system: System; works: Work[] }[] = [];
  for (const system of chosen) {
    const data = dataOf(system, options);
    if ('missing' in data) log(`system ${system.number} (${system.name}) is left out: ${data.missing}`);
    else {
      const prepared = await prepare(store, system, data.root, options);
      planned.push({ system, works: worksOf(system, data.root, options, prepared) });
    }
  }
  const kinds = (stage: string, w: Work) =>
    `${w.system.name} ${stage} ${stage === 'train' ? w.arm.steps : ''}`;
  const plan = new Plan(
    planned.flatMap(({ works }) =>
      works.flatMap((w) => [
        kinds('train', w),
        kinds('eval', w),
        ...(w.extra ? [kinds(String(w.extra.stage), w)] : []),
      ]),
    ),
  );
  for (const { system, works } of planned) {
    // Systems with the same pictures are measured by the same networks.
    const networks = join(options.out, 'networks', system.data ?? 'scenes');
    for (const work of works) {
      const what = `${system.name}: ${work.model}${work.budget === 'equal' ? ' (equal steps)' : ''}, seed ${work.arm.seed}`;
      for (const stage of ['train', 'eval'] as const) {
        const before = store.find(work.stages[stage]);
        log(`${plan.heading(`${what}: ${stage}`)}${before ? ' (there already)' : ''}`);
        const done =
          stage === 'train'
            ? await train(store, work.arm, work.stages)
            : await measure(store, work.arm, work.stages, networks);
        plan.finish(before ? null : done.seconds);
      }
      if (!work.extra) continue;
      const before = store.find(work.extra);
      log(`${plan.heading(`${what}: ${work.extra.stage}`)}${before ? ' (there already)' : ''}`);
      const trained = join(store.folder(work.stages.train), 'run');
      const done = await measureExtra(store, work.arm, work.extra, trained, networks);
      plan.finish(before ? null : done.seconds);
    }
    const drawn = await draw(store, works[0]!.stages, pictures);
    await publish(resultOf(system, works, store, options), drawn, options);
  }
}

function resultOf(system: System, works: readonly Work[], store: Store, options: Options): SystemResult {
  const models = works.map(({ model, budget, arm, facts, stages, extra }): Trained => {
    const done = store.find(stages.train)!;
    const { seconds, commit: code } = done;
    const { batch, share, tasks, parameters, hash } = facts;
    const { seed, steps } = arm;
    const asked = evaluationOf(store, stages);
    const evaluation =
      system.extra === 'holes' && extra
        ? { ...asked, tasks: { ...asked.tasks, ...figuresOf(store, extra) } }
        : asked;
    return {
      model,
      budget,
      seed,
      steps,
      batch,
      share,
      tasks,
      parameters,
      hash,
      seconds,
      commit: code,
      evaluation,
    };
  });
  const margins = readMargins()[String(system.number)] ?? {};
  const comparisons: Compared[] = [];
  const omitted: string[] = [];
  for (const what of system.comparisons)
    for (const budget of options.quick ? (['shared'] as const) : (['shared', 'equal'] as const)) {
      const margin = margins[what.metric];
      if (margin === undefined) throw new Error(`margins.json has none for ${what.metric}`);
      const result = compare(models, what, budget, margin);
      if (result) comparisons.push(result);
      else omitted.push(`${what.metric} against ${what.against}: a model has no such figure`);
    }
  return {
    format: 1,
    system: system.number,
    name: system.name,
    title: system.title,
    reduced: options.quick || options.steps !== undefined || options.rows !== undefined,
    command: ['npm run experiments --', ...process.argv.slice(2).filter(isOwn)].join(' '),
    commit: commit(),
    measured: new Date().toISOString(),
    machine: `${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB`,
    seeds: Array.from({ length: options.seeds }, (_, i) => i),
    models,
    comparisons,
    omitted,
    ...(system.extra === 'roles'
      ? { roles: works.flatMap((w) => (w.extra ? [figuresOf(store, w.extra)] : [])) }
      : {}),
  };
}

/** Arguments that belong into a table: paths of this machine do not. */
function isOwn(argument: string, at: number, all: readonly string[]): boolean {
  const paths = ['--data', '--out'];
  return !paths.some((p) => argument === p || argument.startsWith(`${p}=`) || all[at - 1] === p);
}

function readMargins(): Record<string, Record<string, Margin>> {
  const file = join(packageRoot(), 'experiments', 'systems', 'margins.json');
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, Margin>>;
}

/** Writes a system's result and tables, and with `--publish` the section of its page, `docs/systems/NAME.md`. */
async function publish(result: SystemResult, drawn: string, options: Options): Promise<void> {
  const name = `${result.name}${result.reduced ? '-reduced' : ''}`;
  const text = markdown(result);
  writeAtomic(join(options.out, `${name}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
  writeAtomic(join(options.out, `${name}.md`), `# ${result.title}\n\n${text}\n`);
  process.stdout.write(`${result.title}\n\n${text}\n\n`);
  if (!options.publish) return;
  const docs = join(packageRoot(), 'docs');
  const file = join(docs, 'systems', `${result.name}.md`);
  mkdirSync(join(docs, 'images'), { recursive: true });
  const shown = ['image', 'mask'].filter((m) => existsSync(join(drawn, `${m}.png`)));
  for (const m of shown)
    copyFileSync(join(drawn, `${m}.png`), join(docs, 'images', `system-${result.name}-${m}.png`));
  const images = shown.map(
    (m) => `![${pictures} samples of \`generate\`: ${m}](../images/system-${result.name}-${m}.png)`,
  );
  const changed = intoDocument(readFileSync(file, 'utf8'), result.name, [text, ...images].join('\n\n'));
  if (changed === undefined) throw new Error(`${file} has no section for measured results`);
  const config = await resolveConfig(file);
  writeAtomic(file, await format(changed, { ...config, parser: 'markdown' }));
}

function natural(most: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || n < 1 || n > most)
      throw new InvalidArgumentError(`it must be an integer in 1 to ${most}.`);
    return n;
  };
}

function parse(): Options {
  const root = packageRoot();
  const options = new Command('npm run experiments --')
    .description('Train and measure the systems against models of a single task; makes their tables.')
    .option('--quick', 'one seed, few steps and rows: shows that it works, claims nothing')
    .option('--system <n>', 'one system only', natural(5))
    .option('--seeds <count>', 'paired seeds, from 0', natural(31), 3)
    .option('--steps <n>', 'steps of the joint models, in place of their own (no claim)', natural(1_000_000))
    .option('--rows <n>', 'rows of every question (no claim)', natural(100_000))
    .option('--data <dir>', 'folder that holds mnist/ and camvid/', join(root, '../shared/data'))
    .option('--out <dir>', 'folder to write to', join(root, '.cache/experiments'))
    .option('--publish', 'write tables and pictures into docs/systems/')
    .parse()
    .opts<Partial<Options> & { seeds: number; data: string; out: string }>();
  const { quick = false, publish: into = false, data, out, seeds } = options;
  const paths = { data: resolve(data), out: resolve(out) };
  return { ...options, ...paths, quick, publish: into, seeds: quick ? 1 : seeds };
}

await begin(() => run(parse()), log);
