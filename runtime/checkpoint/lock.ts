/**
 * One process at a time in a run's folder. The lock is a file `run.lock` that names its owner: host, process id and
 * the time the process started (so that a later process with the same id is not taken for it).
 *
 * @module
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

export const LOCK_FILE = 'run.lock';

export interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** What the platform says about when the process started; empty where it cannot be found out. */
  readonly started: string;
}

/** Another process is at work in the folder. */
export class LockFault extends Error {
  override readonly name = 'LockFault';
  readonly file: string;
  readonly owner: LockOwner | undefined;

  constructor(file: string, owner: LockOwner | undefined, message: string) {
    super(message);
    this.file = file;
    this.owner = owner;
  }
}

export interface Lock {
  readonly file: string;
  /** Gives the folder back; calling it again does nothing. */
  release(): void;
}

/** A lock file without content is its owner's first moment; after this many milliseconds it is a crash's remains. */
const GRACE = 5_000;

/**
 * Takes the lock of the folder `dir`, which must exist. Locks of processes of this machine that are gone are taken over.
 *
 * @throws LockFault when another process holds it: it runs, or its host is another one, where that cannot be known.
 */
export function acquireLock(dir: string): Lock {
  const file = path.join(dir, LOCK_FILE);
  const mine = JSON.stringify({
    host: os.hostname(),
    pid: process.pid,
    started: startOf(process.pid),
  } satisfies LockOwner);
  // Each round either ends or has moved one stale lock away; several processes may be doing so at once.
  for (let attempt = 0; attempt < 10; attempt++) {
    if (create(file, mine)) return { file, release: () => removeOwn(file, mine) };
    const found = read(file);
    if (found === undefined) continue;
    const owner = parse(found.text);
    if (!isStale(owner, found.age)) throw held(file, owner);
    moveAway(file, found.text);
  }
  throw held(file, undefined);
}

/** Whether a process is at work in the folder `dir`, as far as that can be known. */
export function isLocked(dir: string): boolean {
  const found = read(path.join(dir, LOCK_FILE));
  return found !== undefined && !isStale(parse(found.text), found.age);
}

function create(file: string, text: string): boolean {
  try {
    fs.writeFileSync(file, text, { flag: 'wx', flush: true });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function read(file: string): { text: string; age: number } | undefined {
  try {
    return { text: fs.readFileSync(file, 'utf8'), age: Date.now() - fs.statSync(file).mtimeMs };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parse(text: string): LockOwner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { host, pid, started } = value as Record<string, unknown>;
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof started !== 'string') return undefined;
    return { host, pid, started };
  } catch {
    return undefined;
  }
}

function isStale(owner: LockOwner | undefined, age: number): boolean {
  // The clock may have been set back since: a file of the far future is no first moment either.
  if (owner === undefined) return Math.abs(age) > GRACE;
  if (owner.host !== os.hostname()) return false;
  if (!isAlive(owner.pid)) return true;
  const started = startOf(owner.pid);
  return started !== '' && owner.started !== '' && started !== owner.started;
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return !isCode(error, 'ESRCH');
  }
}

/** Linux: field 22 of /proc/PID/stat, the start in clock ticks since boot. Elsewhere unknown. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may contain anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/**
 * Takes a stale lock out of the way. Renaming decides between two processes that found the same one; if another has
 * meanwhile put its own in place and that was caught instead, it is put back.
 */
function moveAway(file: string, stale: string): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    fs.renameSync(file, aside);
    if (fs.readFileSync(aside, 'utf8') !== stale) fs.linkSync(aside, file);
    fs.unlinkSync(aside);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

function removeOwn(file: string, mine: string): void {
  try {
    if (fs.readFileSync(file, 'utf8') === mine) fs.unlinkSync(file);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

function held(file: string, owner: LockOwner | undefined): LockFault {
  const who =
    owner === undefined
      ? 'another process, which has just started'
      : owner.host === os.hostname()
        ? `process ${owner.pid}`
        : `process ${owner.pid} on ${owner.host}`;
  const remedy =
    owner !== undefined && owner.host !== os.hostname()
      ? ` If that machine is no longer at work on it, delete ${file}.`
      : ' Wait for it, stop it, or write to another folder.';
  return new LockFault(file, owner, `the run's folder is in use by ${who}.${remedy}`);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
