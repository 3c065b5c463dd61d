/**
 * The head that every page of a report has.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { markup, trusted, type Html } from '../../compiler/docs/html.js';
import { style } from './style.js';

const styleHash = createHash('sha256').update(style).digest('base64');

export interface HeadOptions {
  /** Seconds after which the page loads itself again. */
  readonly refresh?: number | undefined;
  /** Whether there are pictures in the page. */
  readonly pictures?: boolean;
}

/** Nothing is loaded from anywhere, nothing runs: whatever a spec contains, it stays text. */
export function pageHead(title: string, { refresh, pictures = false }: HeadOptions = {}): Html {
  const images = pictures ? ' img-src data:;' : '';
  const policy = `default-src 'none';${images} style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;
  return markup`<head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${trusted(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="mmdc" />
        ${refresh === undefined ? undefined : markup`<meta http-equiv="refresh" content="${refresh}" />`}
        <title>${title}</title>
        ${trusted(`<style>${style}</style>`)}
      </head>`;
}
