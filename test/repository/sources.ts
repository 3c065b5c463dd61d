/**
 * The project's own files, and what its TypeScript files import.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Paths, relative to the root, of all tracked files. */
export function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  return listed.split('\0').filter((file) => file !== '' && existsSync(join(root, file)));
}

export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

export interface Import {
  /** What is imported: a file of the project, relative to the root, or the specifier of a package. */
  readonly target: string;
  readonly local: boolean;
  /** Erased by the compiler: nothing of it is loaded at run time. */
  readonly typeOnly: boolean;
}

/** Imports and re-exports of a TypeScript file, dynamic ones and types (`import('x').T`) included. */
export function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const local = specifier.text.startsWith('.');
    const target = local
      ? posix.join(posix.dirname(file), specifier.text).replace(/\.js$/, '.ts')
      : specifier.text;
    found.push({ target, local, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

function isTypeImport({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = importClause.namedBindings;
  if (importClause.name || !named || !ts.isNamedImports(named)) return false;
  return named.elements.every((element) => element.isTypeOnly);
}

/** Groups of vertices that reach one another (Tarjan's strongly connected components), without single ones. */
export function cycles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const result: string[][] = [];
  const visit = (vertex: string): number => {
    const index = order.size;
    order.set(vertex, index);
    low.set(vertex, index);
    open.push(vertex);
    for (const next of edges.get(vertex) ?? []) {
      const reached = order.has(next)
        ? open.includes(next)
          ? (order.get(next) ?? index)
          : index
        : visit(next);
      low.set(vertex, Math.min(low.get(vertex) ?? index, reached));
    }
    const lowest = low.get(vertex) ?? index;
    if (lowest === index) {
      const group = open.splice(open.indexOf(vertex));
      if (group.length > 1) result.push(group.sort());
    }
    return lowest;
  };
  for (const vertex of edges.keys()) if (!order.has(vertex)) visit(vertex);
  return result;
}
