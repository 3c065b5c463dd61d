/**
 * PyTorch: a model as a Python package. What differs between models is emitted from the record and the networks; what
 * is the same for all (the process, losses, samplers, the training loop) lies in `package/` and is copied.
 *
 * @module
 */
import type { DerivedInfo } from '../../model/info.js';
import type { CompiledModel } from '../../driver.js';
import { emitNetworks } from './emitter.js';
import { modelClass, modelModule, networksModule } from './modules.js';
import { packageName } from './names.js';
import { docstring, pythonString } from './python.js';
import { specModule } from './spec.js';
import { Unsupported } from './unsupported.js';

export { packageName } from './names.js';
export { Unsupported };

/**
 * Files of the package, by path.
 * @param shared the modules that are the same for every model, by name (`rng.py`)
 * @throws Unsupported for what has no form in PyTorch
 */
export function emitPytorch(model: CompiledModel, shared: ReadonlyMap<string, string>): Map<string, string> {
  const { info } = model;
  refuse(model);
  const emitted = emitNetworks(model);
  const folder = packageName(info.name);
  const files = new Map<string, string>();
  files.set('pyproject.toml', project(model, folder));
  files.set(
    `${folder}/__init__.py`,
    `${docstring(info.doc === '' ? `The model \`${info.name}\`.` : info.doc, '').join('\n')}

from .model import ${modelClass(info.name)} as Model
from .spec import SPEC

__all__ = ["SPEC", "Model"]
`,
  );
  files.set(`${folder}/py.typed`, '');
  files.set(`${folder}/networks.py`, networksModule(emitted, info.name));
  files.set(`${folder}/model.py`, modelModule(emitted));
  files.set(`${folder}/spec.py`, specModule(model, emitted.emitter.trace));
  for (const [name, text] of shared) files.set(`${folder}/${name}`, text);
  for (const [name, module] of model.project.modules)
    files.set(`spec/${name.endsWith('.mmd') ? name : `${name}.mmd`}`, module.text);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the package's own code has no part for. @throws Unsupported */
function refuse({ info }: CompiledModel): void {
  const { file } = info.module;
  for (const { source, place } of info.data.columns) {
    const path = String(source.args.path);
    if (patterned.has(source.form) && unusualPattern.test(path))
      throw new Unsupported(`the pattern ${JSON.stringify(path)} of files`, { file, range: place });
  }
  for (const modality of info.modalities)
    if (usesNetwork(modality.derived))
      throw new Unsupported(`the frozen network that \`${modality.name}\` is made with`, {
        file,
        range: modality.place,
      });
  for (const task of info.tasks)
    if (task.known.length > 0)
      throw new Unsupported(`\`known\` of the task \`${task.name}\``, { file, range: task.place });
  const { balance, pi, encoders } = info.loss;
  const loss = { file, range: info.places.loss };
  if (pi !== 'drawn') throw new Unsupported('`pi` of the loss', loss);
  if (encoders !== 'stopped') throw new Unsupported(`\`encoders: ${encoders}\` of the loss`, loss);
  if (balance.form !== 'fixed')
    throw new Unsupported(`\`balance: ${balance.form}\` of the loss`, { file, range: balance.place });
}

/** Whether rows are made by a network of its own. */
const usesNetwork = (derived: DerivedInfo | undefined): boolean =>
  derived?.op === 'transform' && (derived.name === 'onnx' || usesNetwork(derived.input));

/** Sources that name several files by a pattern. */
const patterned: ReadonlySet<string> = new Set(['images', 'masks', 'cifar', 'sidecars', 'shards']);

/**
 * Patterns that Python's `glob`, with braces written out, reads in another way: negations, extended forms such as
 * `@(a|b)`, classes by name or with `^`, nested braces, and ranges of anything but numbers.
 */
const unusualPattern = /^!|[!*+?@]\(|\([^(]*\||\[\^|\[\[:|\{[^{}]*\{|\{(?!\d+\.\.\d+\})[^{},]*\.\.[^{}]*\}/;

function project(model: CompiledModel, folder: string): string {
  return `[build-system]
requires = ["setuptools>=69"]
build-backend = "setuptools.build_meta"

[project]
name = ${pythonString(folder.replaceAll('_', '-'))}
version = "0.1.0"
description = ${pythonString(`The model ${model.info.name}, emitted from its spec by mmdc`)}
requires-python = ">=3.11"
dependencies = ["torch>=2.6", "numpy>=1.26", "safetensors>=0.4.5", "pillow>=10"]

[project.optional-dependencies]
log = ["tensorboard>=2.16"]
tables = ["pyarrow>=15"]

[tool.setuptools]
packages = [${pythonString(folder)}]

[tool.setuptools.package-data]
${folder} = ["py.typed", "*.safetensors", "*/*/*.npy"]

[tool.ruff]
line-length = 120

[tool.ruff.lint]
select = ["E", "F", "I", "UP", "B"]

[tool.mypy]
strict = true
`;
}
