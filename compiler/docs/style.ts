/**
 * The style sheets: of pictures, which also stand on their own in Markdown, and of pages. Light and dark, wide and
 * narrow, screen and paper; text keeps a contrast of at least 4.5 to 1, lines of 3 to 1 (WCAG 2.2).
 *
 * @module
 */

const light = `
  color-scheme: light;
  --page: #fbfbfa; --card: #ffffff; --text: #1c1f23; --muted: #5a626d; --rule: #d9dde2; --grid: #eceef1; --accent: #1f56c4; --soft: #eef3fd;
  --series-1: #2457c5; --series-2: #c2480b; --series-3: #0c7c6c; --series-4: #9c2fa0; --series-5: #6b6a00; --series-6: #b3263c; --series-7: #4a5a78; --series-8: #0f7fa8;
  --comment: #5d6875; --string: #0c6b4a; --number: #9a4a00; --keyword: #7c2ea3; --key: #1f5f8f;
  --data: #eef3fd; --encoder: #eaf6f1; --space: #fff5e3; --backbone: #f5eefb; --decoder: #eaf6f1; --task: #eef3fd;
  --data-line: #6f93d8; --encoder-line: #4f9d84; --space-line: #c48a2c; --backbone-line: #9a6cc4; --decoder-line: #4f9d84; --task-line: #6f93d8; --edge: #7b8592;
`;
const dark = `
  color-scheme: dark;
  --page: #121519; --card: #1a1e24; --text: #e6e9ed; --muted: #a3acb8; --rule: #323942; --grid: #272d35; --accent: #8fb4ff; --soft: #1c2636;
  --series-1: #82a8ff; --series-2: #ff9f5f; --series-3: #45cfb8; --series-4: #e08be4; --series-5: #cfcb4b; --series-6: #ff8497; --series-7: #aab8d4; --series-8: #5cc4ec;
  --comment: #949faf; --string: #7fd6a8; --number: #f2b26b; --keyword: #d6a1f5; --key: #8cc4ee;
  --data: #1c2738; --encoder: #18302a; --space: #352a17; --backbone: #2b2138; --decoder: #18302a; --task: #1c2738;
  --data-line: #5d82c6; --encoder-line: #4a9a82; --space-line: #b98a3e; --backbone-line: #9470bd; --decoder-line: #4a9a82; --task-line: #5d82c6; --edge: #8b95a3;
`;

export const theme = `:root {${light}}
@media (prefers-color-scheme: dark) { :root {${dark}} }
:root[data-theme="light"] {${light}}
:root[data-theme="dark"] {${dark}}
`;

const sans =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif';
const mono = 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace';

/** What the elements of pictures and charts look like. */
export const pictureStyle = `
.picture text, .chart text { font-family: ${sans}; fill: var(--text); }
.picture .title { font-size: 13px; font-weight: 600; }
.picture .line, .picture .mono, .picture .label { font-size: 11px; fill: var(--muted); }
.picture .mono { font-family: ${mono}; }
.picture .column { font-size: 11px; fill: var(--muted); letter-spacing: 0.06em; text-transform: uppercase; }
.picture .box rect, .picture .box circle { stroke-width: 1.2; }
.picture .data > rect { fill: var(--data); stroke: var(--data-line); }
.picture .encoder > rect, .picture .encoder > circle { fill: var(--encoder); stroke: var(--encoder-line); }
.picture .space > rect, .picture .space > circle { fill: var(--space); stroke: var(--space-line); }
.picture .backbone > rect { fill: var(--backbone); stroke: var(--backbone-line); }
.picture .decoder > rect { fill: var(--decoder); stroke: var(--decoder-line); }
.picture .task > rect { fill: var(--task); stroke: var(--task-line); }
.picture .edge { fill: none; stroke: var(--edge); stroke-width: 1.3; }
.picture .edge.given { stroke-dasharray: 4 4; }
.picture .edge.produced { stroke: var(--task-line); stroke-width: 1.1; }
.picture .head { fill: var(--edge); }
.picture .head.produced { fill: var(--task-line); }
.picture .label { paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
.chart .tick { font-size: 11px; fill: var(--muted); font-variant-numeric: tabular-nums; }
.chart .key { font-size: 12px; }
.chart .grid { stroke: var(--grid); }
.chart .axis { stroke: var(--rule); }
.chart .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
${Array.from({ length: 8 }, (_, i) => `.chart .series-${i + 1} { stroke: var(--series-${i + 1}); }`).join('\n')}
`;

export const pageStyle = `${theme}${pictureStyle}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 76px; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.6 ${sans}; }
h1, h2, h3, h4, h5, h6, p, ul, dl, figure, pre { margin: 0; }
h1 { font-size: 2.1rem; line-height: 1.2; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { font-size: 1.4rem; letter-spacing: -0.01em; line-height: 1.3; }
h3 { font-size: 1.05rem; }
a { color: var(--accent); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, pre { font-family: ${mono}; font-size: 0.875em; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 12px; top: 12px; background: var(--card); padding: 8px 14px; z-index: 5; }
.bar { position: sticky; top: 0; z-index: 3; background: var(--page); border-bottom: 1px solid var(--rule); }
.bar > div { display: flex; gap: 10px 24px; align-items: center; flex-wrap: wrap; max-width: 1280px; margin: 0 auto; padding: 10px 28px; min-height: 56px; }
.bar .home { font-weight: 650; color: var(--text); text-decoration: none; letter-spacing: -0.01em; }
.bar .crumb { color: var(--muted); font-size: 0.92rem; }
.search { position: relative; margin-left: auto; width: min(340px, 100%); }
.search[hidden] { display: none; }
.search input { width: 100%; font: inherit; font-size: 0.92rem; color: var(--text); background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 5px 12px; }
.search ul { position: absolute; right: 0; left: 0; top: 40px; list-style: none; padding: 6px; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; box-shadow: 0 10px 32px rgb(0 0 0 / 0.18); max-height: 70vh; overflow: auto; }
.search li a { display: block; padding: 6px 10px; border-radius: 6px; color: var(--text); text-decoration: none; font-size: 0.92rem; }
.search li a:hover, .search li a:focus { background: var(--soft); outline-offset: -2px; }
.search .kind { color: var(--muted); font-size: 0.82rem; }
.search .excerpt { display: block; color: var(--muted); font-size: 0.82rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.layout { display: grid; grid-template-columns: 190px minmax(0, 1fr); gap: 48px; max-width: 1280px; margin: 0 auto; padding: 36px 28px 72px; }
.layout.single { grid-template-columns: minmax(0, 1fr); max-width: 1080px; }
.contents { position: sticky; top: 92px; align-self: start; font-size: 0.9rem; max-height: calc(100vh - 110px); overflow: auto; }
.contents ul { list-style: none; padding: 0; border-left: 1px solid var(--rule); }
.contents a { display: block; padding: 3px 14px; color: var(--muted); text-decoration: none; overflow-wrap: anywhere; }
.contents a:hover { color: var(--accent); text-decoration: underline; }
main section { margin-top: 52px; }
main section > .about:first-of-type { margin-bottom: 14px; }
.group { margin-top: 32px; }
main section > h2 { margin-bottom: 14px; }
.from { color: var(--muted); font-size: 0.92rem; margin-top: 6px; overflow-wrap: anywhere; }
.lead { font-size: 1.1rem; margin-top: 16px; max-width: 46em; }
.doc { max-width: 48em; }
.doc > * + * { margin-top: 0.8em; }
.lead .doc > p:first-child { font-size: inherit; }
.about, .note { color: var(--muted); font-size: 0.9rem; max-width: 52em; }
.note { margin-top: 8px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px; margin: 0 0 18px; }
.tiles > div { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 16px; }
.tiles dt { color: var(--muted); font-size: 0.85rem; }
.tiles dd { margin: 0; color: var(--muted); font-size: 0.85rem; }
.tiles .value { color: var(--text); font-size: 1.45rem; line-height: 1.3; letter-spacing: -0.01em; font-variant-numeric: tabular-nums; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 18px 20px; }
.frame { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 18px; }
.frame svg { display: block; margin: 0 auto; max-width: none; height: auto; }
.frame.fit svg { max-width: 100%; min-width: 860px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 16px; }
.charts figcaption { margin-bottom: 8px; }
.charts figcaption b { display: block; }
.charts svg { display: block; width: 100%; height: auto; }
.equations { display: grid; gap: 12px; margin-top: 12px; }
.equation { display: grid; grid-template-columns: 150px minmax(0, 1fr); gap: 4px 20px; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 20px; align-items: center; }
.equation h4 { font-size: 0.92rem; font-weight: 600; color: var(--muted); }
.equation .formula { overflow-x: auto; padding: 4px 0; }
.equation .note { grid-column: 2; margin: 0; }
mtable { text-align: left; }
mtd { padding: 0.25em 0; text-align: -webkit-left; text-align: left; }
mtd:first-child:not(:last-child) { text-align: -webkit-right; text-align: right; }
math { font-size: 1.05em; }
math[display="block"] { text-align: left; margin: 0; width: max-content; }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 10px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
th, td { padding: 8px 16px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--grid); }
tr:last-child > * { border-bottom: 0; }
td code, th code { white-space: nowrap; }
thead th { color: var(--muted); font-weight: 500; font-size: 0.85rem; border-bottom-color: var(--rule); white-space: nowrap; }
tbody th { font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 16px; list-style: none; padding: 0; }
.cards .card { height: 100%; }
.cards h3 { font-size: 1.1rem; }
.cards p { margin-top: 6px; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; list-style: none; padding: 0; margin-top: 12px; }
.chips li { font-size: 0.82rem; color: var(--muted); background: var(--soft); border-radius: 6px; padding: 1px 8px; }
.network { margin-top: 40px; }
.network h2, .network h3 { overflow-wrap: anywhere; }
.signature { background: var(--soft); border-radius: 8px; padding: 10px 14px; margin: 10px 0 12px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--accent); font-size: 0.92rem; width: fit-content; }
.source { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 0; margin-top: 10px; overflow-x: auto; line-height: 1.6; counter-reset: line; tab-size: 4; font-size: 0.85rem; }
.source code { display: block; width: max-content; min-width: 100%; font-size: inherit; }
.source .line { display: block; padding-right: 18px; counter-increment: line; white-space: pre; }
.source .line::before { content: counter(line); display: inline-block; width: 3.6em; padding-right: 1.4em; text-align: right; color: var(--comment); user-select: none; }
.comment { color: var(--comment); font-style: italic; }
.source .doc { color: var(--comment); max-width: none; }
.string { color: var(--string); }
.source .number, .signature .number { color: var(--number); text-align: inherit; }
.keyword { color: var(--keyword); }
.key { color: var(--key); }
.operator { color: var(--accent); }
footer { color: var(--muted); font-size: 0.85rem; max-width: 1280px; margin: 0 auto; padding: 0 28px 40px; }
@media (max-width: 900px) {
  .layout { grid-template-columns: minmax(0, 1fr); gap: 20px; padding: 24px 16px 56px; }
  .contents { position: static; max-height: none; }
  .contents ul { display: flex; flex-wrap: wrap; border: 0; gap: 2px 4px; }
  .contents a { padding: 2px 8px 2px 0; }
  .bar > div { padding: 10px 16px; }
  .equation { grid-template-columns: minmax(0, 1fr); padding: 14px 16px; }
  .equation .note { grid-column: 1; }
  footer { padding: 0 16px 32px; }
}
@media print { .bar { position: static; } .contents, .search { display: none; } .layout { display: block; } .card, tr, .equation { break-inside: avoid; } }
`;

/** A picture as a file of its own, with the colours it needs. */
export function standalone(svg: string): string {
  const style = `<style>${theme.replaceAll(':root', 'svg')}${pictureStyle}svg { background: var(--card); }</style>`;
  return svg.replace(/^(<svg[^>]*>)/, (tag) => `${tag}${style}`);
}
