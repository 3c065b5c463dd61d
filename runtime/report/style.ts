/**
 * The style sheet of the page: light and dark, wide and narrow, screen and paper. Text and lines keep a contrast of
 * at least 4.5 and 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11).
 *
 * @module
 */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #1b2027; --muted: #59626e; --rule: #ccd2da; --grid: #eaedf1;
  --accent: #2457c5; --alert: #a3261b; --alert-page: #fdeceb;
  --series-1: #2457c5; --series-2: #c2480b; --series-3: #0c7c6c; --series-4: #9c2fa0;
  --series-5: #6b6a00; --series-6: #b3263c; --series-7: #4a5a78; --series-8: #0f7fa8;
  --comment: #5d6875; --string: #0c6b4a; --number: #9a4a00; --keyword: #7c2ea3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --card: #1d2128; --text: #e5e9ef; --muted: #a0aab8; --rule: #414956; --grid: #2a303a;
    --accent: #8fb1ff; --alert: #ff9a8f; --alert-page: #3a1f1d;
    --series-1: #82a8ff; --series-2: #ff9f5f; --series-3: #45cfb8; --series-4: #e08be4;
    --series-5: #cfcb4b; --series-6: #ff8497; --series-7: #aab8d4; --series-8: #5cc4ec;
    --comment: #949faf; --string: #7fd6a8; --number: #f2b26b; --keyword: #d6a1f5;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
}
main, .top, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
h1, h2, h3, p, dl, figure, ul { margin: 0; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; letter-spacing: -0.01em; margin-bottom: 12px; }
h3 { font-size: 1.05rem; margin-top: 28px; }
section { margin-top: 48px; scroll-margin-top: 56px; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
.quiet { color: var(--muted); font-size: 0.9rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }

.top { padding-top: 40px; }
.facts { display: flex; flex-wrap: wrap; gap: 2px 20px; margin-top: 8px; }
.facts code { overflow-wrap: anywhere; }
nav { position: sticky; top: 0; z-index: 1; background: var(--page); border-bottom: 1px solid var(--rule); margin-top: 20px; }
nav ul { display: flex; gap: 20px; max-width: 1120px; margin: 0 auto; padding: 9px 24px; list-style: none; overflow-x: auto; }
nav a { color: var(--muted); text-decoration: none; font-size: 0.9rem; white-space: nowrap; }
nav a:hover { color: var(--accent); text-decoration: underline; }

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 14px; margin-top: 24px; }
.tiles div { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 18px; }
.tiles dt { color: var(--muted); font-size: 0.85rem; }
.tiles dd { margin: 0; }
.tiles .value { font-size: 1.6rem; line-height: 1.25; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.notes { margin-top: 16px; border-left: 4px solid var(--accent); background: var(--card); border-radius: 4px 10px 10px 4px; padding: 10px 18px; }
.notes p + p { margin-top: 6px; }
.alert { color: var(--alert); background: var(--alert-page); border-radius: 6px; padding: 4px 10px; font-size: 0.85rem; margin-top: 6px; }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 310px), 1fr)); gap: 14px; margin-top: 12px; }
.charts.two { grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 16px 10px; min-width: 0; }
.card.wide { margin-top: 12px; }
.card figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 8px; margin-bottom: 6px; }
.about { color: var(--muted); font-size: 0.85rem; }
.last { margin-left: auto; font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }
.chart { overflow-x: auto; }
.chart svg { display: block; width: 100%; height: auto; }
.card.wide .chart svg { min-width: 560px; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 0.85rem; margin-top: 4px; }
.legend .key { vertical-align: 0.1em; margin-right: 4px; }
.scales fieldset { border: 0; padding: 0; margin: 0 0 8px; display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 0.9rem; align-items: center; }
.scales legend { float: left; color: var(--muted); padding: 0; margin-right: 16px; }
.scales input { accent-color: var(--accent); }
.scales .linear { display: none; }
.scales:has(.choose-linear:checked) .linear { display: block; }
.scales:has(.choose-linear:checked) .log { display: none; }

.task { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 18px 18px; margin-top: 14px; }
.task header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 14px; margin-bottom: 10px; }
.task h3 { margin: 0; }
.files { position: absolute; }
.cells { list-style: none; padding: 0; margin-top: 8px; display: flex; flex-wrap: wrap; gap: 12px 10px; }
.cells figure, .pictures div { display: flex; flex-direction: column; }
.pictures { display: flex; gap: 3px; }
.cells svg { display: block; border-radius: 4px; image-rendering: pixelated; }
.files image { image-rendering: pixelated; }
.cells span, .cells figcaption { width: 0; min-width: 100%; text-align: center; font-size: 0.78rem; line-height: 1.35; overflow-wrap: anywhere; }
.cells figcaption { font-variant-numeric: tabular-nums; margin-top: 2px; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--rule); font-size: 0.92rem; }
caption { text-align: left; color: var(--muted); font-size: 0.9rem; padding-bottom: 8px; }
th, td { padding: 7px 14px; border-bottom: 1px solid var(--grid); text-align: right; font-variant-numeric: tabular-nums; vertical-align: top; }
th[scope="row"], th:first-child { text-align: left; font-weight: 500; }
thead th { color: var(--muted); font-weight: 500; font-size: 0.85rem; border-bottom-color: var(--rule); }
th.text, td.text { text-align: left; color: var(--muted); width: 40%; }
.bar { width: 100%; height: 8px; display: block; margin-top: 8px; }
.bar rect { fill: var(--series-1); }
.bar .all { fill: var(--grid); }
.figures td:not(.text) { white-space: nowrap; }
details { margin-top: 14px; }
summary { cursor: pointer; color: var(--accent); font-size: 0.92rem; width: fit-content; }
details[open] summary { margin-bottom: 10px; }

.settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 0 32px; }
.settings div { display: flex; gap: 12px; justify-content: space-between; border-bottom: 1px solid var(--rule); padding: 6px 0; font-size: 0.92rem; }
.settings dt { color: var(--muted); }
.settings dd { margin: 0; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }

.source { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 0; margin: 10px 0 0; overflow-x: auto; line-height: 1.55; counter-reset: line; tab-size: 4; }
.source code { display: block; width: max-content; min-width: 100%; }
.source .line { display: block; padding-right: 18px; counter-increment: line; white-space: pre; }
.source .line::before { content: counter(line); display: inline-block; width: 3.4em; padding-right: 1.2em; text-align: right; color: var(--comment); user-select: none; }
.source .comment { color: var(--comment); font-style: italic; }
.source .string { color: var(--string); }
.source .number { color: var(--number); }
.source .keyword { color: var(--keyword); }
.source .operator { color: var(--accent); }
footer { color: var(--muted); font-size: 0.85rem; padding-top: 40px; padding-bottom: 48px; }

@media (max-width: 600px) {
  main, .top, footer { padding-left: 14px; padding-right: 14px; }
  nav ul { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 1.6rem; }
}
@media print {
  nav, fieldset { display: none; }
  body { background: none; }
  .card, .task, tr { break-inside: avoid; }
}
`;
