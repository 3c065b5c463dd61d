/**
 * The page of a run that is watched: figures and curves, which a small script asks for again and again.
 *
 * @module
 */
import { lossSection } from './curves.js';
import type { Html } from '../../compiler/docs/html.js';
import { markup, trusted } from '../../compiler/docs/html.js';
import type { LogRecord, ParameterInfo } from './model.js';
import { overview } from './page.js';
import { style } from './style.js';

export interface LiveRun {
  readonly log: readonly LogRecord[];
  readonly steps: { readonly done: number; readonly planned: number };
  readonly parameters: readonly ParameterInfo[];
  /** Newest last. */
  readonly events: readonly { readonly at: string; readonly event: string; readonly text: string }[];
  /** What the run is doing, in a few words. */
  readonly state: string;
}

/** Swaps the part in whenever it has changed, keeping the choice of scale. */
const script = `
const part = document.getElementById('part');
const status = document.getElementById('status');
let tag = '';
async function look() {
  try {
    const answer = await fetch('part' + location.search, { headers: tag ? { 'If-None-Match': tag } : {} });
    if (answer.status === 200) {
      const linear = document.querySelector('.choose-linear')?.checked;
      part.innerHTML = await answer.text();
      tag = answer.headers.get('ETag');
      if (linear) document.querySelector('.choose-linear').checked = true;
    }
    status.textContent = answer.ok || answer.status === 304 ? '' : 'The server refuses: ' + answer.status;
  } catch {
    status.textContent = 'The server is gone: these are the last figures.';
  }
  setTimeout(look, 2000);
}
look();
`;

/** The page around the part. @param nonce of the Content-Security-Policy, for style and script */
export function renderLive(title: string, nonce: string): string {
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${trusted(`<style nonce="${nonce}">${style}</style>`)}
      </head>
      <body>
        <header class="top">
          <h1>${title}</h1>
          <p class="alert" id="status" role="status"></p>
        </header>
        <main id="part"><p class="quiet">Reading the log.</p></main>
        ${trusted(`<script nonce="${nonce}">${script}</script>`)}
      </body>
    </html> `.text;
}

/** What changes, as HTML. */
export async function renderLivePart(run: LiveRun): Promise<string> {
  const curves = run.log.length === 0 ? markup`<p>Nothing is logged yet.</p>` : await lossSection(run.log);
  return markup`<p class="quiet" id="state">${run.state}</p>
    ${overview({ ...run, notes: [] })} ${curves} ${events(run)}`.text;
}

function events({ events: all }: LiveRun): Html {
  return markup`<section id="events">
    <h2>Events</h2>
    <ul>
      ${all
        .slice(-20)
        .toReversed()
        .map((e) => markup`<li><span class="quiet">${e.at}</span> <b>${e.event}</b> ${e.text}</li>`)}
    </ul>
  </section>`;
}
