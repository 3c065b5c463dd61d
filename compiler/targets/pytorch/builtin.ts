/**
 * The language's own functions in PyTorch, and the dimensions of what they give.
 *
 * @module
 */
import type { Expr, Range } from '../../../grammar/ast.js';
import { builtins } from '../../elaborate/builtins/index.js';
import type { UnitEmitter } from './emit.js';
import type { UnitStatics } from './unit-statics.js';
import { atom, binaryOut, callOut, member, textOf, type Out } from './out.js';
import { matchOperands, type Operand } from './operand.js';
import { pythonTuple } from './python.js';
import { argumentsOf, listCode, literal, operator, staticOf, type Code } from './statics.js';
import { Unsupported } from './unsupported.js';

const elementwise: Readonly<Record<string, string>> = {
  relu: 'functional.relu',
  silu: 'functional.silu',
  gelu: 'functional.gelu',
  tanh: 'torch.tanh',
  sigmoid: 'torch.sigmoid',
  exp: 'torch.exp',
  log: 'torch.log',
  sqrt: 'torch.sqrt',
  sin: 'torch.sin',
  cos: 'torch.cos',
  abs: 'torch.abs',
};

interface Args {
  readonly named: ReadonlyMap<string, Operand>;
  readonly rest: readonly Operand[];
}

function matched(name: string, operands: readonly Operand[]): Args {
  return matchOperands(builtins.get(name)?.params ?? [], operands);
}

/** Names of the functions that can be written. */
const writers: Readonly<Record<string, (e: UnitEmitter, range: Range, args: Args) => Out>> = {
  linear: (e, range, args) => layer(e, range, 'Linear', args, ['width'], ['bias']),
  conv: (e, range, args) => layer(e, range, 'Conv', args, ['width'], ['kernel', 'stride', 'bias']),
  group_norm: (e, range, args) => layer(e, range, 'GroupNorm', args, ['groups'], ['eps']),
  layer_norm(e, range, args) {
    const affine = args.named.get('affine');
    if (affine?.expr && e.code(affine.expr).evaluate(e.uses[0]) === false) {
      const eps = args.named.get('eps');
      const x = args.named.get('x')?.out() as Out;
      return callOut('layer_norm', x, ...(eps?.expr ? [e.staticOut(e.code(eps.expr))] : []));
    }
    return layer(e, range, 'LayerNorm', args, [], ['eps']);
  },
  param(e, range, args) {
    const shape = e.code(args.named.get('shape')?.expr as Expr);
    const init = initOf(e, args);
    const attribute = e.layer(range, () => ({
      callee: 'Param',
      args: [e.write(shape, 'init'), ...init],
    }));
    return callOut(attribute);
  },
  upsample: (e, _, args) => imageFunction(e, 'upsample', args),
  avg_pool: (e, _, args) => imageFunction(e, 'avg_pool', args),
  softmax: (_, __, args) => member(args.named.get('x')?.out() as Out, '.softmax(-1)'),
  stop_gradient: (_, __, args) => member(args.named.get('x')?.out() as Out, '.detach()'),
  concat(e, _, args) {
    const batched = e.same((use) => args.rest.map((x) => batchedOf(x, use)));
    const first = args.rest[batched.indexOf(true)];
    const parts = args.rest.map((x, i) => {
      if (batched[i] || !first) return textOf(x.out());
      return `${textOf(x.out())}.expand(${textOf(first.out())}.shape[0], ${new Array(rankOf(e, x)).fill('-1').join(', ')})`;
    });
    return callOut('torch.cat', atom(`[${parts.join(', ')}]`), atom('-1'));
  },
  split(e, _, args) {
    const n = e.code(args.named.get('n')?.expr as Expr);
    return member(args.named.get('x')?.out() as Out, `.chunk(${e.write(n)}, -1)`);
  },
  reshape(e, _, args) {
    const x = args.named.get('x') as Operand;
    const expr = args.named.get('shape')?.expr as Expr;
    const written = e.code(expr);
    const dims = argumentsOf(
      written,
      (name, place) => (e.mark(name, place), e.naming(name, place)),
      'forward',
    );
    // -1 stands for the batch; one in the spec is worked out.
    const values = e.same((use) => (batchedOf(x, use) ? shapeAfter(x, use, written.evaluate(use)) : null));
    const free = dims.includes('-1');
    const sizes = free && values ? values.map(String) : dims;
    return member(x.out(), `.reshape(${[...(values ? ['-1'] : []), ...sizes].join(', ')})`);
  },
  permute(e, _, args) {
    const x = args.named.get('x') as Operand;
    const order = e.same((use) =>
      staticOf(use.values.get(args.named.get('order')?.expr as Expr)),
    ) as number[];
    const all = isBatched(e, x) ? [0, ...order.map((axis) => axis + 1)] : order;
    return member(x.out(), `.permute(${all.join(', ')})`);
  },
  broadcast(e, _, args) {
    const x = args.named.get('x') as Operand;
    const code = e.code(args.named.get('shape')?.expr as Expr);
    const rank = e.same((use) => (code.evaluate(use) as readonly unknown[]).length);
    const dims = argumentsOf(code, (name, place) => (e.mark(name, place), e.naming(name, place)), 'forward');
    const missing = rank - rankOf(e, x);
    if (!isBatched(e, x)) return member(x.out(), `.expand(${dims.join(', ')})`);
    const aligned =
      missing > 0 ? member(x.out(), `[:, ${new Array(missing).fill('None').join(', ')}]`) : x.out();
    return member(aligned, `.expand(-1, ${dims.join(', ')})`);
  },
  mean: (e, _, args) => reduction(e, 'mean', args),
  sum: (e, _, args) => reduction(e, 'sum', args),
  matmul(e, _, args) {
    const [a, b] = [args.named.get('a') as Operand, args.named.get('b') as Operand];
    const attention = attentionOf(e, a, b, args);
    if (attention) return attention;
    const right = isTransposed(e, args) ? member(b.out(), '.transpose(-2, -1)') : b.out();
    return binaryOut('@', a.out(), right);
  },
  range(e, _, args) {
    const n = e.write(e.code(args.named.get('n')?.expr as Expr));
    const like = e.device();
    return callOut('torch.arange', atom(n), atom('dtype=torch.float32'), atom(`device=${like}`));
  },
  into(e, range, args) {
    const x = args.named.get('x') as Operand;
    const record = e.record(range);
    const total = record.value.kind === 'tensor' ? record.value.shape[record.value.shape.length - 1] : 0;
    const channels = e.uses[0].values.get(args.named.get('channels')?.expr as Expr);
    const [from, to] = channels?.kind === 'range' ? [channels.from ?? 0, channels.to ?? total] : [0, total];
    return callOut('into', x.out(), atom(String(from)), atom(String(to)), atom(String(total)));
  },
};

export function builtinCall(e: UnitEmitter, range: Range, name: string, operands: readonly Operand[]): Out {
  const args = matched(name, operands);
  const simple = elementwise[name];
  if (simple) return callOut(simple, args.named.get('x')?.out() as Out);
  const writer = Object.hasOwn(writers, name) ? writers[name] : undefined;
  if (!writer)
    throw new Unsupported(`the function \`${name}\``, e.uses[0].env.place(range), e.uses[0].env.frames);
  return writer(e, range, args);
}

/** A layer's attribute: channels come from its input. */
function layer(
  e: UnitEmitter,
  range: Range,
  callee: string,
  args: Args,
  positional: readonly string[],
  keywords: readonly string[],
): Out {
  const x = args.named.get('x') as Operand;
  // What the input needs comes first, also in `__init__`.
  const input = x.out();
  const channels = e.dim(x, -1);
  const given = positional.map((name) => e.code(args.named.get(name)?.expr as Expr));
  const named = keywords.flatMap((name) => {
    const expr = args.named.get(name)?.expr;
    return expr ? [{ name, code: e.code(expr) }] : [];
  });
  const attribute = e.layer(range, () => ({
    callee,
    args: [
      e.write(channels, 'init'),
      ...given.map((code) => e.write(code, 'init')),
      ...named.map(({ name, code }) => `${name}=${e.write(code, 'init')}`),
      ...initOf(e, args),
    ],
  }));
  return callOut(attribute, input);
}

function initOf(e: UnitEmitter, args: Args): string[] {
  const expr = args.named.get('init')?.expr;
  if (!expr) return [];
  if (expr.kind === 'Ref') return [`init=${expr.name.text.toUpperCase()}`];
  if (expr.kind !== 'Call') return [];
  return [`init=Init("${expr.callee.text}", ${e.write(e.code(expr.args[0].value), 'init')})`];
}

function imageFunction(e: UnitEmitter, name: string, args: Args): Out {
  const factor = args.named.get('factor')?.expr;
  return callOut(name, args.named.get('x')?.out() as Out, ...(factor ? [e.staticOut(e.code(factor))] : []));
}

function reduction(e: UnitEmitter, name: string, args: Args): Out {
  const x = args.named.get('x') as Operand;
  const expr = args.named.get('axes')?.expr;
  const rank = rankOf(e, x);
  const axes = expr
    ? (e.same((use) => staticOf(use.values.get(expr))) as number[]).map((a) => (a < 0 ? a + rank : a))
    : Array.from({ length: rank }, (_, i) => i);
  const shifted = axes.map((axis) => axis + (isBatched(e, x) ? 1 : 0)).sort((a, b) => a - b);
  if (shifted.length === 0) return x.out();
  return member(x.out(), `.${name}(${shifted.length === 1 ? shifted[0] : pythonTuple(shifted.map(String))})`);
}

const isTransposed = (e: UnitStatics, args: Args): boolean => {
  const expr = args.named.get('transpose')?.expr;
  return expr !== undefined && e.code(expr).evaluate(e.uses[0]) === true;
};

/** `matmul(q, k, transpose: true) |> softmax |> matmul(v)` as one fused call. */
function attentionOf(e: UnitEmitter, a: Operand, v: Operand, args: Args): Out | undefined {
  if (isTransposed(e, args) || a.expr?.kind !== 'Pipe') return undefined;
  const { stage, left } = a.expr;
  if (stage.kind !== 'Ref' || stage.name.text !== 'softmax' || e.record(stage.range).network)
    return undefined;
  const scores = scoresOf(e, left);
  if (!scores || !isTransposed(e, scores)) return undefined;
  const [q, k] = [scores.named.get('a') as Operand, scores.named.get('b') as Operand];
  if (![q, k, v].every((x) => isBatched(e, x)) || rankOf(e, v) < 3) return undefined;
  return callOut('functional.scaled_dot_product_attention', q.out(), k.out(), v.out(), atom('scale=1.0'));
}

function scoresOf(e: UnitEmitter, expr: Expr): Args | undefined {
  const call = expr.kind === 'Pipe' ? expr.stage : expr;
  if (call.kind !== 'Call' || call.callee.text !== 'matmul' || e.record(call.range).network) return undefined;
  const written = call.args.map((arg) => ({
    ...e.operand(arg.value),
    ...(arg.name ? { name: arg.name } : {}),
  }));
  return matched('matmul', expr.kind === 'Pipe' ? [e.operand(expr.left), ...written] : written);
}

function batchedOf(x: Operand, use: UnitEmitter['uses'][number]): boolean {
  const value = x.value(use);
  return value?.kind === 'tensor' && value.batched;
}

const isBatched = (e: UnitEmitter, x: Operand): boolean => e.same((use) => batchedOf(x, use));

function rankOf(e: UnitEmitter, x: Operand): number {
  return e.same((use) => {
    const value = x.value(use);
    return value?.kind === 'tensor' ? value.shape.length : 0;
  });
}

/** The dimensions after a reshape, where one of those written is -1; else an empty list. */
function shapeAfter(x: Operand, use: UnitEmitter['uses'][number], written: unknown): number[] {
  const dims = Array.isArray(written) ? (written as number[]) : [];
  if (!dims.includes(-1)) return [];
  const value = x.value(use);
  const total = value?.kind === 'tensor' ? value.shape.reduce((p, d) => p * d, 1) : 0;
  const known = dims.reduce((p, d) => (d === -1 ? p : p * d), 1);
  return dims.map((d) => (d === -1 ? total / known : d));
}

// ---- dimensions

/** Dimensions of a result as a list code; undefined where they cannot be told. */
export function builtinDims(e: UnitStatics, name: string, operands: readonly Operand[]): Code | undefined {
  const args = matched(name, operands);
  const x = args.named.get('x');
  const items = x?.dims()?.items;
  const expr = (key: string): Code | undefined => {
    const found = args.named.get(key)?.expr;
    return found && e.code(found);
  };
  const last = (code: Code | undefined): Code | undefined =>
    items && code && listCode([...items.slice(0, -1), { code, spread: false }]);
  const scaled = (op: string, factor: Code, channels?: Code): Code | undefined => {
    if (items?.length !== 3) return undefined;
    const side = (i: number) => ({ code: operator(op, items[i].code, factor), spread: false });
    return listCode([side(0), side(1), channels ? { code: channels, spread: false } : items[2]]);
  };
  switch (name) {
    case 'linear':
      return last(expr('width'));
    case 'conv': {
      const stride = expr('stride');
      return stride ? scaled('//', stride, expr('width')) : last(expr('width'));
    }
    case 'upsample':
      return scaled('*', expr('factor') ?? literal(2));
    case 'avg_pool':
      return scaled('//', expr('factor') ?? literal(2));
    case 'split': {
      const n = expr('n');
      return n && items && last(operator('//', items[items.length - 1].code, n));
    }
    case 'concat': {
      const all = args.rest.map((part) => part.dims()?.items);
      const [first] = all;
      if (!first || all.some((part) => !part || part[part.length - 1].spread)) return undefined;
      const total = all
        .map((part) => part?.[part.length - 1].code as Code)
        .reduce((a, b) => operator('+', a, b));
      return listCode([...first.slice(0, -1), { code: total, spread: false }]);
    }
    case 'reshape': {
      const shape = expr('shape');
      if (!shape?.items) return shape && listCode([{ code: shape, spread: true }]);
      return shape.items.some((item) => item.code.evaluate(e.uses[0]) === -1) ? undefined : shape;
    }
    case 'broadcast':
    case 'param': {
      const shape = expr('shape');
      return shape && !shape.items ? listCode([{ code: shape, spread: true }]) : shape;
    }
    case 'permute': {
      const order = staticOf(e.uses[0].values.get(args.named.get('order')?.expr as Expr)) as number[];
      return items && !items.some((i) => i.spread) ? listCode(order.map((axis) => items[axis])) : undefined;
    }
    case 'mean':
    case 'sum': {
      const found = args.named.get('axes')?.expr;
      if (!found) return listCode([]);
      const axes = staticOf(e.uses[0].values.get(found)) as number[];
      if (!items || items.some((i) => i.spread)) return undefined;
      return listCode(items.filter((_, i) => !axes.some((a) => (a < 0 ? a + items.length : a) === i)));
    }
    case 'range': {
      const n = expr('n');
      return n && listCode([{ code: n, spread: false }]);
    }
    case 'matmul': {
      const [a, b] = ['a', 'b'].map((key) => args.named.get(key)?.dims()?.items);
      if (!a || !b) return undefined;
      return listCode([...a.slice(0, -1), isTransposed(e, args) ? b[b.length - 2] : b[b.length - 1]]);
    }
    case 'into':
      return undefined;
    default:
      return items && listCode(items);
  }
}
