import { rows } from '../row.js';

/** 04zz: types, shapes, and the arguments of networks and primitives. */
export const types = rows({
  MMD0401: {
    severity: 'error',
    title: 'Shapes do not match',
    message: '{what} needs {expected}, and this is {found}',
  },
  MMD0402: {
    severity: 'error',
    title: 'Missing argument',
    message: '`{callee}` needs an argument for `{parameter}`',
  },
  MMD0403: {
    severity: 'error',
    title: 'Too many arguments',
    message: '`{callee}` takes {expected:argument}, and here are {found}',
  },
  MMD0404: {
    severity: 'error',
    title: 'Unknown argument',
    message: '`{callee}` has no parameter `{name}`',
  },
  MMD0405: {
    severity: 'error',
    title: 'Argument given twice',
    message: '`{callee}` is given `{name}` twice',
  },
  MMD0406: {
    severity: 'error',
    title: 'Wrong kind of value',
    message: '{what} must be {expected}, and this is {found}',
  },
  MMD0407: {
    severity: 'error',
    title: 'Division leaves a remainder',
    message: '{dividend} is not divisible by {divisor}',
  },
  MMD0408: {
    severity: 'error',
    title: 'Requirement not met',
    message: '{message}',
  },
  MMD0409: {
    severity: 'error',
    title: 'Wrong number of dimensions',
    message: '{what} needs {expected:dimension}, and this has {found}: {shape}',
  },
  MMD0410: {
    severity: 'error',
    title: 'Shapes cannot be combined',
    message: '`{operator}` cannot combine {left} and {right}',
  },
  MMD0411: {
    severity: 'error',
    title: 'Dimension cannot be inferred',
    message: 'nothing determines the dimension `{name}` of `{callee}`',
  },
  MMD0412: {
    severity: 'error',
    title: 'Dimension must be positive',
    message: 'a dimension must be a positive integer, and `{dimension}` is {value}',
  },
  MMD0413: {
    severity: 'error',
    title: 'Index out of range',
    message: 'index {index} is out of range: there are {length:item}',
  },
  MMD0414: {
    severity: 'error',
    title: 'Value out of range',
    message: '{what} must be {expected}, and this is {found}',
  },
  MMD0415: {
    severity: 'error',
    title: 'Not known when the spec is compiled',
    message: '{what} must be known when the spec is compiled, and this is a tensor',
  },
  MMD0416: {
    severity: 'error',
    title: 'Result differs from its declaration',
    message: '`{network}` is declared to return {expected}, and its body returns {found}',
  },
  MMD0418: {
    severity: 'error',
    title: 'Repetition changes the type',
    message: '`repeat` must preserve the type of its input, and this takes {left} to {right}',
    help: 'change the shape in a stage before `repeat`, which applies the same stages again and again',
  },
  MMD0419: {
    severity: 'error',
    title: 'Wrong number of names',
    message: '{names:name} for {values:value}',
  },
});
