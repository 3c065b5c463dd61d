/**
 * Names in Python: those of the spec, with an underscore where Python, PyTorch or the package has another use for one.
 *
 * @module
 */

const keywords =
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case type'.split(
    ' ',
  );

/** Builtins and module-level names that the emitted code itself reads. */
const used =
  'self super range len tuple int float bool str math torch nn functional Tensor Linear Conv GroupNorm LayerNorm Param Network Normalise Init ZEROS ONES layer_norm upsample avg_pool into abs max min sum print object isinstance enumerate zip dict list set'.split(
    ' ',
  );

/** Attributes of modules, which a value of the same name would hide. */
const attributes =
  'training forward parameters buffers modules children train eval to cpu cuda ipu xpu mtia half float double bfloat16 apply type state_dict load_state_dict register_buffer register_parameter register_module requires_grad_ zero_grad share_memory extra_repr compile call_super_init dump_patches add_module get_submodule set_submodule get_parameter get_buffer get_extra_state set_extra_state named_parameters named_buffers named_modules named_children to_empty normalise origin space starts decayed weight bias T_destination'.split(
    ' ',
  );

/** Letters that linters take for digits. */
const ambiguous = ['l', 'O', 'I'];

/** Classes and constants of `model.py` that are there whatever the spec says. */
const declared = ['Encoders', 'Decoders', 'Backbone', 'TrainedModel', 'SPEC'];

const reserved = new Set([...keywords, ...used, ...attributes, ...ambiguous]);

/**
 * A value's name. Names like `linear_1` are those of layers. Names that differ stay different: `type` becomes `type_`,
 * and `type_` becomes `type__`.
 */
export function valueName(name: string): string {
  const bare = name.replace(/_+$/, '');
  if (reserved.has(bare) || /_\d+$/.test(bare) || bare === '') return `${attributeName(name)}_`;
  return attributeName(name);
}

/** A submodule's name: Python writes the class into names that begin with two underscores. */
export function attributeName(name: string): string {
  return /^(private)*__/.test(name) ? `private${name}` : name;
}

/** `match_channels` as `MatchChannels`. */
export function className(name: string): string {
  const parts = name.split('_').filter((part) => part !== '');
  const joined = parts.map((part) => part[0].toUpperCase() + part.slice(1)).join('') || 'Network';
  const safe = /^\d/.test(joined) ? `N${joined}` : joined;
  return reserved.has(safe) || declared.includes(safe) || safe === 'T' ? `${safe}Network` : safe;
}

/** `DigitsReinjected` as `digits_reinjected`: the package of a model. */
export function packageName(model: string): string {
  const snake = model
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/^_+|_+$/g, '');
  const safe = snake === '' || /^\d/.test(snake) ? `model_${snake}` : snake;
  return reserved.has(safe) || standardModules.has(safe) ? `${safe}_model` : safe;
}

/** Top-level modules that a package of this name would hide. */
const standardModules = new Set(
  'torch numpy safetensors tensorboard onnx pil setuptools build dist spec test tests abc array ast asyncio base64 calendar cmd code codecs collections copy csv dataclasses datetime email enum fractions functools glob gzip hashlib heapq html http inspect io itertools json keyword locale logging numbers operator os pathlib pickle platform pprint queue random re runpy sched secrets select shelve shutil signal site socket sqlite3 ssl stat statistics string struct subprocess symtable sys tempfile textwrap threading time timeit token tokenize trace traceback tty types typing unittest urllib uuid warnings wave weakref xml zipfile zlib'.split(
    ' ',
  ),
);

/** Names that are all different: the first of each as it is, later ones numbered. */
export class UniqueNames {
  private readonly taken = new Set<string>();

  take(name: string): string {
    let unique = name;
    for (let i = 2; this.taken.has(unique); i++) unique = `${name}${i}`;
    this.taken.add(unique);
    return unique;
  }
}
