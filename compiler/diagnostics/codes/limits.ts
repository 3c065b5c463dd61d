import { rows } from '../row.js';

/** 08zz: bounds on size, depth and work. */
export const limits = rows({
  MMD0801: {
    severity: 'error',
    title: 'Networks nested too deeply',
    message: 'networks call each other more than {depth} deep: {chain}',
    help: 'a recursive network needs an `if` that ends it, such as `if len(widths) > 1 { ... } else { ... }`',
  },
  MMD0802: {
    severity: 'error',
    title: 'Model too large',
    message: 'the model grows past {limit} operations here',
    help: 'look for a recursion or `repeat` that multiplies its work, or make the model smaller',
  },
  MMD0803: {
    severity: 'error',
    title: 'Tensor too large',
    message: 'this shape has {elements} elements; at most {limit} are allowed',
  },
});
