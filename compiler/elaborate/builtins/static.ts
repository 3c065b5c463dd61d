/**
 * Functions of static values: numbers, lists, shapes.
 *
 * @module
 */
import { sizeOf } from '../../graph/ir.js';
import { float, int, list, nonlinearIn, type Value } from '../values.js';
import type { Builtin } from './builtin.js';

const integer = (name: string, about: string) => ({ name, type: 'int' as const, about });

export const staticBuiltins: readonly Builtin[] = [
  {
    name: 'len',
    params: [{ name: 'list', type: 'list', about: 'a list' }],
    result: 'int',
    about: 'Number of items of a list.',
    apply: (call) => int((call.value('list') as Extract<Value, { kind: 'list' }>).items.length),
  },
  {
    name: 'shape',
    params: [{ name: 'x', type: 'shaped', about: 'a tensor, or the space by its name' }],
    result: '[int]',
    about: 'Dimensions of a tensor or of the space, as a list.',
    apply(call) {
      const value = call.value('x');
      return list(value.kind === 'tensor' || value.kind === 'space' ? value.shape.map(int) : []);
    },
  },
  {
    name: 'size',
    params: [{ name: 'x', type: 'shaped', about: 'a tensor, or the space by its name' }],
    result: 'int',
    about: 'Number of elements of a tensor or of the space.',
    apply(call) {
      const value = call.value('x');
      return int(value.kind === 'tensor' || value.kind === 'space' ? sizeOf(value.shape) : 0);
    },
  },
  {
    name: 'product',
    params: [{ name: 'list', type: 'ints', about: 'integers' }],
    result: 'int',
    about: 'Product of a list of integers; 1 for the empty list.',
    apply(call) {
      const value = sizeOf(call.ints('list'));
      if (Number.isSafeInteger(value)) return int(value);
      return call.fail('MMD0414', 'list', {
        what: 'a product',
        expected: 'an integer below 2^53',
        found: String(value),
      });
    },
  },
  {
    name: 'gcd',
    params: [integer('a', 'a positive integer'), integer('b', 'a positive integer')],
    result: 'int',
    about: 'Greatest common divisor.',
    apply(call) {
      let [a, b] = [Math.abs(call.number('a')), Math.abs(call.number('b'))];
      while (b !== 0) [a, b] = [b, a % b];
      return int(a);
    },
  },
  {
    name: 'isqrt',
    params: [integer('n', 'a square number')],
    result: 'int',
    about: 'Square root of a square number; anything else is an error.',
    apply(call) {
      const n = call.number('n');
      const root = Math.round(Math.sqrt(n));
      if (root * root === n) return int(root);
      return call.fail('MMD0414', 'n', {
        what: 'the argument of `isqrt`',
        expected: 'a square number',
        found: String(n),
      });
    },
  },
  {
    name: 'log',
    params: [{ name: 'x', type: 'any', about: 'a positive number, or a tensor of them' }],
    result: 'float or f32[...S]',
    about: 'Natural logarithm.',
    apply(call) {
      const value = call.value('x');
      if (value.kind === 'tensor')
        return call.make(value, call.builder.log(value.node), value.shape, nonlinearIn(value.degree));
      if ((value.kind === 'int' || value.kind === 'float') && value.value > 0)
        return float(Math.log(value.value));
      return call.evaluator.expected(
        call.env,
        call.rangeOf('x'),
        'the argument of `log`',
        'a positive number or a tensor',
        value,
      );
    },
  },
];
