/**
 * Reads the blocks of a model: known keys with their types and defaults; anything else is an error with a "did you
 * mean". What was filled in is listed with its reason.
 *
 * @module
 */
import type { Block, Entry, Range } from '../../grammar/ast.js';
import { didYouMean } from '../diagnostics/suggest.js';
import {
  showField,
  type FieldReader,
  type FieldType,
  type FieldValue,
  type FormValue,
  type NumberType,
  type RangeValue,
} from './forms.js';

/** A value that the spec did not give. */
export interface FilledDefault {
  /** `process.steps` */
  readonly path: string;
  readonly value: string;
  readonly reason: string;
}

export class SettingsReader {
  private readonly entries = new Map<string, Entry>();
  private readonly known: string[] = [];

  constructor(
    readonly fields: FieldReader,
    /** `process`, `task.draw`: the path of the block, for messages and the list of defaults. */
    readonly path: string,
    readonly block: Block | undefined,
    /** Where to report what is missing from a block that is not there. */
    readonly place: Range,
    private readonly defaults: FilledDefault[],
  ) {
    for (const entry of block?.entries ?? []) {
      const earlier = this.entries.get(entry.key.text);
      if (earlier) {
        fields.evaluator.report(
          'MMD0306',
          fields.env,
          entry.key.range,
          { name: entry.key.text },
          { labels: [{ ...fields.env.place(earlier.key.range), message: 'first set here' }] },
        );
      } else if (entry.key.text !== '') this.entries.set(entry.key.text, entry);
    }
  }

  private observe(key: string, field: FieldType | 'block'): void {
    this.fields.evaluator.observer?.setting(this.path, key, field, this.block, this.entries.get(key));
  }

  /** Whether the spec itself says something for `key`. */
  has(key: string): boolean {
    this.expect(key);
    return this.entries.has(key);
  }

  /** The entry of `key`, taken as known. */
  entry(key: string): Entry | undefined {
    this.expect(key);
    return this.entries.get(key);
  }

  /** Place of a key, or of the block where it is not set. */
  rangeOf(key: string): Range {
    const entry = this.entries.get(key);
    if (!entry || this.fieldsOf(entry) !== this.fields) return this.place;
    return entry.value?.range ?? entry.range;
  }

  /** Entries that no reader asked for: keys that are names of modalities, say. The caller answers for them. */
  others(): Entry[] {
    return [...this.entries.values()].filter((entry) => !this.known.includes(entry.key.text));
  }

  int(key: string, fallback: number, reason: string, bounds: Omit<NumberType, 'type'> = {}): number {
    return this.read(key, { type: 'int', ...bounds }, fallback, reason) as number;
  }

  float(key: string, fallback: number, reason: string, bounds: Omit<NumberType, 'type'> = {}): number {
    return this.read(key, { type: 'float', ...bounds }, fallback, reason) as number;
  }

  /** How an entry is read and reported: one from outside the spec has a file of its own. */
  private fieldsOf(entry: Entry): FieldReader {
    return this.fields.forEntry(entry);
  }

  string<T extends string | null>(key: string, fallback: T, reason: string): string | T {
    return this.read(key, { type: 'string' }, fallback, reason) as string | T;
  }

  bool(key: string, fallback: boolean, reason: string): boolean {
    return this.read(key, { type: 'bool' }, fallback, reason) as boolean;
  }

  range(key: string, reason: string): RangeValue | null {
    return this.read(key, { type: 'range' }, null, reason) as RangeValue | null;
  }

  form(
    key: string,
    forms: Extract<FieldType, { type: 'form' }>['forms'],
    fallback: FormValue,
    reason: string,
  ): FormValue {
    return this.read(key, { type: 'form', forms }, fallback, reason) as FormValue;
  }

  /** A nested block `key { ... }`; undefined when it is absent or not a block. */
  nested(key: string): SettingsReader | undefined {
    const entry = this.entry(key);
    this.observe(key, 'block');
    if (!entry) return undefined;
    if (!entry.block) {
      this.fields.evaluator.report(
        'MMD0701',
        this.fields.env,
        entry.range,
        { key, expected: 'a block in braces' },
        { help: `write \`${key} { ... }\`` },
      );
      return undefined;
    }
    return new SettingsReader(this.fields, `${this.path}.${key}`, entry.block, entry.range, this.defaults);
  }

  /** Lists a value that was filled in elsewhere. */
  filled(key: string, value: FieldValue, reason: string): void {
    this.defaults.push({ path: `${this.path}.${key}`, value: showField(value), reason });
  }

  private read(key: string, field: FieldType, fallback: FieldValue, reason: string): FieldValue {
    this.expect(key);
    this.observe(key, field);
    const entry = this.entries.get(key);
    if (!entry) {
      if (reason !== '')
        this.defaults.push({ path: `${this.path}.${key}`, value: showField(fallback), reason });
      return fallback;
    }
    if (!entry.value) {
      this.fields.evaluator.report('MMD0701', this.fieldsOf(entry).env, entry.range, {
        key,
        expected: 'a value',
      });
      return fallback;
    }
    return this.fieldsOf(entry).read(entry.value, field, `\`${key}\``) ?? fallback;
  }

  private expect(key: string): void {
    if (!this.known.includes(key)) this.known.push(key);
  }

  /** Reports every key that nothing asked for; `extra` are further names that would have been accepted. */
  finish(extra: readonly string[] = []): void {
    const candidates = [...this.known, ...extra];
    for (const entry of this.others()) {
      if (extra.includes(entry.key.text)) continue;
      const near = didYouMean(entry.key.text, candidates);
      const { env } = this.fieldsOf(entry);
      const file = env.module.file;
      this.fields.evaluator.report(
        'MMD0302',
        env,
        entry.key.range,
        { owner: `\`${this.path}\``, name: entry.key.text },
        near === undefined
          ? {
              help:
                candidates.length > 0
                  ? `its settings are ${candidates.map((k) => `\`${k}\``).join(', ')}`
                  : 'it has no settings',
            }
          : {
              help: `did you mean \`${near}\`?`,
              fixes: [
                {
                  title: `rename to \`${near}\``,
                  safe: false,
                  edits: [{ file, range: entry.key.range, text: near }],
                },
              ],
            },
      );
    }
  }
}
