/**
 * `mmdc`: the command line. Each command's code is loaded when it is called, so that `check` and `fmt` never load a
 * tensor engine.
 *
 * @module
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { InputFault, SpecFault, UsageFault } from '../faults.js';
import { version } from '../version.js';
import { note, type ColorChoice } from './output.js';

/** 1: the input has errors; 2: wrong usage; 70: a fault of the program itself (EX_SOFTWARE of sysexits.h). */
const exit = { input: 1, usage: 2, internal: 70 } as const;

/** Choices of `--backend`, as in `executors/index.ts`, which this file must not load. */
const backends = [
  'auto',
  'ort',
  'ort-webgpu',
  'ort-wasm',
  'tfjs',
  'tfjs-node-gpu',
  'tfjs-node',
  'tfjs-webgpu',
  'tfjs-wasm',
  'tfjs-cpu',
  'reference',
];

function integer(low: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d[\d_]*$/.test(text) && !Number.isInteger(value))
      throw new InvalidArgumentError('it must be an integer.');
    const n = Number(text.replaceAll('_', ''));
    if (n < low || !Number.isSafeInteger(n))
      throw new InvalidArgumentError(`it must be an integer of at least ${low}.`);
    return n;
  };
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

function build(): Command {
  const program = new Command('mmdc')
    .description('Compiler for .mmd specs of multimodal diffusion models.')
    .version(version(), '-V, --version')
    .addOption(
      new Option('--color <when>', 'colour in messages').choices(['auto', 'always', 'never']).default('auto'),
    )
    .showHelpAfterError('(`mmdc --help` lists the commands)')
    .exitOverride();
  const color = (): ColorChoice => program.opts<{ color: ColorChoice }>().color;
  const setOption = new Option(
    '--set <path=value>',
    'override a setting of the spec; may be repeated',
  ).argParser(collect);
  const modelOption = new Option('--model <name>', 'the model, where the file has several');
  const backendOption = new Option('--backend <name>', 'executor').choices(backends).default('auto');
  const threadsOption = new Option('--threads <n>', 'threads of the executor').argParser(integer(1));
  const command = (name: string, description: string) =>
    program.command(name).description(description).exitOverride();

  command('check', 'report everything that is wrong with specs; nothing is written')
    .argument('<files...>', 'specs, or - for standard input')
    .addOption(
      new Option('--format <form>', 'form of the report').choices(['text', 'json', 'sarif']).default('text'),
    )
    .option('--deny-warnings', 'exit with 1 on warnings too')
    .option('--fix', 'apply safe fixes')
    .option('--defaults', 'list every setting that was filled in, with the reason')
    .addOption(setOption)
    .action(async (files: string[], options) =>
      (await import('./check.js')).check(files, { ...options, color: color() }),
    );

  command('fmt', 'format specs in place')
    .argument('<files...>', 'specs, or - for standard input')
    .option('--check', 'only name the files that would change, and exit with 1 if there are any')
    .action(async (files: string[], options) =>
      (await import('./format.js')).formatFiles(files, { ...options, color: color() }),
    );

  command('compile', 'write the typed graphs and coefficient tables of a model')
    .argument('<file>', 'a spec, or a graph that was written before (.json)')
    .requiredOption('-o, --out <dir>', 'folder to write to')
    .addOption(
      new Option('--target <name>', 'what to write').choices(['graph', 'onnx', 'pytorch']).default('graph'),
    )
    .option('--dump <stage>', 'print the training graph after a stage: forward, step, or a pass')
    .option(
      '--passes <names>',
      'comma-separated passes to leave out, each with a minus: -cse,-sink-transposes; +recompute=MIB to add that one',
    )
    .option('--weights <run>', 'folder of a run whose weights go into the files (onnx, pytorch)')
    .option('--stats', 'print counts of parameters, operations and arithmetic')
    .addOption(modelOption)
    .addOption(setOption)
    .action(async (file: string, options) =>
      (await import('./compile.js')).compile(file, { ...options, color: color() }),
    );

  command('train', 'train a model')
    .argument('<file>', 'a spec')
    .option('--data <dir>', 'root of the files that the `data` block names, or builtin:scenes')
    .requiredOption('--out <run>', 'folder of the run')
    .addOption(new Option('--steps <n>', "steps, in place of the spec's").argParser(integer(1)))
    .addOption(new Option('--seed <s>', "seed, in place of the spec's").argParser(integer(0)))
    .addOption(setOption)
    .addOption(modelOption)
    .addOption(backendOption)
    .addOption(threadsOption)
    .addOption(
      new Option(
        '--memory <mib>',
        'MiB that values of a step may occupy: cheap ones are computed again, not kept, as far as that takes',
      ).argParser(integer(0)),
    )
    .option('--tensorboard', "also write TensorBoard's event files, to RUN/tensorboard")
    .option('--resume', 'go on from the newest good checkpoint of the run, with more --steps if given')
    .addOption(
      new Option('--checkpoint-every <n>', 'steps between checkpoints; one is also written every ten minutes')
        .argParser(integer(1))
        .default(500),
    )
    .addOption(new Option('--keep <n>', 'newest checkpoints to keep').argParser(integer(1)).default(2))
    .addOption(
      new Option('--keep-every <n>', 'also keep those whose step is a multiple of n; 0: none')
        .argParser(integer(0))
        .default(0),
    )
    .option(
      '--best <metric>',
      'also keep the checkpoint that is least in this: loss, L2.label, held_out.loss ... (default: the loss, held out where the spec names rows for evaluation)',
    )
    .addOption(
      new Option(
        '--eval-every <n>',
        'steps between evaluations of the averaged weights on held-out rows, to RUN/evaluations; 0: none',
      )
        .argParser(integer(0))
        .default(0),
    )
    .addOption(
      new Option('--eval-rows <n>', 'rows that such an evaluation asks of every task')
        .argParser(integer(1))
        .default(200),
    )
    .addOption(
      new Option('--stop-norm <factor>', "stop at gradients of so many times their usual norm; 0: don't")
        .argParser(integer(0))
        .default(1000),
    )
    .action(async (file: string, options) =>
      (await import('./train.js')).train(file, { ...options, color: color() }),
    );

  command('data', 'show what a spec would be fed: shapes, ranges, classes, pictures, problems')
    .argument('<file>', 'a spec')
    .option('--data <dir>', 'root of the files that the `data` block names, or builtin:scenes')
    .option('-o, --out <file>', 'also write a page with pictures (.html)')
    .addOption(new Option('--format <form>', 'form of the report').choices(['text', 'json']).default('text'))
    .addOption(setOption)
    .addOption(modelOption)
    .action(async (file: string, options) =>
      (await import('./data.js')).showData(file, { ...options, color: color() }),
    );

  command('sample', 'sample from a trained model')
    .argument('<run>', 'folder of the run')
    .requiredOption('--out <dir>', 'folder to write to')
    .option('--task <name>', 'a task of the spec')
    .addOption(
      new Option(
        '--given <name=value>',
        'a class, a .npy file, or rows of data (DIR#0:500); may be repeated',
      ).argParser(collect),
    )
    .addOption(
      new Option('--produce <names>', 'modalities to produce; may be repeated or comma-separated').argParser(
        collect,
      ),
    )
    .addOption(new Option('-n <rows>', 'rows to sample').argParser(integer(1)))
    .addOption(new Option('--steps <k>', 'model calls of the chain').argParser(integer(1)))
    .addOption(new Option('--sampler <name>', 'sampler').choices(['ddpm', 'ddim', 'dpmpp']))
    .addOption(new Option('--seed <s>', 'seed').argParser(integer(0)).default(0))
    .option(
      '--checkpoint <which>',
      "weights of a checkpoint in place of the finished run's: last, a step, best, or best:METRIC",
    )
    .addOption(backendOption)
    .addOption(threadsOption)
    .action(async (run: string, options) =>
      (await import('./sample.js')).sample(run, { ...options, color: color() }),
    );

  command('eval', 'measure what a trained model does on held-out data, as JSON')
    .argument('<run>', 'folder of the run')
    .option('--data <dir>', "root of the data, in place of the run's, or builtin:scenes")
    .requiredOption('--out <file>', 'file to write')
    .addOption(new Option('--task <name>', 'a task; may be repeated; all by default').argParser(collect))
    .option('--roles', 'in place of the tasks everything that was trained: any given, any others produced')
    .addOption(new Option('-n <rows>', 'rows to ask of every task').argParser(integer(1)).default(500))
    .addOption(new Option('--seed <s>', 'seed').argParser(integer(0)).default(0))
    .option(
      '--lpips <file>',
      'weights of LPIPS: a model of two pictures (.onnx), or the published state (.safetensors)',
    )
    .option('--networks <dir>', 'folder that keeps the networks that measure (RUN/networks by default)')
    .addOption(backendOption)
    .addOption(threadsOption)
    .action(async (run: string, options) =>
      (await import('./eval.js')).evaluate(run, { ...options, color: color() }),
    );

  command('report', 'write RUN/report.html: curves, samples, settings, the spec; or compare several runs')
    .argument('<runs...>', 'folders of runs')
    .option('--out <file>', 'file to write (of a comparison: comparison.html)')
    .option('--tensorboard <dir>', "write the log as TensorBoard's event files there instead")
    .action(async (runs: string[], options) => (await import('./report.js')).report(runs, options));

  command('watch', 'serve a page of a run to this machine, live')
    .argument('<run>', 'folder of the run')
    .addOption(new Option('--port <n>', 'port; 0: any that is free').argParser(integer(0)).default(0))
    .action(async (run: string, options) => (await import('./watch.js')).watch(run, options));

  command('lsp', 'language server for editors')
    .option('--stdio', 'speak over standard input and output; there is no other way')
    .addOption(new Option('--clientProcessId <pid>', 'process that the server ends with').hideHelp())
    .action(async () => (await import('./lsp.js')).lsp());

  command('init', 'a new project that checks, trains and samples')
    .argument('<dir>', 'a folder that is new or empty')
    .action(async (dir: string) => (await import('./init.js')).init(dir));

  command('doc', 'write documentation of specs: a site of pages, and the same as Markdown')
    .argument('<files...>', 'specs or folders of them, or - for standard input')
    .requiredOption('-o, --out <dir>', 'folder to write to')
    .addOption(
      new Option('--format <form>', 'what to write').choices(['html', 'markdown', 'both']).default('both'),
    )
    .option('--title <text>', 'name of the site')
    .action(async (files: string[], options) =>
      (await import('./doc.js')).doc(files, { ...options, color: color() }),
    );

  command('explain', 'what a diagnostic means, with an example and the fix')
    .argument('<code>', 'such as MMD0401')
    .action(async (code: string) => (await import('./explain.js')).explainCode(code));

  command('info', 'versions, executors found, and why one was not').action(async () =>
    (await import('./info.js')).info(),
  );
  return program;
}

async function main(): Promise<void> {
  const program = build();
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Says what went wrong and gives the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exit.usage;
  // Diagnostics of a spec have been printed where they were found.
  if (error instanceof SpecFault) return exit.input;
  if (error instanceof InputFault || error instanceof UsageFault) {
    note(`error: ${error.message}`);
    if (error.help !== undefined) note(`  help: ${error.help}`);
    return error instanceof UsageFault ? exit.usage : exit.input;
  }
  if (error instanceof Error && 'code' in error && 'syscall' in error) {
    note(`error: ${error.message}`);
    return exit.input;
  }
  note('This is a fault of mmdc itself. Please report it with the spec, the command line and these lines:');
  note(`mmdc ${version()}, Node ${process.version}, ${process.platform} ${process.arch}`);
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return exit.internal;
}

// A reader that closes the pipe (`mmdc check ... | head`) is not a fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

await main();
