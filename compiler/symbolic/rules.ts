/**
 * Shapes of what the functions of the language give, by name.
 *
 * @module
 */
import type { FunctionCall } from './functions.js';
import {
  any,
  int,
  isRest,
  showDim,
  showShape,
  showType,
  tensor,
  unknownTensor,
  type Dim,
  type Rest,
  type Shape,
  type Sym,
} from './values.js';

type Rule = (call: FunctionCall) => Sym;

export const rules: Readonly<Record<string, Rule | undefined>> = {
  linear,
  conv,
  group_norm: groupNorm,
  layer_norm: layerNorm,
  param: parameter,
  upsample,
  avg_pool: averagePool,
  concat,
  split,
  reshape,
  permute,
  broadcast,
  mean: reduce,
  sum: reduce,
  matmul,
  range: (call) => tensor([call.int('n')]),
  into: () => unknownTensor,
  len,
  shape: (call) => {
    const shape = call.shape('x');
    return { kind: 'list', ...(shape ? { items: shape.map((d) => (isRest(d) ? d : int(d))) } : {}) };
  },
  size: (call) => {
    const shape = call.shape('x');
    return shape ? int(call.dims.size(shape)) : integer(call);
  },
  product: (call) => {
    const value = call.value('list');
    if (value.kind !== 'list' || !value.items) return integer(call);
    return int(
      call.dims.size(
        value.items.map((item) =>
          isRest(item) ? item : item.kind === 'int' ? item.value : call.dims.unknown(),
        ),
      ),
    );
  },
  gcd,
  isqrt,
  log: (call) => (call.value('x').kind === 'tensor' ? call.value('x') : { kind: 'float' }),
};

/** An integer of which nothing is known. */
const integer = (call: FunctionCall): Sym => int(call.dims.variable(call.dims.unsigned()));

/** Everything but the last dimension; undefined where that is not known. */
function leading(shape: Shape | undefined): Shape | undefined {
  if (!shape || shape.length === 0 || isRest(shape[shape.length - 1])) return undefined;
  return shape.slice(0, -1);
}

const channels = (shape: Shape): Dim => shape[shape.length - 1] as Dim;

/** False, with a report, for what can only be a negative size. */
function positive(call: FunctionCall, name: string): boolean {
  const value = call.int(name);
  if (typeof value !== 'number' || value >= 1) return true;
  call.fail('MMD0412', name, { dimension: name, value });
  return false;
}

function linear(call: FunctionCall): Sym {
  if (!positive(call, 'width')) return any;
  const shape = call.shape('x');
  if (shape?.length === 0)
    return call.shapeError(
      'x',
      'at least one dimension',
      'a scalar (`reshape(x, [1])` makes a vector of it)',
    );
  const lead = leading(shape);
  return tensor(lead && [...lead, call.int('width')]);
}

/** Height, width and channels of an image; undefined after a report. */
function image(call: FunctionCall): readonly [Dim, Dim, Dim] | undefined {
  const shape = call.shape('x');
  const unknown = (): Dim => call.dims.unknown();
  if (!shape || shape.some(isRest)) {
    const last = shape?.at(-1);
    return [unknown(), unknown(), last !== undefined && !isRest(last) ? last : unknown()];
  }
  if (shape.length === 3) return shape as unknown as [Dim, Dim, Dim];
  call.shapeError('x', '`f32[H, W, C]`');
  return undefined;
}

/** The sides of an image divided by a stride or factor; undefined after a report. */
function divided(call: FunctionCall, sides: readonly Dim[], by: string): Dim[] | undefined {
  const divisor = call.int(by);
  const found = sides.map((side) => call.dims.divide(side, divisor));
  if (!found.includes(undefined)) return found as Dim[];
  const dividend = `the image ${showType(call.value('x'))}`;
  call.fail('MMD0407', by, { dividend, divisor: showDim(divisor) });
  return undefined;
}

function conv(call: FunctionCall): Sym {
  const sides = positive(call, 'width') ? image(call) : undefined;
  if (!sides) return any;
  const kernel = call.int('kernel');
  if (typeof kernel === 'number' && (kernel < 1 || kernel % 2 === 0 || kernel > 63)) {
    const expected = 'an odd number from 1 to 63';
    return call.fail('MMD0414', 'kernel', { what: 'the kernel of `conv`', expected, found: String(kernel) });
  }
  const small = divided(call, sides.slice(0, 2), 'stride');
  return small ? tensor([...small, call.int('width')]) : any;
}

function groupNorm(call: FunctionCall): Sym {
  const shape = call.shape('x');
  if (shape && !shape.some(isRest) && shape.length < 2)
    return call.shapeError('x', '`f32[...S, C]` with at least two dimensions');
  const groups = call.int('groups');
  if (leading(shape) && call.dims.divide(channels(shape as Shape), groups) === undefined) {
    return call.fail('MMD0407', 'groups', {
      dividend: `the channels of ${showType(call.value('x'))}`,
      divisor: showDim(groups),
    });
  }
  return tensor(shape);
}

function layerNorm(call: FunctionCall): Sym {
  const shape = call.shape('x');
  return shape?.length === 0 ? call.shapeError('x', 'at least one dimension', 'a scalar') : tensor(shape);
}

function parameter(call: FunctionCall): Sym {
  const shape = call.ints('shape');
  const wrong = shape?.find((d) => typeof d === 'number' && d < 1) as number | undefined;
  if (!shape || wrong === undefined) return listShape(call, 'shape');
  return call.fail('MMD0412', 'shape', { dimension: `[${shape.map(showDim).join(', ')}]`, value: wrong });
}

/** The shape that a list of integers says. */
function listShape(call: FunctionCall, name: string): Sym {
  const value = call.value(name);
  if (value.kind !== 'list' || !value.items) return unknownTensor;
  return tensor(
    value.items.map((item) => (isRest(item) ? item : item.kind === 'int' ? item.value : call.dims.unknown())),
  );
}

function upsample(call: FunctionCall): Sym {
  const sides = positive(call, 'factor') ? image(call) : undefined;
  if (!sides) return any;
  const factor = call.int('factor');
  const { dims } = call;
  return tensor([dims.multiply(sides[0], factor), dims.multiply(sides[1], factor), sides[2]]);
}

function averagePool(call: FunctionCall): Sym {
  const sides = positive(call, 'factor') ? image(call) : undefined;
  const small = sides && divided(call, sides.slice(0, 2), 'factor');
  return small ? tensor([...small, sides[2]]) : any;
}

function concat(call: FunctionCall): Sym {
  const { dims } = call;
  const shapes = call.variadic.map((t) => (t.kind === 'tensor' ? t.shape : undefined));
  const [first] = shapes;
  const lead = leading(first);
  let total: Dim | undefined = lead && channels(first as Shape);
  for (const shape of shapes.slice(1)) {
    const other = leading(shape);
    const wrong = shape?.length === 0 || (lead && other && dims.compareShapes(lead, other) === 'different');
    if (wrong) {
      const rest = lead ? showShape([...lead, 0]).replace(/0\]$/, '_]') : 'f32[...]';
      return call.fail('MMD0401', undefined, {
        what: 'every argument of `concat`',
        expected: `\`${rest}\` like the first`,
        found: showType(tensor(shape)),
      });
    }
    total = total !== undefined && other ? dims.add(total, channels(shape as Shape)) : undefined;
  }
  return tensor(lead && total !== undefined ? [...lead, total] : undefined);
}

function split(call: FunctionCall): Sym {
  const shape = call.shape('x');
  const n = call.int('n');
  const lead = leading(shape);
  if (shape?.length === 0 || (typeof n === 'number' && n < 1)) return remainder(call, n);
  if (typeof n !== 'number' || n > 1024) return any;
  const part = lead && call.dims.divide(channels(shape as Shape), n);
  if (lead && part === undefined) return remainder(call, n);
  const item = tensor(lead && part !== undefined ? [...lead, part] : undefined);
  return { kind: 'tuple', items: Array.from({ length: n }, () => item) };
}

function remainder(call: FunctionCall, n: Dim): Sym {
  return call.fail('MMD0407', 'n', {
    dividend: `the last dimension of ${showType(call.value('x'))}`,
    divisor: showDim(n),
  });
}

function reshape(call: FunctionCall): Sym {
  const { dims } = call;
  const shape = call.shape('x');
  const wanted = listShape(call, 'shape') as Extract<Sym, { kind: 'tensor' }>;
  if (!wanted.shape) return wanted;
  const free = wanted.shape.indexOf(-1);
  if (free >= 0) {
    const known = dims.size(wanted.shape.filter((_, i) => i !== free));
    const rest = shape && dims.divide(dims.size(shape), known);
    const filled = rest ?? dims.unknown();
    return tensor(wanted.shape.map((d, i) => (i === free ? filled : d)));
  }
  if (shape && dims.compare(dims.size(shape), dims.size(wanted.shape)) === 'different') {
    return call.shapeError(
      'x',
      `${showDim(dims.size(wanted.shape))} elements for \`${showShape(wanted.shape)}\``,
      `\`${showShape(shape)}\` with ${showDim(dims.size(shape))}`,
    );
  }
  return wanted;
}

function permute(call: FunctionCall): Sym {
  const shape = call.shape('x');
  const order = call.ints('order');
  if (!order || order.some((axis) => typeof axis !== 'number')) return unknownTensor;
  if (!shape || shape.some(isRest)) return unknownTensor;
  const sorted = ([...order] as number[]).sort((a, b) => a - b);
  if (order.length === shape.length && sorted.every((axis, i) => axis === i))
    return tensor((order as number[]).map((axis) => shape[axis]));
  return call.fail('MMD0414', 'order', {
    what: 'the order of `permute`',
    expected: `each axis from 0 to ${shape.length - 1} once, for \`${showShape(shape)}\``,
    found: `[${order.join(', ')}]`,
  });
}

function broadcast(call: FunctionCall): Sym {
  const shape = call.shape('x');
  const wanted = listShape(call, 'shape') as Extract<Sym, { kind: 'tensor' }>;
  if (!shape || !wanted.shape) return wanted;
  const longer = !shape.some(isRest) && !wanted.shape.some(isRest) && shape.length > wanted.shape.length;
  if (!longer && call.dims.broadcast(shape, wanted.shape) !== 'different') return wanted;
  return call.shapeError('x', `a shape that broadcasts to \`${showShape(wanted.shape)}\``);
}

function reduce(call: FunctionCall): Sym {
  if (!call.has('axes')) return tensor([]);
  const shape = call.shape('x');
  const axes = call.ints('axes');
  if (!shape || shape.some(isRest) || !axes || axes.some((a) => typeof a !== 'number')) return unknownTensor;
  const all = (axes as number[]).map((a) => (a < 0 ? a + shape.length : a));
  if (all.some((a) => a < 0 || a >= shape.length) || new Set(all).size !== all.length) {
    return call.fail('MMD0414', 'axes', {
      what: 'the axes',
      expected: `different axes of \`${showShape(shape)}\``,
      found: `[${all.join(', ')}]`,
    });
  }
  return tensor(shape.filter((_, i) => !all.includes(i)));
}

function matmul(call: FunctionCall): Sym {
  const { dims } = call;
  const [a, b] = [call.shape('a'), call.shape('b')];
  const flag = call.has('transpose') ? call.value('transpose') : undefined;
  const transpose = flag?.kind === 'bool' ? flag.value : flag ? undefined : false;
  const cut = (shape: Shape | undefined) => leading(leading(shape)) && (shape as Shape);
  const [x, y] = [cut(a), cut(b)];
  const fail = () =>
    call.fail('MMD0410', undefined, {
      operator: 'matmul',
      left: showType(call.value('a')),
      right: `${showType(call.value('b'))}${transpose ? ' transposed' : ''}`,
    });
  const flat = (shape: Shape | undefined) => shape && !shape.some(isRest) && shape.length < 2;
  if (flat(a) || flat(b)) return fail();
  if (!x || !y || transpose === undefined) return unknownTensor;
  const [rows, columns] = (transpose ? [y.at(-1), y.at(-2)] : [y.at(-2), y.at(-1)]) as [Dim, Dim];
  const apart =
    dims.compareShapes(x.slice(0, -2), y.slice(0, -2)) === 'different' ||
    dims.compare(channels(x), rows) === 'different';
  return apart ? fail() : tensor([...x.slice(0, -1), columns]);
}

function len(call: FunctionCall): Sym {
  const value = call.value('list');
  if (value.kind !== 'list' || !value.items) return integer(call);
  let total: Dim = 0;
  for (const item of value.items) {
    const rest: Rest | undefined = isRest(item) ? item : undefined;
    const length = rest ? call.dims.subtract(call.dims.variable(`len(${rest.rest})`), rest.from) : 1;
    total = call.dims.add(total, length);
  }
  return int(total);
}

function gcd(call: FunctionCall): Sym {
  const [a, b] = [call.int('a'), call.int('b')];
  if (typeof a !== 'number' || typeof b !== 'number')
    return int(a === b ? a : call.dims.variable(`gcd(${a}, ${b})`));
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return int(x);
}

function isqrt(call: FunctionCall): Sym {
  const n = call.int('n');
  if (typeof n !== 'number') return int(call.dims.variable(`isqrt(${n})`));
  const root = Math.round(Math.sqrt(n));
  if (root * root === n) return int(root);
  const what = 'the argument of `isqrt`';
  return call.fail('MMD0414', 'n', { what, expected: 'a square number', found: String(n) });
}
