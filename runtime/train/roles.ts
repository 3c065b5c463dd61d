/**
 * Which modalities are given, produced and absent in a row of a batch, and at which time step it is looked at.
 *
 * @module
 */
import { canProduce } from '../../compiler/model/check.js';
import { isCompact } from '../../compiler/model/modalities.js';
import type { ModelInfo } from '../../compiler/model/info.js';
import type { Stream } from '../random/stream.js';

export type Role = 'given' | 'produced' | 'absent';

/** Roles by modality, in the order of the model. */
export type Roles = readonly Role[];

/** Roles of a task, or of any choice of given and produced modalities. */
export function rolesOf(info: ModelInfo, given: readonly string[], produced: readonly string[]): Roles {
  return info.modalities.map(({ name }): Role => {
    if (given.includes(name)) return 'given';
    return produced.includes(name) ? 'produced' : 'absent';
  });
}

/** Every role vector with something produced that the model can express: at most 3^N - 2^N. */
export function allRoles(info: ModelInfo): Roles[] {
  let vectors: Role[][] = [[]];
  for (const modality of info.modalities) {
    const choices: Role[] = ['absent'];
    if (info.encoders.has(modality.name)) choices.push('given');
    if (canProduce(info, modality.name)) choices.push('produced');
    vectors = vectors.flatMap((v) => choices.map((role) => [...v, role]));
  }
  return vectors.filter((v) => v.includes('produced'));
}

/** Whether training ever draws these roles. */
export function isTrained(info: ModelInfo, roles: Roles): boolean {
  const { all, any, absent } = info.train.roles;
  if (any > 0) return true;
  const sources = [
    ...(all > 0 ? [jointRoles(info)] : []),
    ...info.tasks.map((task) => rolesOf(info, task.given, task.produced)),
  ];
  // A given modality may also have been hidden.
  return sources.some((source) =>
    source.every((role, i) => roles[i] === role || (absent > 0 && role === 'given' && roles[i] === 'absent')),
  );
}

/** Everything produced that can be; what can only be given is given. */
export function jointRoles(info: ModelInfo): Roles {
  return info.modalities.map(({ name }) =>
    canProduce(info, name) ? 'produced' : info.encoders.has(name) ? 'given' : 'absent',
  );
}

export class RoleSampler {
  private readonly joint: Roles;
  private readonly tasks: readonly Roles[];
  private readonly every: readonly Roles[];

  constructor(private readonly info: ModelInfo) {
    this.joint = jointRoles(info);
    this.tasks = info.tasks.map((task) => rolesOf(info, task.given, task.produced));
    this.every = allRoles(info);
  }

  /**
   * @param missing modalities that the row has no value for: they are absent, and where nothing else would be produced,
   *   everything that can be is
   */
  draw(random: Stream, missing?: readonly boolean[]): Roles {
    const { all, tasks, absent } = this.info.train.roles;
    const u = random.next();
    const pick = (list: readonly Roles[]): Roles => list[random.below(list.length)];
    const roles =
      u < all
        ? this.joint
        : u < all + tasks
          ? this.tasks.length > 0
            ? pick(this.tasks)
            : this.joint
          : pick(this.every);
    const drawn = roles.map((role) => (role === 'given' && random.next() < absent ? 'absent' : role));
    if (!missing?.includes(true)) return drawn;
    const without = (all: Roles): Roles => all.map((role, m) => (missing[m] ? 'absent' : role));
    const left = without(drawn);
    return left.includes('produced') ? left : without(this.joint);
  }
}

/**
 * Whether what these roles produce is low-dimensional and conditioned: then z_t alone would reveal it in training, and
 * half of such rows are drawn at t = T, where it is read out (see `readout: terminal`).
 */
export function isTerminal(info: ModelInfo, roles: Roles): boolean {
  const compact = info.modalities.every(
    (m, i) => roles[i] !== 'produced' || isCompact(m) || readTerminally(info, roles),
  );
  return compact && roles.includes('given');
}

/** Whether a declared task with these roles is read out at t = T. */
function readTerminally(info: ModelInfo, roles: Roles): boolean {
  return info.tasks.some(
    (task) =>
      task.readout.form === 'terminal' && rolesOf(info, task.given, task.produced).join() === roles.join(),
  );
}

export interface Timestep {
  readonly t: number;
  /** 1 / P(t). */
  readonly inverseProbability: number;
}

/**
 * Time steps of a batch. Uniform on 1..T, or stratified (row i in its own B-th of the range, in random order); rows
 * whose roles are terminal move to T with probability one half.
 */
export function drawTimesteps(info: ModelInfo, rows: readonly Roles[], random: Stream): Timestep[] {
  const T = info.tables.steps;
  const n = rows.length;
  const order = info.train.timesteps === 'stratified' ? random.permutation(n) : undefined;
  return rows.map((roles, i) => {
    const u = order ? (order[i] + random.next()) / n : random.next();
    const t = 1 + Math.min(Math.floor(u * T), T - 1);
    if (!isTerminal(info, roles)) return { t, inverseProbability: T };
    if (random.next() < 0.5 || t === T) return { t: T, inverseProbability: 1 / (0.5 + 0.5 / T) };
    return { t, inverseProbability: 2 * T };
  });
}
