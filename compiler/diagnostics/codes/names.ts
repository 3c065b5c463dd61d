import { rows } from '../row.js';

/** 03zz: names, keys, and what they refer to; comments that silence a warning. */
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
    message: '`{name}` is {what} of the language, and {kind} cannot take its name',
    help: 'choose another name',
  },
  MMD0321: {
    severity: 'warning',
    title: 'Unused `let`',
    message: '`{name}` is never used',
    help: 'use it or remove it; a name that starts with `_` may stay unused',
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
    help: 'use it or remove it; a name that starts with `_` may stay unused',
  },
  MMD0324: {
    severity: 'warning',
    title: 'Name hides another',
    message: '`{name}` hides {other} of the same name',
  },
  MMD0325: {
    severity: 'error',
    title: 'Dimension and parameter of one name',
    message: '`{name}` is a dimension that an earlier argument binds, and cannot be a parameter as well',
    help: 'declare the parameter before the argument whose type has it: the dimension is then checked against it; or choose another name',
  },
  MMD0331: {
    severity: 'warning',
    title: 'Silenced without a reason',
    message: 'this comment silences {codes} and does not say why',
    help: 'write `// mmdc-allow {codes}: why this is meant`',
  },
  MMD0332: {
    severity: 'warning',
    title: 'Nothing to silence',
    message: 'there is no {code} here to silence',
  },
  MMD0333: {
    severity: 'warning',
    title: 'Cannot be silenced',
    message: '`{text}` is {found}, and only warnings can be silenced',
    help: 'write `// mmdc-allow MMD0321: why this is meant`, with the code of a warning',
  },
});
