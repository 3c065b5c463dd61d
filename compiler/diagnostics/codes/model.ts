import { rows } from '../row.js';

/** 05zz: what a model must have to be trained and sampled. */
export const model = rows({
  MMD0501: {
    severity: 'error',
    title: 'Unknown base model',
    message: 'this file declares no model `{name}` to vary',
  },
  MMD0502: {
    severity: 'error',
    title: 'Model varies itself',
    message: '`{name}` is, through its bases, a variant of itself',
  },
  MMD0503: {
    severity: 'error',
    title: 'Model incomplete',
    message: 'the model `{name}` has no {what}',
    help: '`mmdc explain MMD0503` shows a whole model',
  },
  MMD0504: {
    severity: 'error',
    title: 'Produced modality without a decoder',
    message: 'the modality `{name}` is produced and has no decoder',
    help: 'add `decoder {name} = ...`, whose type is the parameters of its likelihood',
  },
  MMD0505: {
    severity: 'error',
    title: 'Origin without a decoder',
    message: '`{name}` is the origin z_0, and nothing predicts it',
    help: 'add `decoder {space} = ...` with the type of the space',
  },
  MMD0506: {
    severity: 'error',
    title: 'Decoder of an origin that is not there',
    message: 'the origin is not a modality, so that there is no `{space}` to decode',
    help: 'remove this decoder, or set `origin:` in `process` to a modality',
  },
  MMD0507: {
    severity: 'warning',
    title: 'Unused modality',
    message: 'the modality `{name}` has neither an encoder nor a decoder',
  },
  MMD0508: {
    severity: 'error',
    title: 'Given modality without an encoder',
    message: 'the modality `{name}` is given and has no encoder',
    help: 'add `encoder {name} = ...`, whose type is that of the space',
  },
  MMD0509: {
    severity: 'error',
    title: 'Encoder does not end in the space',
    message: 'the encoder of `{name}` gives {found}, and the space is {expected}',
    help: '`|> project(shape({space}))` maps any tensor into the space',
  },
  MMD0510: {
    severity: 'error',
    title: 'Decoder does not give the parameters of the likelihood',
    message: 'the decoder of `{name}` gives {found}, and its likelihood needs {expected}',
  },
  MMD0511: {
    severity: 'error',
    title: 'Encoder of a produced modality is not affine',
    message:
      'the encoder of `{name}` is not affine, so that the encoding of a prediction is not the prediction of the encoding',
    help: 'make it affine (`linear`, `conv`, `reshape`, sums), or make the modality the origin, whose encoding `decoder z` predicts',
  },
  MMD0512: {
    severity: 'warning',
    title: 'Backbone does not use `given`',
    message: 'the backbone does not use `given`: it cannot tell what is given, produced or absent',
    help: 'write `concat({space}, given)`',
  },
  MMD0514: {
    severity: 'error',
    title: 'Derived modality of another type',
    message: '`{name}` is declared {declared}, and what it is derived from gives {found}',
  },
  MMD0515: {
    severity: 'error',
    title: 'Not a chain of transforms',
    message: '`{name}` is derived by something else than transforms of modalities',
    help: 'write a modality declared above, and what is done to its data: `image |> cutout(count: 4, size: 8)`',
  },
  MMD0516: {
    severity: 'error',
    title: 'Source for a derived modality',
    message: '`{name}` is derived from other modalities, and `data` names a source for it',
    help: 'remove the source, or the expression after `=` where the modality is declared',
  },
  MMD0517: {
    severity: 'warning',
    title: 'Frozen without weights',
    message: 'the weights of `{name}` come from no file',
    help: 'name it, `load: "weights.safetensors"`: frozen weights stay as they begin, and these begin at random',
  },
  MMD0518: {
    severity: 'warning',
    title: 'Weights for nothing',
    message: 'the {name} has no parameters that could be loaded',
  },
  MMD0519: {
    severity: 'error',
    title: 'Weights cannot be read',
    message: 'cannot read `{path}`: {reason}',
    help: 'the path is relative to the folder of the spec',
  },
  MMD0520: {
    severity: 'error',
    title: 'Weights do not fit',
    message: '`{path}` does not have what the {name} needs: {missing}',
  },
});
