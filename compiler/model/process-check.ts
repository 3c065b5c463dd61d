/**
 * Reports what the figures of a process warn of, with the change of the block that mends it where one does.
 *
 * @module
 */
import type { Entry, Range, Section } from '../../grammar/ast.js';
import type { Edit, Fix, Place } from '../diagnostics/diagnostic.js';
import { enumerate } from '../diagnostics/suggest.js';
import { diagnostic } from '../diagnostics/table.js';
import { fewSteps, processFindings, processLimits, processSummary, type Finding } from '../process/check.js';
import type { Schedule, Weights } from '../process/schedule.js';
import { processTables, type ProcessSpec } from '../process/tables.js';
import type { FieldReader } from './forms.js';
import type { ReadProcess } from './process.js';

const cosine: Schedule = { form: 'cosine', offset: 0.008, max: 0.999 };
const nested: Weights = { form: 'nested', scale: 1 };

/** A change of the block: what the process would be, and how to write it. */
interface Change {
  /** `retention: cosine`, as it is called in a fix. */
  readonly name: string;
  readonly spec: ProcessSpec;
  readonly edits: readonly Edit[];
}

/**
 * Warns about the process of one model.
 * @param section its `process` block, if it has one
 * @param place where to report what no entry says
 * @param dimensions elements of the space, for L0
 */
export function reportProcess(
  fields: FieldReader,
  section: Section | undefined,
  place: Range,
  process: ReadProcess,
  dimensions: number,
): void {
  const findings = processFindings(processSummary(process.tables));
  if (findings.length === 0) return;
  const block = new BlockEdits(fields, section);
  for (const finding of findings) {
    const change = mending(finding, findings, process.spec, block);
    const at = block.place(finding, change) ?? fields.env.place(place);
    const fixes: Fix[] = change ? [{ title: `use ${change.name}`, safe: false, edits: change.edits }] : [];
    report(fields, finding, process.spec.steps, dimensions, at, fixes);
  }
}

/** The change that ends a finding, brings no other and leaves the fewest. */
function mending(
  finding: Finding,
  all: readonly Finding[],
  spec: ProcessSpec,
  block: BlockEdits,
): Change | undefined {
  const weights = block.nestedWeights(spec, finding);
  const schedule = block.cosineSchedule(spec);
  const both = weights && block.cosineSchedule(weights.spec);
  const combined = both && {
    name: `${both.name} and ${weights.name}`,
    spec: both.spec,
    edits: [...both.edits, ...weights.edits],
  };
  const order =
    finding.kind === 'first' || finding.kind === 'brief' ? [schedule, weights] : [weights, schedule];
  const before = new Set(all.flatMap(keys));
  let best: { change: Change; left: number } | undefined;
  for (const change of [...order, combined]) {
    if (!change) continue;
    const after = processFindings(processSummary(processTables(change.spec))).flatMap(keys);
    const mends = after.every((key) => before.has(key)) && !keys(finding).some((key) => after.includes(key));
    if (mends && (!best || after.length < best.left)) best = { change, left: after.length };
  }
  return best?.change;
}

const keys = ({ kind, components }: Finding): string[] =>
  components.length === 0 ? [kind] : components.map((name) => `${kind} ${name}`);

/** The entries of a `process` block that set its schedule and weights. */
class BlockEdits {
  constructor(
    private readonly fields: FieldReader,
    private readonly section: Section | undefined,
  ) {}

  private entry(key: string, entries = this.section?.block.entries ?? []): Entry | undefined {
    return entries.find((entry) => entry.key.text === key);
  }

  private at(entry: Entry): Place {
    return this.fields.forEntry(entry).env.place(entry.value?.range ?? entry.range);
  }

  /** An edit, unless the entry was put in by `--set`: a command line cannot be edited. */
  private edit(entry: Entry, range: Range, text: string): Edit[] | undefined {
    const { file } = this.fields.forEntry(entry).env.module;
    return file === this.fields.env.module.file ? [{ file, range, text }] : undefined;
  }

  /** The entry that a finding is about: what mends a lack of signal, else what causes the kind of problem. */
  place(finding: Finding, change: Change | undefined): Place | undefined {
    const schedule = this.entry('alpha') ?? this.entry('retention') ?? this.entry('steps');
    const early = finding.kind === 'first' || finding.kind === 'brief';
    if (early && change) return { file: change.edits[0].file, range: change.edits[0].range };
    const weights = finding.components.length > 0 ? this.entry('weights') : undefined;
    const own = weights?.block?.entries.find((entry) => finding.components.includes(entry.key.text));
    const found = early ? schedule : (own ?? weights ?? schedule);
    return found && this.at(found);
  }

  cosineSchedule(spec: ProcessSpec): Change | undefined {
    const alpha = this.entry('alpha');
    const retention = this.entry('retention');
    const normaliser = this.entry('normaliser');
    const edits = [
      alpha && this.edit(alpha, alpha.range, 'retention: cosine'),
      !alpha && retention?.value && this.edit(retention, retention.value.range, 'cosine'),
      normaliser?.value && this.edit(normaliser, normaliser.value.range, '1'),
    ];
    const made = edits.flatMap((edit) => edit || []);
    if (made.length === 0) return undefined;
    return {
      name: '`retention: cosine`',
      spec: { ...spec, schedule: cosine, normaliser: 1 },
      edits: made,
    };
  }

  /** Nested weights for the components of a finding, or for all that the same entry is about. */
  nestedWeights(spec: ProcessSpec, finding: Finding): Change | undefined {
    const weights = this.entry('weights');
    if (!weights) return undefined;
    const entries = weights.block
      ? finding.components.flatMap((name) => this.entry(name, weights.block?.entries) ?? [])
      : [weights];
    const edits = entries.flatMap(
      (entry) => (entry.value && this.edit(entry, entry.value.range, 'nested')) ?? [],
    );
    if (edits.length === 0 || edits.length < entries.length) return undefined;
    const changed = (name: string) => !weights.block || finding.components.includes(name);
    const components = spec.components.map((c) =>
      c.weights && changed(c.name) ? { ...c, weights: nested } : c,
    );
    return { name: '`nested` weights', spec: { ...spec, components }, edits };
  }
}

function report(
  fields: FieldReader,
  finding: Finding,
  steps: number,
  dimensions: number,
  place: Place,
  fixes: readonly Fix[],
): void {
  const { diagnostics } = fields.evaluator;
  const names = enumerate(finding.components.map((name) => `\`${name}\``));
  switch (finding.kind) {
    case 'first':
      diagnostics.add(
        diagnostic(
          'MMD0604',
          place,
          {
            components: names,
            snr: finding.snr,
            limit: processLimits.first,
            kept: percent(finding.snr / (1 + finding.snr)),
          },
          { fixes },
        ),
      );
      return;
    case 'last': {
      const means = finding.components.map((name, i) => `${figure(finding.means[i])} of \`${name}\``);
      const variance = `its variance is ${figure(finding.variance)}`;
      const what = [
        ...(means.length > 0 ? [`its mean holds ${enumerate(means)}`] : []),
        ...(means.length === 0 || Math.abs(finding.variance - 1) > processLimits.terminal ? [variance] : []),
      ];
      diagnostics.add(
        diagnostic(
          'MMD0605',
          place,
          {
            what: what.join(', '),
            bound: figure(finding.bound * dimensions),
            each: figure(finding.bound),
          },
          { fixes },
        ),
      );
      return;
    }
    case 'brief':
      diagnostics.add(
        diagnostic(
          'MMD0606',
          place,
          { components: names, alive: finding.alive, steps, few: Math.ceil(fewSteps(steps)) },
          { fixes },
        ),
      );
      return;
    case 'again':
      diagnostics.add(
        diagnostic(
          'MMD0607',
          place,
          {
            components: names,
            steps: finding.steps,
            weight: finding.weight,
            growth: finding.growth > 1e4 ? 'more than 10000-fold' : `${figure(finding.growth)}-fold`,
          },
          { fixes },
        ),
      );
      return;
    case 'late':
      diagnostics.add(
        diagnostic(
          'MMD0608',
          place,
          { components: names, t: finding.t, share: percent(finding.share), weight: finding.weight },
          { fixes },
        ),
      );
  }
}

const figure = (value: number): string => String(Number(value.toPrecision(3)));

const percent = (share: number): string => figure(100 * share);
