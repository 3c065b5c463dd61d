/**
 * Derived modalities: `modality masked: image[28, 28, 1] = image |> cutout(count: 4, size: 8)`. The expression is a chain
 * of transforms on the data of modalities declared above, evaluated row by row where data are read.
 *
 * @module
 */
import type { Arg, Expr, Modality, Name, Range } from '../../grammar/ast.js';
import { didYouMean } from '../diagnostics/suggest.js';
import type { FieldReader, FieldValue } from './forms.js';
import type { DerivedInfo, ModalityInfo } from './info.js';
import { transforms, type DerivedType, type Transform } from './transforms.js';

interface Read {
  readonly derived: DerivedInfo;
  readonly type: DerivedType;
}

/**
 * Reads what a modality is derived from; undefined after a report.
 * @param declared its own type
 * @param before modalities declared above it
 */
export function readDerived(
  fields: FieldReader,
  declaration: Modality,
  declared: DerivedType,
  before: readonly ModalityInfo[],
): DerivedInfo | undefined {
  const expr = declaration.derived as Expr;
  const read = new DerivedReader(fields, declaration, declared, before).read(expr);
  if (!read) return undefined;
  if (read.type.type === declared.type && read.type.shape.join() === declared.shape.join())
    return read.derived;
  const { evaluator, env } = fields;
  evaluator.report(
    'MMD0514',
    env,
    expr.range,
    { name: declaration.name.text, declared: show(declared), found: show(read.type) },
    { labels: [{ ...env.place(declaration.type.range), message: 'declared here' }] },
  );
  return undefined;
}

const show = ({ type, shape }: DerivedType): string => `\`${type}[${shape.join(', ')}]\``;

class DerivedReader {
  private draws = 0;

  constructor(
    private readonly fields: FieldReader,
    private readonly declaration: Modality,
    private readonly declared: DerivedType,
    private readonly before: readonly ModalityInfo[],
  ) {}

  read(expr: Expr): Read | undefined {
    switch (expr.kind) {
      case 'Paren':
        return this.read(expr.inner);
      case 'Ref':
        return transforms.get(expr.name.text)?.input.length === 0
          ? this.transform(expr.name, [], expr.range, undefined)
          : this.source(expr.name);
      case 'Call':
        return this.transform(expr.callee, expr.args, expr.range, undefined);
      case 'Pipe': {
        const input = this.read(expr.left);
        const { stage } = expr;
        if (!input || stage.kind === 'Error') return undefined;
        if (stage.kind === 'Ref') return this.transform(stage.name, [], stage.range, input);
        if (stage.kind === 'Call') return this.transform(stage.callee, stage.args, stage.range, input);
        break;
      }
      case 'Error':
        return undefined;
      default:
        break;
    }
    this.fields.evaluator.report('MMD0515', this.fields.env, expr.range, {
      name: this.declaration.name.text,
    });
    return undefined;
  }

  private source(name: Name): Read | undefined {
    const found = this.modality(name);
    return found && { derived: { op: 'modality', name: name.text }, type: found };
  }

  /** A modality declared above; undefined after a report. */
  private modality(name: Name): DerivedType | undefined {
    const { evaluator, env, unread, later } = this.fields;
    if (name.text === '') return undefined;
    const found = this.before.find((m) => m.name === name.text);
    if (found) return { type: found.type, shape: found.shape };
    if (unread.has(name.text)) return undefined;
    const own = this.declaration.name;
    const after = name.text === own.text ? own : later.get(name.text);
    if (after) {
      const labels = [{ ...env.place(after.range), message: 'declared here' }];
      evaluator.report('MMD0309', env, name.range, { name: name.text }, { labels });
      return undefined;
    }
    const near = didYouMean(
      name.text,
      this.before.map((m) => m.name),
    );
    const help = near === undefined ? {} : { help: `did you mean \`${near}\`?` };
    evaluator.report('MMD0304', env, name.range, { name: name.text }, help);
    return undefined;
  }

  private transform(
    name: Name,
    args: readonly Arg[],
    range: Range,
    input: Read | undefined,
  ): Read | undefined {
    const { evaluator, env } = this.fields;
    if (name.text === '') return undefined;
    const transform = transforms.get(name.text);
    if (!transform) {
      const names = [...transforms.keys()];
      const near = didYouMean(name.text, names);
      evaluator.report(
        'MMD0307',
        env,
        name.range,
        { name: name.text, found: 'not known here', expected: 'a transform of data' },
        { help: near ? `did you mean \`${near}\`?` : `there are ${names.map((n) => `\`${n}\``).join(', ')}` },
      );
      return undefined;
    }
    // Written as a call, the input is the first argument: `cutout(image, size: 8)`.
    let rest = args;
    let from = input;
    if (!from && transform.input.length > 0 && args.length > 0 && !args[0].name) {
      from = this.read(args[0].value);
      if (!from) return undefined;
      rest = args.slice(1);
    }
    return this.apply(transform, rest, range, from);
  }

  private apply(
    transform: Transform,
    args: readonly Arg[],
    range: Range,
    input: Read | undefined,
  ): Read | undefined {
    const { evaluator, env } = this.fields;
    const kinds = transform.input.map((kind) => `\`${kind}\``).join(' or ');
    if (input ? !transform.input.includes(input.type.type) : transform.input.length > 0) {
      evaluator.report('MMD0406', env, range, {
        what: `the input of \`${transform.name}\``,
        expected: kinds === '' ? 'absent, as it begins a chain' : kinds,
        found: input ? show(input.type) : 'nothing',
      });
      return undefined;
    }
    const read = this.arguments(transform, args, range);
    if (!read) return undefined;
    const type = transform.result(input?.type ?? this.declared, read, this.declared);
    if ('expected' in type) {
      const at = type.at === undefined ? undefined : args.find((a) => a.name?.text === type.at)?.value.range;
      evaluator.report('MMD0406', env, at ?? range, {
        what: type.at === undefined ? `\`${transform.name}\`` : `\`${type.at}\` of \`${transform.name}\``,
        expected: type.expected,
        found: type.found,
      });
      return undefined;
    }
    if (transform.once && input) {
      const name = drawnIn(input.derived, this.before);
      if (name !== undefined) {
        const own = this.declaration.name.text;
        evaluator.report('MMD0971', env, range, { name: own, transform: transform.name, random: name });
        return undefined;
      }
    }
    const derived: DerivedInfo = {
      op: 'transform',
      name: transform.name,
      ...(input ? { input: input.derived } : {}),
      shape: input?.type.shape ?? this.declared.shape,
      type: input?.type.type ?? this.declared.type,
      values: read.values,
      modalities: read.modalities,
      place: range,
      stream: transform.random ? `${this.declaration.name.text}.${transform.name}_${++this.draws}` : null,
    };
    return { derived, type };
  }

  private arguments(transform: Transform, args: readonly Arg[], range: Range) {
    const { evaluator, env } = this.fields;
    const values: Record<string, FieldValue> = {};
    const types: Record<string, DerivedType> = {};
    const modalities: Record<string, string> = {};
    const callee = transform.name;
    let position = 0;
    let failed = false;
    for (const arg of args) {
      const { name } = arg;
      const param = name ? transform.params.find((p) => p.name === name.text) : transform.params[position++];
      if (!param) {
        failed = true;
        if (!name) {
          const [expected, found] = [transform.params.length, args.length];
          evaluator.report('MMD0403', env, arg.range, { callee, expected, found });
          break;
        }
        const names = transform.params.map((p) => p.name);
        const near = didYouMean(name.text, names);
        const all =
          names.length === 0
            ? 'it has no parameters'
            : `its parameters are ${names.map((n) => `\`${n}\``).join(', ')}`;
        const help = near === undefined ? all : `did you mean \`${near}\`?`;
        evaluator.report('MMD0404', env, name.range, { callee, name: name.text }, { help });
      } else if (param.name in values || param.name in types) {
        failed = true;
        evaluator.report('MMD0405', env, arg.range, { callee, name: param.name });
      } else if (param.field.type === 'modality') {
        const type = arg.value.kind === 'Ref' ? this.modality(arg.value.name) : undefined;
        if (arg.value.kind === 'Ref' && type) {
          types[param.name] = type;
          modalities[param.name] = arg.value.name.text;
        } else failed = true;
        if (arg.value.kind !== 'Ref' && arg.value.kind !== 'Error')
          evaluator.report('MMD0515', env, arg.value.range, { name: this.declaration.name.text });
      } else {
        const value = this.fields.read(arg.value, param.field, `\`${param.name}\` of \`${callee}\``);
        if (value === undefined) failed = true;
        else values[param.name] = value;
      }
    }
    if (failed) return undefined;
    for (const param of transform.params) {
      if (param.name in values || param.name in types) continue;
      if (param.default === undefined) {
        evaluator.report('MMD0402', env, range, { callee, parameter: param.name });
        return undefined;
      }
      values[param.name] = param.default;
    }
    return { values, types, modalities };
  }
}

/** A transform by which rows differ by chance, or undefined where they are always the same. */
function drawnIn(derived: DerivedInfo, modalities: readonly ModalityInfo[]): string | undefined {
  if (derived.op === 'modality') {
    const own = modalities.find((m) => m.name === derived.name)?.derived;
    return own && drawnIn(own, modalities);
  }
  if (derived.stream !== null) return derived.name;
  const parts: DerivedInfo[] = Object.values(derived.modalities).map((name) => ({ op: 'modality', name }));
  for (const part of derived.input ? [derived.input, ...parts] : parts) {
    const found = drawnIn(part, modalities);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The networks that a modality's rows go through, innermost first. */
export function networksOf(derived: DerivedInfo): Extract<DerivedInfo, { op: 'transform' }>[] {
  if (derived.op === 'modality') return [];
  return [...(derived.input ? networksOf(derived.input) : []), ...(derived.name === 'onnx' ? [derived] : [])];
}

/** Modalities whose data have to be there for one to be derived. */
export function sourcesOf(derived: DerivedInfo): string[] {
  if (derived.op === 'modality') return [derived.name];
  return [...(derived.input ? sourcesOf(derived.input) : []), ...Object.values(derived.modalities)];
}
