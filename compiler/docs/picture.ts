/**
 * The architecture of a model as SVG: data, encoders, space, backbone, decoders, tasks, laid out by dagre (Sugiyama's
 * layers). Colours are CSS variables of the page around.
 *
 * @module
 */
import dagre from '@dagrejs/dagre';
import { curveBumpX, line as lineOf } from 'd3-shape';
import { architectureOf, type Box, type Column, type Edge } from './architecture.js';
import type { Subject } from './encoders.js';
import { markup, type Html } from './html.js';
import { cut, textWidth } from './text.js';

const TITLE = 13;
const SMALL = 11;
const LINE = 16;
/** Characters of a line in a box. */
const MOST = 30;

const columnTitles: Readonly<Record<Column, string>> = {
  data: 'data',
  encoder: 'encoders',
  space: 'space',
  backbone: 'backbone',
  decoder: 'decoders',
  task: 'tasks',
};

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The picture as an SVG element with a text that says the same. */
export function drawArchitecture(model: Subject): Html {
  const { boxes, edges, summary } = architectureOf(model);
  const graph = new dagre.graphlib.Graph<object, { width: number; height: number } & Point>({
    multigraph: true,
  });
  graph.setGraph({ rankdir: 'LR', nodesep: 20, ranksep: 68, edgesep: 10, marginx: 14, marginy: 14 });
  for (const box of boxes) graph.setNode(box.id, sizeOf(box));
  edges.forEach(({ from, to, weight }, i) =>
    graph.setEdge(
      from,
      to,
      {
        weight,
        minlen: 1,
      },
      String(i),
    ),
  );
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  const head = 26;
  const path = lineOf<Point>(
    (p) => round(p.x),
    (p) => round(p.y),
  ).curve(curveBumpX);
  const routes = routesOf(edges, (id) => graph.node(id));
  const lines = edges.map(({ kind }, i) => {
    const { start, end } = routes[i];
    return markup`<path class="edge ${kind}" d="${path([start, end]) ?? ''}" /><path class="head ${kind}" d="M${round(end.x)} ${round(end.y)}l-8 3.6v-7.2Z" />`;
  });
  const labels = edges.map(({ label }, i) => {
    const { start } = routes[i];
    if (label === undefined) return undefined;
    return markup`<text class="label" x="${round(start.x + 6)}" y="${round(start.y - 5)}">${label}</text>`;
  });
  const placed = boxes.map((box) => ({ box, at: graph.node(box.id) }));
  const headings = (Object.keys(columnTitles) as Column[]).flatMap((column) => {
    const own = placed.filter(({ box }) => box.column === column).map(({ at }) => at);
    if (own.length === 0) return [];
    const middle = (Math.min(...own.map((n) => n.x)) + Math.max(...own.map((n) => n.x))) / 2;
    return [
      markup`<text class="column" x="${round(middle)}" y="-8" text-anchor="middle">${columnTitles[column]}</text>`,
    ];
  });
  return markup`<svg class="picture" xmlns="http://www.w3.org/2000/svg" viewBox="0 ${-head} ${round(width)} ${round(height + head)}" width="${round(width)}" height="${round(height + head)}" role="img" aria-label="${summary}">${headings}${lines}${labels}${placed.map(({ box, at }) => drawBox(box, at))}</svg>`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

function sizeOf({ title, lines, shape }: Box): { width: number; height: number } & Point {
  if (shape === 'circle') return { width: 34, height: 34, x: 0, y: 0 };
  const widths = [
    textWidth(cut(title, MOST), TITLE) * 1.06,
    ...lines.map(({ text, mono }) => textWidth(cut(text, MOST), SMALL, mono)),
  ];
  return {
    width: Math.max(64, Math.max(...widths) + 24),
    height: 14 + 18 + LINE * lines.length,
    x: 0,
    y: 0,
  };
}

function drawBox(
  { title, lines, shape, column, href }: Box,
  at: Point & { width: number; height: number },
): Html {
  const left = round(at.x - at.width / 2);
  const top = round(at.y - at.height / 2);
  if (shape === 'circle') {
    return markup`<g class="box ${column}"><circle cx="${round(at.x)}" cy="${round(at.y)}" r="16" /><text class="title" x="${round(at.x)}" y="${round(at.y + 5)}" text-anchor="middle">${title}</text></g>`;
  }
  const radius = shape === 'pill' ? Math.min(16, at.height / 2) : 7;
  const content = markup`<g class="box ${column} ${shape}"><rect x="${left}" y="${top}" width="${round(at.width)}" height="${round(at.height)}" rx="${radius}" /><text class="title" x="${round(at.x)}" y="${top + 21}" text-anchor="middle">${cut(title, MOST)}</text>${lines.map(
    ({ text, mono }, i) =>
      markup`<text class="${mono ? 'mono' : 'line'}" x="${round(at.x)}" y="${top + 37 + LINE * i}" text-anchor="middle">${cut(text, MOST)}</text>`,
  )}</g>`;
  return href === undefined ? content : markup`<a href="${href}">${content}</a>`;
}

type Placed = Point & { readonly width: number; readonly height: number };

/**
 * Where every edge leaves its box on the right and enters the other on the left: in the order of the boxes at the other
 * ends, evenly spread, so that edges of one box do not cross.
 */
function routesOf(edges: readonly Edge[], placed: (id: string) => Placed): { start: Point; end: Point }[] {
  const port = (i: number, own: 'from' | 'to', other: 'from' | 'to', side: 1 | -1): Point => {
    const box = placed(edges[i][own]);
    const beside = edges
      .map((edge, k) => ({ k, edge }))
      .filter(({ edge }) => edge[own] === edges[i][own])
      .sort((a, b) => placed(a.edge[other]).y - placed(b.edge[other]).y || a.k - b.k)
      .map(({ k }) => k);
    const gap = Math.min(16, Math.max(0, box.height - 20) / Math.max(1, beside.length - 1));
    const y = box.y + gap * (beside.indexOf(i) - (beside.length - 1) / 2);
    return { x: box.x + (side * box.width) / 2, y };
  };
  return edges.map((_, i) => ({ start: port(i, 'from', 'to', 1), end: port(i, 'to', 'from', -1) }));
}
