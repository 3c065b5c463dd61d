/**
 * What an analysis need not do again after an edit. Files are read again declaration by declaration, and a model is
 * elaborated again only where it, one of its bases, or a network that it can reach has changed.
 *
 * @module
 */
import type { Model, Node, TopLevel } from '../../grammar/ast.js';
import { IncrementalParser } from '../../grammar/incremental.js';
import { parse, type ParseResult } from '../../grammar/parse.js';
import { walk } from '../../grammar/visit.js';
import type { Diagnostic, Place } from '../diagnostics/diagnostic.js';
import type { AnalysisMemo, Elaborated } from '../driver.js';
import type { Module, Project } from '../project/project.js';
import { Observations } from './observations.js';

/** A place that moves with the declaration it lies in. */
interface Anchor {
  readonly file: string;
  readonly declaration: TopLevel;
  readonly start: number;
  readonly end: number;
}

interface Kept {
  readonly needs: readonly TopLevel[];
  /** Names that were suggested from, where something was wrong. */
  readonly names: string;
  readonly result: Elaborated;
  /** Of every place in the diagnostics, in the order in which {@link mapPlaces} meets them. */
  readonly anchors: readonly Anchor[];
}

export class Memo implements AnalysisMemo {
  private readonly parsers = new Map<string, IncrementalParser>();
  private readonly read = new Map<string, { text: string; result: ParseResult }>();
  private readonly models = new WeakMap<Model, Kept>();
  private readonly observations = new WeakMap<Model, Observations>();
  /** How many models have been elaborated, for tests and benchmarks. */
  elaborations = 0;

  parse(file: string, text: string): ParseResult {
    const known = this.read.get(file);
    if (known?.text === text) return known.result;
    let parser = this.parsers.get(file);
    if (!parser) this.parsers.set(file, (parser = new IncrementalParser()));
    const result = file.startsWith('std/') ? parse(text) : parser.parse(text);
    this.read.set(file, { text, result });
    return result;
  }

  forget(file: string): void {
    this.parsers.delete(file);
    this.read.delete(file);
  }

  observe(model: Model): Observations {
    const made = new Observations();
    this.observations.set(model, made);
    return made;
  }

  /** What was observed when a model was elaborated last. */
  observed(model: Model): Observations | undefined {
    return this.observations.get(model);
  }

  model(project: Project, model: Model, elaborate: () => Elaborated): Elaborated {
    const needs = neededBy(project, model);
    const known = this.models.get(model);
    const names = [...project.root.scope.keys()].join();
    if (
      known &&
      same(known.needs, needs) &&
      (known.result.diagnostics.length === 0 || known.names === names)
    ) {
      let at = 0;
      const place = (): Place => {
        const { file, declaration, start, end } = known.anchors[at++];
        const from = declaration.range.start;
        return { file, range: { start: from + start, end: from + end } };
      };
      return { ...known.result, diagnostics: known.result.diagnostics.map((d) => mapPlaces(d, place)) };
    }
    this.elaborations++;
    const result = elaborate();
    const anchors: Anchor[] = [];
    let anchored = true;
    for (const d of result.diagnostics) {
      mapPlaces(d, (place) => {
        const anchor = anchorOf(project, place);
        if (anchor) anchors.push(anchor);
        else anchored = false;
        return place;
      });
    }
    if (anchored) this.models.set(model, { needs, names, result, anchors });
    else this.models.delete(model);
    return result;
  }
}

function anchorOf(project: Project, { file, range }: Place): Anchor | undefined {
  const declaration = project.modules
    .get(file)
    ?.tree.declarations.find((d) => d.range.start <= range.start && range.end <= d.range.end);
  if (!declaration) return undefined;
  const from = declaration.range.start;
  return { file, declaration, start: range.start - from, end: range.end - from };
}

/** The diagnostic with every place of it replaced. */
function mapPlaces(d: Diagnostic, map: (place: Place) => Place): Diagnostic {
  return {
    ...d,
    ...map(d),
    labels: d.labels.map((label) => ({ ...label, ...map(label) })),
    fixes: d.fixes.map((fix) => ({ ...fix, edits: fix.edits.map((edit) => ({ ...edit, ...map(edit) })) })),
  };
}

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);

const namesIn = new WeakMap<TopLevel, readonly string[]>();

/** The names that a declaration may refer to other declarations by. */
function referredBy(declaration: TopLevel): readonly string[] {
  const known = namesIn.get(declaration);
  if (known) return known;
  const names = new Set<string>();
  walk(declaration, (node: Node) => {
    if (node.kind === 'Ref') names.add(node.name.text);
    else if (node.kind === 'Call') names.add(node.callee.text);
  });
  if (declaration.kind === 'Model' && declaration.base) names.add(declaration.base.text);
  const list = [...names];
  namesIn.set(declaration, list);
  return list;
}

/** The declarations that a model can reach by names, itself first; always in the same order. */
function neededBy(project: Project, model: Model): TopLevel[] {
  const found = new Set<TopLevel>([model]);
  const queue: { declaration: TopLevel; module: Module }[] = [{ declaration: model, module: project.root }];
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const name of referredBy(next.declaration)) {
      const visible = next.module.scope.get(name) ?? project.prelude.get(name);
      if (!visible || found.has(visible.declaration)) continue;
      found.add(visible.declaration);
      queue.push(visible);
    }
  }
  return [...found];
}
