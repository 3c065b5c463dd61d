/** Elaborates one network of a text, on inputs of the types it declares: what it gives, and the parameters it makes. */
import { Diagnostics } from '../../compiler/diagnostics/collect.js';
import { renderText } from '../../compiler/diagnostics/render.js';
import { applyNetwork } from '../../compiler/elaborate/apply.js';
import { Environment, ParameterScope } from '../../compiler/elaborate/environment.js';
import { Evaluator, type Argument } from '../../compiler/elaborate/evaluator.js';
import { ParameterTable, type ParameterInfo } from '../../compiler/elaborate/parameters.js';
import type { TensorValue } from '../../compiler/elaborate/values.js';
import { GraphBuilder } from '../../compiler/graph/builder.js';
import type { Shape } from '../../compiler/graph/ir.js';
import { memoryHost } from '../../compiler/project/host.js';
import { loadProject } from '../../compiler/project/project.js';
import { library } from '../model/support.js';

export interface Elaborated {
  readonly shape: Shape;
  /** Number of learned values. */
  readonly count: number;
  readonly parameters: readonly ParameterInfo[];
  readonly nodes: number;
}

/**
 * @param text imports, and networks of which the last one is meant
 * @param inputs shapes of its tensors, in the order of its parameters, without the batch axis
 */
export function elaborate(text: string, ...inputs: readonly Shape[]): Elaborated {
  const diagnostics = new Diagnostics();
  const project = loadProject(memoryHost({}, library), 'networks.mmd', text, diagnostics);
  const network = [...project.root.declared.values()].at(-1);
  if (network?.kind !== 'Network') throw new Error('the text ends with no network');
  const builder = new GraphBuilder('test');
  const parameters = new ParameterTable();
  const batch = 2;
  const evaluator = new Evaluator(project, builder, parameters, diagnostics, batch);
  const range = network.name.range;
  const args = inputs.map((shape, i): Argument => {
    const node = builder.input(`x${i}`, [batch, ...shape]);
    const value: TensorValue = { kind: 'tensor', node, shape, batched: true, degree: 'affine' };
    return { value, range };
  });
  const env = new Environment(project.root, new ParameterScope('test'), []);
  const target = { kind: 'network', network, module: project.root } as const;
  const result = applyNetwork(evaluator, target, network.name, args, range, env);
  if (result.kind !== 'tensor' || diagnostics.list.length > 0)
    throw new Error(renderText(diagnostics.list, (file) => project.modules.get(file)?.text));
  return {
    shape: result.shape,
    count: parameters.count,
    parameters: parameters.all,
    nodes: builder.nodes.length,
  };
}
