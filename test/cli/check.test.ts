/** `check`, `fmt`, `explain` and wrong usage: exit codes, what goes to which stream, forms of output. */
import { describe, expect, it } from 'vitest';
import { folder, mmdc, tinySpec } from './support.js';

const dir = folder();
dir.write('tiny.mmd', tinySpec);
const warnSpec = tinySpec.replace('concat(z, given)', 'z');
dir.write('warn.mmd', warnSpec);
const badSpec = tinySpec.replace('batch: 16', 'bach: 16').replace('h |> linear(6)', 'h |> linear(7)');
dir.write('bad.mmd', badSpec);

describe('mmdc check', () => {
  it('says that a good spec is good, with nothing on standard output', async () => {
    const { code, out, err } = await dir.run('check', 'tiny.mmd');
    expect({ code, out, err }).toEqual({ code: 0, out: '', err: 'no problems\n' });
  });

  it('prints diagnostics on standard output and their number on standard error, and exits with 1', async () => {
    const { code, out, err } = await dir.run('check', 'bad.mmd');
    expect(code).toBe(1);
    expect(out).toMatch(/^error\[MMD0510\]: the decoder of `label` gives `f32\[7\]`/m);
    expect(out).toMatch(/^ *--> bad\.mmd:14:/m);
    expect(out).toContain('did you mean `batch`?');
    expect(err).toBe('2 errors\n');
    expect(out).not.toContain('\u001b');
  });

  it('colours when it is told to, and not for NO_COLOR', async () => {
    const [always, never] = await Promise.all([
      dir.run('--color', 'always', 'check', 'bad.mmd'),
      mmdc(['check', 'bad.mmd'], { cwd: dir.path, env: { NO_COLOR: '1' } }),
    ]);
    expect(always!.out).toContain('\u001b[');
    expect(never!.out).not.toContain('\u001b');
  });

  it('prints JSON and nothing else with --format json', async () => {
    const [good, bad] = await Promise.all([
      dir.run('check', '--format', 'json', 'tiny.mmd'),
      dir.run('check', '--format', 'json', 'bad.mmd'),
    ]);
    expect([good!.code, JSON.parse(good!.out), good!.err]).toEqual([0, [], '']);
    expect([bad!.code, bad!.err]).toEqual([1, '']);
    const list = JSON.parse(bad!.out) as Record<string, unknown>[];
    expect(list.map((d) => d.code)).toEqual(['MMD0510', 'MMD0302']);
    for (const d of list) {
      expect(Object.keys(d).sort()).toEqual(
        ['code', 'file', 'fixes', 'help', 'labels', 'message', 'range', 'severity'].sort(),
      );
      expect(d).toMatchObject({ severity: 'error', file: 'bad.mmd' });
    }
    // Lines and columns from 1, offsets into the text.
    const at = badSpec.indexOf('bach');
    expect(list[1]!.range).toEqual({
      start: { line: 21, column: 11, offset: at },
      end: { line: 21, column: 15, offset: at + 4 },
    });
    expect(list[1]!.fixes).toEqual([
      { title: 'rename to `batch`', safe: false, edits: [{ range: list[1]!.range, text: 'batch' }] },
    ]);
    expect((list[0]!.labels as { message: string }[])[0]!.message).toBe('`label` is f32[6] in networks');
  });

  it('lists what was filled in, with the reason, with --defaults', async () => {
    const [text, json, sarif] = await Promise.all([
      dir.run('check', '--defaults', 'tiny.mmd'),
      dir.run('check', '--defaults', '--format', 'json', 'tiny.mmd'),
      dir.run('check', '--defaults', '--format', 'sarif', 'tiny.mmd'),
    ]);
    expect(text!.code).toBe(0);
    expect(text!.out).toMatch(/^tiny\.mmd: model Tiny$/m);
    expect(text!.out).toMatch(/^ {2}train\.clip +1 +a single bad batch cannot ruin a run$/m);
    // What the spec says itself is not a default.
    expect(text!.out).not.toContain('train.batch');
    const { diagnostics, defaults } = JSON.parse(json!.out) as Record<string, Record<string, unknown>[]>;
    expect(diagnostics).toEqual([]);
    expect(defaults).toContainEqual({
      file: 'tiny.mmd',
      model: 'Tiny',
      path: 'train.clip',
      value: '1',
      reason: 'a single bad batch cannot ruin a run',
    });
    expect([sarif!.code, sarif!.out]).toEqual([2, '']);
  });

  it('prints SARIF 2.1.0', async () => {
    const { code, out, err } = await dir.run('check', '--format', 'sarif', 'bad.mmd');
    const log = JSON.parse(out) as { version: string; runs: { results: { ruleId: string }[] }[] };
    expect([code, err, log.version]).toEqual([1, '', '2.1.0']);
    expect(log.runs[0]!.results.map((r) => r.ruleId)).toEqual(['MMD0510', 'MMD0302']);
  });

  it('lets warnings pass, unless --deny-warnings', async () => {
    const [plain, denied] = await Promise.all([
      dir.run('check', 'warn.mmd'),
      dir.run('check', '--deny-warnings', 'warn.mmd'),
    ]);
    expect(plain!.code).toBe(0);
    expect(plain!.out).toContain('warning[MMD0512]');
    expect(plain!.err).toBe('1 warning\n');
    expect(denied!.code).toBe(1);
  });

  it('reads standard input, several files, and overrides', async () => {
    const [input, several, set, wrong] = await Promise.all([
      mmdc(['check', '-'], { cwd: dir.path, input: badSpec }),
      dir.run('check', 'tiny.mmd', 'bad.mmd', 'warn.mmd'),
      dir.run('check', 'tiny.mmd', '--set', 'process.steps=20', '--set', 'task.imagine.steps=8'),
      dir.run('check', 'tiny.mmd', '--set', 'process.step=20'),
    ]);
    expect(input!.code).toBe(1);
    expect(input!.out).toContain('--> stdin.mmd:14:');
    expect(several!.err).toBe('2 errors and 1 warning\n');
    expect(set!.code).toBe(0);
    expect(wrong!.code).toBe(1);
    expect(wrong!.out).toContain('--set process.step=20');
    expect(wrong!.out).toContain('did you mean `steps`?');
  });

  it('says which file cannot be read', async () => {
    const [missing, directory] = await Promise.all([dir.run('check', 'none.mmd'), dir.run('check', '.')]);
    expect(missing).toEqual({
      code: 1,
      out: '',
      err: 'error: cannot read none.mmd: there is no such file\n',
    });
    expect(directory!.code).toBe(1);
    expect(directory!.err).toContain('it is a folder');
  });

  it('never loads a tensor engine', async () => {
    // With this, loading onnxruntime fails; `info` shows that it does.
    const hook = dir.write(
      'hook.mjs',
      `import { register } from 'node:module';
       register('data:text/javascript,' + encodeURIComponent(\`
         export function resolve(name, context, next) {
           if (name.startsWith('onnxruntime')) throw new Error('engine refused');
           return next(name, context);
         }\`));`,
    );
    const env = { NODE_OPTIONS: `--import=${new URL(`file://${hook}`).href}` };
    const [check, fmt, info] = await Promise.all(
      [['check', 'tiny.mmd'], ['fmt', '--check', 'tiny.mmd'], ['info']].map((args) =>
        mmdc(args, { cwd: dir.path, env }),
      ),
    );
    expect(check!.code).toBe(0);
    expect(fmt!.code).toBe(0);
    expect(info!.out).toMatch(/ort: not available \(.*engine refused/);
    expect(info!.out).toContain('reference: ');
  });
});

describe('mmdc fmt', () => {
  const ragged = 'model   A{space z:f32[ 4 ]\n}\n';

  it('formats in place, and names what would change with --check', async () => {
    dir.write('ragged.mmd', ragged);
    const check = await dir.run('fmt', '--check', 'tiny.mmd', 'ragged.mmd');
    expect(check).toEqual({ code: 1, out: 'ragged.mmd\n', err: '' });
    expect(dir.read('ragged.mmd')).toBe(ragged);
    const write = await dir.run('fmt', 'tiny.mmd', 'ragged.mmd');
    expect(write).toEqual({ code: 0, out: '', err: 'formatted ragged.mmd\n' });
    expect(dir.read('ragged.mmd')).toContain('space z: f32[4]');
    expect(dir.read('tiny.mmd')).toBe(tinySpec);
    expect((await dir.run('fmt', '--check', 'ragged.mmd')).code).toBe(0);
  });

  it('is a filter with -, and leaves broken files alone', async () => {
    const broken = 'model A { space z: }\n';
    dir.write('broken.mmd', broken);
    const [filter, failed] = await Promise.all([
      mmdc(['fmt', '-'], { cwd: dir.path, input: ragged }),
      dir.run('fmt', 'broken.mmd'),
    ]);
    expect(filter!.code).toBe(0);
    expect(filter!.out).toContain('model A {');
    expect(failed!.code).toBe(1);
    expect(failed!.out).toBe('');
    expect(failed!.err).toContain('broken.mmd:1:');
    expect(dir.read('broken.mmd')).toBe(broken);
  });
});

describe('exit codes', () => {
  it('are 2 for wrong usage, with the way out on standard error', async () => {
    const cases: [string[], RegExp][] = [
      [[], /Usage: mmdc/],
      [['chekc', 'tiny.mmd'], /unknown command 'chekc'/],
      [['check'], /missing required argument/],
      [['check', 'tiny.mmd', '--format', 'xml'], /text, json, sarif/],
      [['train', 'tiny.mmd'], /--out/],
      [['train', 'tiny.mmd', '--out', 'run', '--steps', '1.5'], /integer/],
      [['explain', 'MMD9999'], /no diagnostic MMD9999/],
    ];
    const results = await Promise.all(cases.map(([args]) => dir.run(...args)));
    results.forEach((result, i) => {
      expect(result.err).toMatch(cases[i]![1]);
      expect([result.code, result.out]).toEqual([2, '']);
    });
  });

  it('are 0 for help and version', async () => {
    const [help, version] = await Promise.all([dir.run('--help'), dir.run('--version')]);
    expect([help!.code, help!.err]).toEqual([0, '']);
    expect(help!.out).toContain('Usage: mmdc');
    expect(version!.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('are 70 for a fault of the program, with what to report', async () => {
    const env = {
      NODE_OPTIONS:
        '--import=data:text/javascript,Array.prototype.toSorted=()=>{throw(new(Error)("broken"))}',
    };
    const { code, out, err } = await mmdc(['check', 'tiny.mmd'], { cwd: dir.path, env });
    expect([code, out]).toEqual([70, '']);
    expect(err).toContain('fault of mmdc itself');
    expect(err).toMatch(/mmdc \d.*Node v\d/);
    expect(err).toContain('Error: broken');
  });
});

describe('mmdc explain', () => {
  it('prints the page of a code, in any case', async () => {
    const { code, out } = await dir.run('explain', 'mmd0510');
    expect(code).toBe(0);
    expect(out).toContain('# MMD0510:');
  });
});
