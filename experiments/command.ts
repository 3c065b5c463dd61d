/**
 * Running `mmdc` as a user does, in a process of its own, and knowing which code it was.
 *
 * @module
 */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../runtime/host.js';

/** `mmdc` was interrupted by a signal that was meant for the experiment too. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Runs `mmdc` with these arguments; its messages go to standard error, its result is left out.
 * @throws Interrupted after SIGINT or SIGTERM, once it has written its checkpoint; Error when it fails
 */
export async function mmdc(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(packageRoot(), 'bin', 'mmdc.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let interrupted = false;
  // A terminal sends Ctrl-C to the child as well; a second signal would end it before its checkpoint is written.
  const onInterrupt = (): void => {
    interrupted = true;
  };
  const onTerminate = (): void => {
    interrupted = true;
    child.kill('SIGTERM');
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (exit) => resolve(exit));
    });
    if (interrupted || code === 130) throw new Interrupted('interrupted');
    if (code !== 0) throw new Error(`mmdc ${args.join(' ')}: exit code ${code}`);
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  }
}

/** The commit that is checked out, with `+` where compiled sources or specs were changed since; null outside git. */
export function commit(): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: packageRoot(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git(
      'status',
      '--porcelain',
      '--',
      'grammar',
      'compiler',
      'runtime',
      'stdlib',
      'examples',
      'experiments',
    );
    return `${git('rev-parse', '--short=10', 'HEAD')}${changed === '' ? '' : '+'}`;
  } catch {
    return null;
  }
}
