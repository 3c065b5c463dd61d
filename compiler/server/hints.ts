/**
 * What editors show beside the text: shapes along pipes, parameters and memory above declarations.
 *
 * @module
 */
import type { CodeLens, InlayHint } from 'vscode-languageserver-types';
import type { Expr, Model, Node, Pipe, Range } from '../../grammar/ast.js';
import { walk } from '../../grammar/visit.js';
import { showShape } from '../elaborate/values.js';
import { stats } from '../graph/stats.js';
import type { ModelInfo } from '../model/info.js';
import { bytes, count, parametersOf, parametersOfAll } from './describe.js';
import { compiledOf, seen } from './hover.js';
import { positionAt, rangeAt } from './positions.js';
import type { Checked } from './workspace.js';

/** Shapes of tensors along the pipes of a range: behind every stage that changes one, and at the head. */
export function inlayHints(checked: Checked, range: Range): InlayHint[] {
  const hints: InlayHint[] = [];
  for (const declaration of checked.tree.declarations) {
    if (declaration.range.end < range.start || declaration.range.start > range.end) continue;
    const model = declaration.kind === 'Model' ? declaration : undefined;
    const pipes = new Set<Node>();
    walk(declaration, (node) => {
      if (node.kind !== 'Pipe' || pipes.has(node)) return;
      for (let inner: Expr = node; inner.kind === 'Pipe'; inner = inner.left) pipes.add(inner);
      hints.push(...alongPipe(checked, node, model));
    });
    walk(declaration, (node) => {
      // A value without a pipe: its type is seen at its name.
      if (node.kind !== 'Let' || node.tuple || node.value.kind === 'Pipe') return;
      const value = seen(checked, node.value, model);
      if (value && node.value.kind !== 'Number' && node.value.kind !== 'String')
        hints.push(
          hint(
            checked,
            node.names[0].range.end,
            value.shape ? `: ${showShape(value.shape)}` : `: ${short(value.shown)}`,
          ),
        );
    });
  }
  return hints.filter(({ position }) => {
    const offset = checked.lines.offset(position.line + 1, position.character + 1);
    return range.start <= offset && offset <= range.end;
  });
}

const short = (shown: string): string => shown.replace(/^the /, '');

function alongPipe(checked: Checked, pipe: Pipe, model: Model | undefined): InlayHint[] {
  const stages: Node[] = [];
  let head: Expr = pipe;
  for (; head.kind === 'Pipe'; head = head.left) stages.unshift(head.stage);
  const hints: InlayHint[] = [];
  let before = '';
  for (const node of [head, ...stages]) {
    const shape = seen(checked, node, model)?.shape;
    if (!shape) continue;
    const shown = showShape(shape);
    if (shown !== before) hints.push(hint(checked, node.range.end, shown, true));
    before = shown;
  }
  return hints;
}

function hint({ lines }: Checked, offset: number, label: string, paddingLeft = false): InlayHint {
  return { position: positionAt(lines, offset), label, kind: 1, paddingLeft };
}

/** A lens before its text is known. `data` says what it is about. */
export function codeLenses(checked: Checked): CodeLens[] {
  const lenses: CodeLens[] = [];
  const lens = (range: Range, data: LensData): void =>
    void lenses.push({ range: rangeAt(checked.lines, range), data });
  for (const model of checked.tree.declarations) {
    if (model.kind !== 'Model' || !compiledOf(checked, model)) continue;
    lens(model.name.range, { model: model.name.text });
    for (const member of model.members) {
      if (member.kind !== 'Encoder' && member.kind !== 'Backbone' && member.kind !== 'Decoder') continue;
      const path =
        member.kind === 'Backbone' ? 'backbone' : `${member.kind.toLowerCase()}.${member.name.text}`;
      lens(member.name.range, { model: model.name.text, path });
    }
  }
  return lenses;
}

export interface LensData {
  readonly model: string;
  /** Of a declaration; without it the lens is the model's. */
  readonly path?: string;
}

const memory = new WeakMap<ModelInfo, string>();

/** The text of a lens. A model's takes building its training step, once. */
export function lensText(checked: Checked, { model, path }: LensData): string | undefined {
  const compiled = checked.analysis.models.get(model);
  if (!compiled) return undefined;
  if (path !== undefined) return `${count(parametersOf(compiled, path))} parameters`;
  let shown = memory.get(compiled.info);
  if (shown === undefined) {
    const { batch } = compiled.info.train;
    const total = parametersOfAll(compiled);
    const { peakBytes, flops } = stats(compiled.trainingStep(batch).graph);
    // Weights, their moving average and the two moments of the optimiser, beside what a step computes.
    shown = `${count(total)} parameters, ${bytes(peakBytes + 16 * total)} to train with batch ${batch}, ${(flops / 1e9).toPrecision(3)} GFLOP a step`;
    memory.set(compiled.info, shown);
  }
  return shown;
}
