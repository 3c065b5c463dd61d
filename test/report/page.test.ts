import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderReport } from '../../runtime/report/index.js';
import type { RunReport } from '../../runtime/report/index.js';
import { markup, trusted } from '../../compiler/docs/html.js';
import { labels, specText, synthetic } from './synthetic.js';

const VOID = new Set(['meta', 'input', 'link', 'br', 'hr', 'img']);

/** Elements in order of appearance with their attributes; throws where tags do not nest or attributes are not quoted. */
function elements(page: string): { name: string; attributes: Record<string, string> }[] {
  const open: string[] = [];
  const out: { name: string; attributes: Record<string, string> }[] = [];
  const body = page.replace(/^<!doctype html>/, '').replace(/(<style>)[^<]*(<\/style>)/, '$1$2');
  for (const [tag, end, name, rest, selfClosed] of body.matchAll(
    /<(\/?)([a-z]\w*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*(\/?)>|</gi,
  )) {
    if (name === undefined) throw new Error(`stray < in ${JSON.stringify(tag)}`);
    if (end === '/') {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes <${last}>`);
      continue;
    }
    const attributes = Object.fromEntries(
      [...rest.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map((m) => [m[1], m[2] ?? '']),
    );
    out.push({ name, attributes });
    if (selfClosed === '' && !VOID.has(name)) open.push(name);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(' ')}`);
  return out;
}

const text = (page: string) => page.replace(/<[^>]*>/g, '').replace(/\s+/g, ' ');

describe('the page', async () => {
  const report = synthetic();
  const page = await renderReport(report);
  const all = elements(page);

  it('is well formed, with ids that are unique and references that lead somewhere', () => {
    const ids = all.flatMap((e) => e.attributes.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const links = all.filter((e) => ['a', 'use'].includes(e.name)).map((e) => e.attributes.href.slice(1));
    expect(links.length).toBeGreaterThan(20);
    for (const link of links) expect(ids).toContain(link);
  });

  it('needs nothing from outside and runs nothing', () => {
    expect(
      all.filter((e) => ['script', 'link', 'iframe', 'object', 'foreignObject'].includes(e.name)),
    ).toEqual([]);
    for (const { attributes } of all) {
      expect(Object.keys(attributes).filter((a) => /^on|^style$/i.test(a))).toEqual([]);
      for (const name of ['src', 'href', 'xlink:href']) {
        expect(attributes[name] ?? '#').toMatch(/^#|^data:image\/png;base64,/);
      }
    }
    const csp = all.find((e) => e.attributes['http-equiv'] === 'Content-Security-Policy')!.attributes.content;
    const style = /<style>([^<]*)<\/style>/.exec(page)![1];
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(csp).not.toContain('unsafe');
  });

  it('draws every term and the process, and says how it was smoothed', () => {
    const charts = all.filter((e) => e.attributes.class?.startsWith('chart') && e.attributes.role === 'img');
    const labelled = charts.map((c) => c.attributes['aria-label']);
    for (const name of [
      'loss',
      'L0',
      'L1',
      'L2 image',
      'L2 mask',
      'L2 label',
      'L1 uniform',
      'gradient norm',
    ]) {
      expect(labelled).toContain(`${name} over training steps, log scale`);
      expect(labelled).toContain(`${name} over training steps, linear scale`);
    }
    // L3 is zero throughout: it has no logarithm.
    expect(labelled).toContain('L3 over training steps, linear scale');
    expect(labelled).not.toContain('L3 over training steps, log scale');
    expect(labelled).toContain('Coefficients over diffusion time');
    expect(labelled).toContain('Signal-to-noise ratio over diffusion time');
    expect(text(page)).toContain('moving mean over 13 logged steps');
    expect(text(page)).toContain('lowest and the highest value in every 3 logged steps');
  });

  it('cuts every picture out of its file and puts its caption under it', () => {
    const files = all.filter((e) => e.name === 'image');
    expect(files).toHaveLength(5);
    const png = Buffer.from(files[0].attributes.href.split(',')[1], 'base64');
    expect(new Uint8Array(png)).toEqual(report.samples[0].images[0].png);
    // 8 pictures of 32 pixels across, 2 pixels between and around them.
    expect(files[0].attributes).toMatchObject({ width: '274', height: '104' });
    const pictures = all.filter((e) => e.attributes.viewBox !== undefined && e.attributes.role === 'img');
    expect(pictures).toHaveLength(5 * 24);
    // Sample 10 (row 2, column 2) of the first task: image, then mask.
    expect(pictures[18].attributes).toMatchObject({ viewBox: '36 36 32 32', width: '96', height: '96' });
    expect(pictures[18].attributes['aria-label']).toBe(`image 10: ${labels[9]}`);
    expect(pictures[19].attributes['aria-label']).toBe(`mask 10: ${labels[9]}`);
    const captions = [...page.matchAll(/<figcaption>([^<]*)<\/figcaption>/g)].map((m) => m[1]);
    expect(captions).toEqual([...labels, ...labels, ...labels]);
    expect(text(page)).toContain('image, given');
  });

  it('has headings, table headings and a name for everything that is a picture', () => {
    expect(all.filter((e) => e.name === 'h1')).toHaveLength(1);
    expect(all.find((e) => e.name === 'html')!.attributes.lang).toBe('en');
    for (const e of all) {
      if (e.name === 'th') expect(['row', 'col']).toContain(e.attributes.scope);
      if (e.name === 'svg') expect(e.attributes['aria-hidden'] ?? e.attributes['aria-label']).toBeTruthy();
      if (e.attributes.role === 'img') expect(e.attributes['aria-label']).not.toBe('');
    }
  });

  it('shows figures, settings and the spec as it is', () => {
    const plain = text(page);
    for (const part of [
      '0.01234',
      '2,048',
      '3.1 × 10⁻⁴',
      '202,626 in 17 tensors',
      'sha256:6b1f0e9c5f3a4d77',
    ]) {
      expect(plain).toContain(part);
    }
    const source = /<pre class="source".*?<\/pre>/s.exec(page)![0];
    const unescaped = source
      .replace(/<[^>]*>/g, '')
      .replaceAll('&gt;', '>')
      .replaceAll('&lt;', '<')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&');
    expect(unescaped).toBe(specText);
    expect(source.match(/class="line"/g)).toHaveLength(specText.split('\n').length - 1);
    expect(source).toContain('<span class="keyword">modality</span>');
    expect(source).toContain('<span class="comment">// an hour on two cores</span>');
  });

  it('is the same each time', async () => {
    expect(await renderReport(synthetic())).toBe(page);
  });
});

/** Every string of a report replaced by one that tries to get out of where it is put. */
function hostile(value: unknown, attack: string): unknown {
  if (typeof value === 'string') return attack;
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((v) => hostile(v, attack));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [
      k,
      k === 'L2' || k === 'simplified' ? { [attack]: 1 } : hostile(v, attack),
    ]),
  );
}

describe('hostile input', () => {
  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    '</style></pre></svg><svg onload=alert(1)>',
    '<!-- --!> ]]> &lt;b&gt; &amp;',
    'javascript:alert(1)//${1}`',
    'url(#x) datum["a"] \\u0022 [0].b',
  ])('%s stays text', async (attack) => {
    const clean = elements(await renderReport(hostile(synthetic(30), 'A') as RunReport));
    const page = await renderReport(hostile(synthetic(30), attack) as RunReport);
    const names = (list: ReturnType<typeof elements>) =>
      list
        .filter((e) => e.name !== 'span' && e.name !== 'code')
        .map((e) => `${e.name} ${Object.keys(e.attributes).join(' ')}`);
    // The same elements with the same attributes as from harmless text, but for the colours of the listing.
    expect(names(elements(page))).toEqual(names(clean));
    expect(page).not.toContain('<script');
  });

  it('does not believe that a file is a PNG', async () => {
    const report = synthetic(3);
    const image = { name: 'image', png: new Uint8Array(40), alt: '' };
    const task = { task: 't', given: [], produced: ['image'], caption: '', images: [image] };
    await expect(renderReport({ ...report, samples: [task] })).rejects.toThrow(RangeError);
  });
});

describe('runs that are not whole', () => {
  it('leave out what there is nothing to say of', async () => {
    const page = await renderReport({
      ...synthetic(0),
      finished: undefined,
      steps: { done: 0, planned: 100 },
      samples: [],
      metrics: [],
      parameters: [],
      settings: [],
      notes: [],
      process: { components: [], sigma: [] },
    });
    const ids = elements(page).flatMap((e) => (e.name === 'section' ? [e.attributes.id] : []));
    expect(ids).toEqual(['spec']);
    expect(text(page)).toContain('not finished');
    expect(text(page)).toContain('of 100 planned');
  });

  it('say at which steps values were not finite', async () => {
    const report = synthetic(20);
    const log = report.log.map((r, i) => (i === 7 ? { ...r, loss: NaN, L1: Infinity } : r));
    const page = await renderReport({ ...report, log });
    elements(page);
    expect(text(page).match(/Not finite, and so not drawn, at step 80\./g)).toHaveLength(2);
    expect(page).not.toMatch(/[ML,]NaN|Infinity/);
    const none = await renderReport({ ...report, log: report.log.map((r) => ({ ...r, L0: NaN })) });
    expect(text(none)).toContain('No finite value was logged.');
  });
});

describe('the style', () => {
  /** WCAG 2.2: relative luminance and contrast ratio. */
  const luminance = (hex: string): number => {
    const [r, g, b] = [1, 3, 5]
      .map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string): number => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };

  it('keeps its contrast in light and in dark', async () => {
    const { style } = await import('../../runtime/report/style.js');
    const themes = [...style.matchAll(/:root \{([^}]*)\}/g)].map((m) =>
      Object.fromEntries([...m[1].matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((v) => [v[1], v[2]])),
    );
    expect(themes).toHaveLength(2);
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
    for (const theme of themes) {
      for (const name of ['text', 'muted', 'accent']) {
        expect(contrast(theme[name], theme.page), name).toBeGreaterThanOrEqual(4.5);
        expect(contrast(theme[name], theme.card), name).toBeGreaterThanOrEqual(4.5);
      }
      for (const name of ['comment', 'string', 'number', 'keyword']) {
        expect(contrast(theme[name], theme.card), name).toBeGreaterThanOrEqual(4.5);
      }
      expect(contrast(theme.alert, theme['alert-page'])).toBeGreaterThanOrEqual(4.5);
      for (let i = 1; i <= 8; i++)
        expect(contrast(theme[`series-${i}`], theme.card)).toBeGreaterThanOrEqual(3);
    }
  });
});

describe('templates', () => {
  it('escape whatever is not HTML already', () => {
    const inner = markup`<b>${'<&"\''}</b>`;
    expect(inner.text).toBe('<b>&lt;&amp;&quot;&#39;</b>');
    expect(markup`${[inner, trusted('<i>'), 'x', 3, undefined]}`.text).toBe(`${inner.text}<i>x3`);
  });
});
