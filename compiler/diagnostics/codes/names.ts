import { rows } from '../row.js';

/** 03zz: names, keys, and what they refer to. */
export const names = rows({
  MMD0301: {
    severity: 'error',
    title: 'Unknown name',
    message: 'nothing here is called `{name}`',
  },
  MMD0302: {
    severity: 'error',
    title: 'Unknown key',
    message: '{owner} has no setting `{name}`',
  },
  MMD0303: {
    severity: 'error',
    title: 'Unknown type',
    message: 'there is no type `{name}`',
  },
  MMD0304: {
    severity: 'error',
    title: 'Unknown modality',
    message: 'the model has no modality `{name}`',
  },
  MMD0305: {
    severity: 'error',
    title: 'Declared twice',
    message: '{kind} `{name}` is declared twice',
  },
  MMD0306: {
    severity: 'error',
    title: 'Setting given twice',
    message: '`{name}` is set twice',
  },
  MMD0307: {
    severity: 'error',
    title: 'Wrong kind of name',
    message: '`{name}` is {found}, and {expected} is needed here',
  },
  MMD0308: {
    severity: 'error',
    title: 'Name not visible here',
    message: '{kind} `{name}` cannot be used here: {reason}',
  },
  MMD0309: {
    severity: 'error',
    title: 'Used before its declaration',
    message: '`{name}` is used before it is declared',
  },
  MMD0310: {
    severity: 'error',
    title: 'Name reserved by the language',
    message: '`{name}` is part of the language and cannot be declared',
  },
  MMD0321: {
    severity: 'warning',
    title: 'Unused `let`',
    message: '`{name}` is never used',
  },
  MMD0322: {
    severity: 'warning',
    title: 'Unused import',
    message: 'the import `{name}` is never used',
  },
  MMD0323: {
    severity: 'warning',
    title: 'Unused parameter',
    message: 'the parameter `{name}` of `{network}` is never used',
  },
  MMD0324: {
    severity: 'warning',
    title: 'Name hides another',
    message: '`{name}` hides {other} of the same name',
  },
});
