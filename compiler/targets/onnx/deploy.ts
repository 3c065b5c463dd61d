/**
 * A model for ONNX Runtime: encoders, denoiser and decoders, each by itself, and every task as one model that holds the
 * whole reverse chain as a Loop. Any number of rows, standard operators alone.
 *
 * @module
 */
import type { CompiledModel } from '../../driver.js';
import { sizeOf } from '../../graph/ir.js';
import { dataInput } from '../../lower/forward.js';
import { knownInput, sampleInputs } from '../../lower/sampling.js';
import type { ModalityInfo, TaskInfo } from '../../model/info.js';
import { canGuide } from '../../model/modalities.js';
import { timesteps, updates, type Update } from '../../process/samplers.js';
import { literalOf, type LowerOptions } from './emitter.js';
import { batchName, int64Literal, lowerDynamic, type Dynamic } from './dynamic.js';
import { irVersion, opset } from './lower.js';
import { encodeModel, type OnnxGraph, type OnnxNode, type TensorLiteral, type ValueInfo } from './proto.js';

export type WeightValues = ReadonlyMap<
  string,
  { readonly data: ArrayLike<number>; readonly shape: readonly number[] }
>;

const options: LowerOptions = { provider: 'cpu', contrib: false };

/** The value that holds the number of rows, i64 [1]. */
const rows = '%rows';

/**
 * Files of the model by name: `encoder.NAME.onnx`, `denoiser.onnx`, `decoder.NAME.onnx`, `task.NAME.onnx`. Of names
 * that differ only in case, which one file system holds as one, the second ends in `-2`.
 * @param weights by parameter name, statistics of learned encoders included
 */
export function deployOnnx(model: CompiledModel, weights: WeightValues): Map<string, Uint8Array> {
  const { info } = model;
  const files = new Map<string, Uint8Array>();
  const taken = new Set<string>();
  const file = (name: string): string => {
    let unique = name;
    for (let i = 2; taken.has(unique.toLowerCase()); i++) unique = `${name}-${i}`;
    taken.add(unique.toLowerCase());
    return `${unique}.onnx`;
  };
  const part = (name: string, doc: string, make: (batch: number) => ReturnType<CompiledModel['denoiser']>) =>
    files.set(file(name), single(model, name, doc, lowerDynamic(make, options, `%${name}.`, rows), weights));
  for (const name of info.encoders.keys())
    part(`encoder.${name}`, `The encoding E(x) of \`${name}\` in the space.`, (batch) =>
      model.encoder(name, batch),
    );
  part('denoiser', "The backbone's result on z_t.", (batch) => model.denoiser(batch));
  for (const name of info.decoders.keys())
    part(`decoder.${name}`, `Parameters of the prediction of \`${name}\`.`, (batch) =>
      model.decoder(name, batch),
    );
  for (const task of info.tasks) files.set(file(`task.${task.name}`), taskModel(model, task, weights));
  return files;
}

const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
): OnnxNode => ({
  name: output,
  op,
  domain: '',
  inputs,
  outputs: [output],
  attributes,
});

function finish(
  model: CompiledModel,
  doc: string,
  graph: OnnxGraph,
  more: Readonly<Record<string, string>> = {},
): Uint8Array {
  return encodeModel({
    irVersion,
    opsets: { '': opset },
    producer: 'mmdc',
    doc,
    metadata: { model: model.info.name, spec: model.hash(), ...more },
    graph,
  });
}

/** i64 [1] from the first axis of an input. */
function rowsOf(input: string): OnnxNode {
  return node('Shape', [input], rows, { start: { i: 0 }, end: { i: 1 } });
}

function split(parts: Dynamic, weights: WeightValues) {
  const parameters = new Map<string, TensorLiteral>();
  const fed: ValueInfo[] = [];
  parts.ports.inputs.forEach((port, i) => {
    const value = weights.get(port.name);
    if (value) parameters.set(port.value, literalOf('f32', value.data, port.shape));
    else fed.push(parts.inputs[i]);
  });
  return { parameters, fed };
}

function single(
  model: CompiledModel,
  name: string,
  doc: string,
  parts: Dynamic,
  weights: WeightValues,
): Uint8Array {
  const { parameters, fed } = split(parts, weights);
  return finish(model, doc, {
    name,
    nodes: [rowsOf(fed[0].name), ...parts.nodes],
    initializers: new Map([...parts.initializers, ...parameters]),
    inputs: fed,
    outputs: parts.outputs,
  });
}

/**
 * A task: inputs are `x.NAME` for what is given or known in part, `known.NAME` (1 where it is), and `noise`, standard normal, [calls, batch, ...space]: for a chain the
 * start and one for each step after it, for a terminal read-out one for each call. Outputs are the means of what is
 * produced.
 */
function taskModel(model: CompiledModel, task: TaskInfo, weights: WeightValues): Uint8Array {
  const { info } = model;
  const { tables, space } = info;
  const produced = task.produced.map((name) => info.modalities.find((m) => m.name === name) as ModalityInfo);
  const guided = task.guidance !== 1 && canGuide(task.given, produced);
  const parts = lowerDynamic(
    (batch) => model.samplingStep(batch, guided, { known: task.known.map((part) => part.modality) }),
    options,
    '%step.',
    rows,
  );
  const { parameters, fed } = split(parts, weights);
  const J = tables.components.length;
  const initializers = new Map<string, TensorLiteral>([...parts.initializers, ...parameters]);
  const f32 = (name: string, values: ArrayLike<number>, dims: readonly number[]) => {
    initializers.set(name, literalOf('f32', values, dims));
    return name;
  };
  const i64 = (name: string, values: readonly number[], dims: readonly number[] = [values.length]) => {
    initializers.set(name, int64Literal(values, dims));
    return name;
  };
  const terminal = task.readout.form === 'terminal';
  const chain: Update[] = terminal
    ? Array.from({ length: task.readout.form === 'terminal' ? task.readout.calls : 0 }, () => ({
        t: tables.steps,
        s: 0,
        z: 0,
        y: tables.components.map(() => 0),
        previous: tables.components.map(() => 0),
        noise: 0,
      }))
    : updates(tables, task.sampler, timesteps(tables.steps, task.steps));
  const calls = chain.length;
  const draws = terminal ? calls : calls + 1;
  const wanted = new Set(fed.map((input) => input.name));
  const nodes: OnnxNode[] = [
    node('Shape', ['noise'], rows, { start: { i: 1 }, end: { i: 2 } }),
    node('Shape', ['noise'], '%shape', { start: { i: 1 } }),
  ];
  const outer = (name: string, made: OnnxNode[]) => {
    if (wanted.has(name)) nodes.push(...made);
  };
  const count = info.modalities.length;
  for (const [name, list] of [
    [sampleInputs.given, task.given],
    [sampleInputs.produced, task.produced],
  ] as const) {
    const flags = info.modalities.map((m) => Number(list.includes(m.name)));
    outer(name, [
      node('Concat', [rows, i64(`%${name}.count`, [count])], `%${name}.shape`, { axis: { i: 0 } }),
      node('Expand', [f32(`%${name}.flags`, flags, [1, count]), `%${name}.shape`], name),
    ]);
  }
  if (wanted.has(sampleInputs.guidance)) f32(sampleInputs.guidance, [task.guidance], [1]);
  const inputs: ValueInfo[] = [];
  for (const modality of info.modalities) {
    const name = dataInput(modality.name);
    const known = task.known.some((part) => part.modality === modality.name);
    if (known) {
      const region = [batchName, ...modality.shape.slice(0, 2), 1];
      inputs.push({ name: knownInput(modality.name), type: 'f32', dims: region });
    }
    if (known || task.given.includes(modality.name)) {
      inputs.push({
        name,
        type: modality.discrete ? 'i32' : 'f32',
        dims: [batchName, ...modality.dataShape],
      });
      continue;
    }
    const fill = modality.discrete ? literalOf('i32', [-1], []) : literalOf('f32', [0], []);
    initializers.set(`%${name}.fill`, fill);
    if (modality.dataShape.length === 0) outer(name, [node('Expand', [`%${name}.fill`, rows], name)]);
    else
      outer(name, [
        node('Concat', [rows, i64(`%${name}.dims`, modality.dataShape)], `%${name}.shape`, {
          axis: { i: 0 },
        }),
        node('Expand', [`%${name}.fill`, `%${name}.shape`], name),
      ]);
  }
  inputs.push({ name: 'noise', type: 'f32', dims: [draws, batchName, ...space.shape] });
  // Everything that changes from call to call, by call.
  initializers.set(
    '%times',
    literalOf(
      'i32',
      chain.map((u) => u.t),
      [calls],
    ),
  );
  f32(
    '%updates',
    chain.flatMap((u) => [u.z, u.noise, ...u.y, ...u.previous]),
    [calls, 2 + 2 * J],
  );
  f32(
    '%starts',
    chain.map((_, i) => Number(terminal || i === 0)),
    [calls, 1],
  );
  f32('%sigma', [tables.sigma[tables.steps]], []);
  f32('%share', [1 / calls], []);
  i64('%zero', [0], []);
  i64('%one', [1], []);
  i64('%calls', [calls], []);
  f32('%nothing', [0], []);
  initializers.set('%true', { type: 'bool', dims: [], raw: Uint8Array.of(1) });
  nodes.push(
    node('Gather', ['noise', '%zero'], '%first', { axis: { i: 0 } }),
    node('Mul', ['%first', '%sigma'], '%start'),
    node('Concat', [i64('%components', [J]), '%shape'], '%previous.shape', { axis: { i: 0 } }),
    node('Expand', ['%nothing', '%previous.shape'], '%previous'),
  );
  const state: ValueInfo = { name: '%z.in', type: 'f32', dims: [batchName, ...space.shape] };
  const previous: ValueInfo = { name: '%previous.in', type: 'f32', dims: [J, batchName, ...space.shape] };
  const output = (name: string): string => parts.ports.outputs.find((p) => p.name === name)?.value ?? name;
  const means = produced.map((m) => ({ modality: m, value: output(`prediction.${m.name}`) }));
  // The body: inputs of the step under their own names, the step, and what is carried on.
  const body: OnnxNode[] = [];
  const inner = (name: string, made: OnnxNode[]) => {
    if (wanted.has(name)) body.push(...made);
  };
  inner(sampleInputs.t, [
    node('Gather', ['%times', '%i'], '%t', { axis: { i: 0 } }),
    node('Expand', ['%t', rows], sampleInputs.t),
  ]);
  inner(sampleInputs.update, [node('Gather', ['%updates', '%i'], sampleInputs.update, { axis: { i: 0 } })]);
  inner(sampleInputs.start, [node('Gather', ['%starts', '%i'], sampleInputs.start, { axis: { i: 0 } })]);
  inner(sampleInputs.noise, [
    ...(terminal ? [] : [node('Add', ['%i', '%one'], '%i.next')]),
    node('Gather', ['noise', terminal ? '%i' : '%i.next'], `%noise.now`, { axis: { i: 0 } }),
  ]);
  body.push(
    ...(terminal
      ? [
          node('Gather', ['noise', '%i'], '%draw', { axis: { i: 0 } }),
          node('Mul', ['%draw', '%sigma'], '%z.now'),
        ]
      : [node('Identity', [state.name], '%z.now')]),
  );
  const stepInputs = new Map<string, string>([
    [sampleInputs.z, '%z.now'],
    [sampleInputs.previous, previous.name],
    [sampleInputs.noise, '%noise.now'],
  ]);
  body.push(...parts.nodes.map((n) => ({ ...n, inputs: n.inputs.map((x) => stepInputs.get(x) ?? x) })));
  const carried = means.map(({ modality, value }, k) => {
    const result: ValueInfo = { name: `%mean${k}.out`, type: 'f32', dims: [batchName, ...modality.shape] };
    body.push(
      ...(terminal
        ? [
            node('Mul', [value, '%share'], `%mean${k}.part`),
            node('Add', [`%mean${k}.in`, `%mean${k}.part`], result.name),
          ]
        : [node('Identity', [value], result.name)]),
    );
    const shape = `%mean${k}.shape`;
    nodes.push(
      node('Concat', [rows, i64(`%mean${k}.dims`, modality.shape)], shape, { axis: { i: 0 } }),
      node('Expand', ['%nothing', shape], `%mean${k}`),
    );
    return { result, input: { ...result, name: `%mean${k}.in` }, start: `%mean${k}` };
  });
  body.push(
    node('Identity', ['%go'], '%go.out'),
    node('Identity', [output('z')], '%z.out'),
    node('Identity', [output('components')], '%previous.out'),
  );
  const scalar = (name: string, type: 'i64' | 'bool'): ValueInfo => ({ name, type, dims: [] });
  const loop: OnnxGraph = {
    name: 'call',
    nodes: body,
    initializers: new Map(),
    inputs: [scalar('%i', 'i64'), scalar('%go', 'bool'), state, previous, ...carried.map((c) => c.input)],
    outputs: [
      scalar('%go.out', 'bool'),
      { ...state, name: '%z.out' },
      { ...previous, name: '%previous.out' },
      ...carried.map((c) => c.result),
    ],
  };
  nodes.push({
    name: '%loop',
    op: 'Loop',
    domain: '',
    inputs: ['%calls', '%true', '%start', '%previous', ...carried.map((c) => c.start)],
    outputs: ['%z.last', '%previous.last', ...produced.map((m) => m.name)],
    attributes: { body: { g: loop } },
  });
  const read = new Set([...nodes, ...body].flatMap((n) => n.inputs));
  return finish(
    model,
    `\`${task.name}\`: ${task.given.join(', ')} -> ${task.produced.join(', ')}.`,
    {
      name: `task.${task.name}`,
      nodes,
      initializers: new Map([...initializers].filter(([name]) => read.has(name))),
      inputs,
      outputs: produced.map((m) => ({ name: m.name, type: 'f32', dims: [batchName, ...m.shape] })),
    },
    {
      task: task.name,
      given: task.given.join(','),
      produced: task.produced.join(','),
      sampler: task.sampler.form,
      calls: String(calls),
      guidance: String(task.guidance),
      values: String(draws * sizeOf(space.shape)),
    },
  );
}
