/** What the documentation says is what the model does. */
import { describe, expect, it } from 'vitest';
import { architectureOf } from '../../compiler/docs/architecture.js';
import { documentation } from '../../compiler/docs/index.js';
import { equationsOf } from '../../compiler/docs/equations.js';
import { spansOf } from '../../compiler/docs/highlight.js';
import { markdownFiles } from '../../compiler/docs/markdown-pages.js';
import { firstSentence, renderMarkdown } from '../../compiler/docs/markdown.js';
import { drawArchitecture } from '../../compiler/docs/picture.js';
import { searchIndex } from '../../compiler/docs/search.js';
import { siteOf } from '../../compiler/docs/site.js';
import { mathml, symbol } from '../../compiler/docs/tex.js';
import { exampleSpecs, modelOf, small, specOf } from './support.js';

const tex = (text: string): Record<string, string> =>
  Object.fromEntries(
    equationsOf(modelOf(text)).flatMap(({ equations }) => equations.map((e) => [e.title, e.tex])),
  );

describe('equations', () => {
  it('have the names of the spec and say what its process is', () => {
    const nested = tex(small('steps: 50, origin: picture, weights { kind: nested(0.5) }'));
    expect(nested['State at step t']).toContain(
      'u_t = \\sqrt{A_t}\\, Y_{\\mathrm{picture}} + v_t^{(\\mathrm{kind})}\\, Y_{\\mathrm{kind}} + \\sigma_t\\, \\varepsilon',
    );
    expect(nested['State at step t']).toContain('t = 0 \\dots 50');
    expect(nested['Aggregation weights']).toContain('v_t^{(\\mathrm{kind})} = 0.5 \\sqrt{A_t}');
    expect(nested['Predictions']).toContain('\\hat{u}_0 &= D_{u}(\\mathrm{body}, t)');
    expect(nested['Predictions']).toContain('\\sum_{k=1}^{3}');
  });

  it('differ where processes differ', () => {
    const zero = tex(small('steps: 40, retention: 0.5, origin: zero, weights: marginal(linear(0.9, 0))'));
    expect(zero['State at step t']).not.toContain('\\sqrt{A_t}');
    expect(zero['Schedule']).toContain('a_t &= 0.5');
    expect(zero['Aggregation weights']).toContain('0.9 - 0.9\\, \\frac{t - 1}{39}');
    expect(zero['Posterior']).not.toContain('u_0');
    const literal = tex(small('steps: 40, alpha: linear(1e-4, 0.02), weights: step(cosine(0.3))'));
    expect(literal['Schedule']).toContain('a_t &= \\alpha_t / 3');
    expect(literal['Aggregation weights']).toContain('w_t^{(\\mathrm{kind})} &= 0.3 \\cos');
    const mean = tex(small('steps: 40, origin: mean, weights: nested'));
    expect(mean['State at step t']).toContain('\\tfrac{1}{2} \\sqrt{A_t}');
  });

  it('hold the weights of the loss', () => {
    const loss = tex(
      small(
        'steps: 50, origin: picture, weights { kind: nested }',
        'loss { L0: 0, L1: simplified(weight: 2, snr: min(5)), L2 { kind: mean(0.25) }, L3: 0.5 }',
      ),
    );
    expect(loss['What is minimised']).toBe(
      'L = 2\\, L_1^{\\mathrm{simple}} + 0.25\\, L_2^{(\\mathrm{kind})} + 0.5\\, L_3',
    );
    expect(loss['Terms']).toContain('\\min\\!\\left( c_j(t)^2 / \\sigma_t^2,\\; 5 \\right)');
    const learned = tex(
      small(
        'steps: 50, origin: picture, weights { kind: nested }',
        'loss { L0: 0, L1: 2, L2: 0, L3: 0, balance: uncertainty }',
      ),
    );
    expect(learned['What is minimised']).toBe(
      'L = 2\\, \\left[ e^{-s_{1}} \\left( L_1 - \\min L_1 \\right) + \\tfrac{1}{2} s_{1} \\right]',
    );
    expect(mathml(learned['What is minimised']!, true).text).not.toContain('mathcolor="#cc0000"');
    const p2 = tex(
      small(
        'steps: 50, origin: picture, weights { kind: nested }',
        'loss { L1: simplified(snr: p2(k: 0.5, gamma: 2)) }',
      ),
    );
    expect(p2['Terms']).toContain('\\frac{c_j(t)^2 / \\sigma_t^2}{( 0.5 + c_j(t)^2 / \\sigma_t^2 )^{2}}');
  });

  it('are all read by KaTeX', () => {
    for (const { analysis } of exampleSpecs()) {
      for (const model of analysis.models.values()) {
        for (const { equations } of equationsOf(model)) {
          for (const e of equations) {
            const { text } = mathml(e.tex, true);
            expect(text, `${model.info.name}: ${e.title}`).toMatch(/^<math /);
            expect(text).not.toContain('mathcolor="#cc0000"');
          }
        }
      }
    }
  });

  it('write names upright, and underscores as they are', () => {
    expect(symbol('z')).toBe('z');
    expect(symbol('my_data')).toBe('\\mathrm{my\\_data}');
    expect(mathml('\\frac{', false).text).toBe('<code>\\frac{</code>');
    expect(mathml('\\href{https://example.org}{x}', false).text).not.toContain('<a ');
  });
});

describe('the picture', () => {
  it('has every declaration, joined as the data flow', () => {
    const model = modelOf(small('steps: 50, origin: picture, weights { kind: nested }'));
    const { boxes, edges } = architectureOf(model);
    expect(boxes.map((b) => b.id).sort()).toEqual(
      [
        ...['data picture', 'data kind', 'encoder picture', 'encoder kind', 'noise', 'space', 'given', 't'],
        ...['backbone', 'decoder u', 'decoder kind', 'task both', 'task name'],
      ].sort(),
    );
    const pairs = edges.map(({ from, to }) => `${from} > ${to}`);
    for (const pair of [
      'data kind > encoder kind',
      'encoder kind > space',
      'encoder kind > given',
      'given > backbone',
      'backbone > decoder u',
      // The picture is the origin, which the space's decoder predicts.
      'decoder u > task both',
      'decoder kind > task name',
    ]) {
      expect(pairs).toContain(pair);
    }
    expect(pairs).not.toContain('decoder u > task name');
  });

  it('places boxes apart from each other, and text inside them', () => {
    for (const { analysis } of exampleSpecs()) {
      for (const model of analysis.models.values()) {
        const svg = drawArchitecture(model).text;
        const boxes = [
          ...svg.matchAll(/<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"/g),
        ].map((m) => m.slice(1).map(Number));
        expect(boxes.length).toBeGreaterThan(8);
        for (const [i, [x, y, w, h]] of boxes.entries()) {
          for (const [x2, y2, w2, h2] of boxes.slice(i + 1)) {
            expect(x + w <= x2 || x2 + w2 <= x || y + h <= y2 || y2 + h2 <= y).toBe(true);
          }
        }
      }
    }
  });
});

describe('a site', () => {
  const specs = exampleSpecs();
  const files = documentation(specs);

  it('has a page for every model and every module of networks, in both forms', () => {
    for (const name of ['Digits', 'DigitsReinjected', 'Scenes']) {
      expect(files.has(`models/${name}.html`)).toBe(true);
      expect(files.has(`models/${name}.md`)).toBe(true);
      expect(files.get(`models/${name}-architecture.svg`)).toMatch(/^<svg [^>]*xmlns=/);
    }
    expect(files.get('networks/std-backbones.html')).toContain(
      'network</span> UNet(<span class="key">x</span>',
    );
    expect(files.get('networks/std-prelude.html')).toContain('id="attention"');
  });

  it('gives every default with its reason', () => {
    for (const { analysis } of specs) {
      for (const { info } of analysis.models.values()) {
        const page = files.get(`models/${info.name}.html`)!;
        const rows = /id="defaults".*?<tbody>(.*?)<\/tbody>/s.exec(page)![1].match(/<tr>/g);
        expect(rows).toHaveLength(info.defaults.length);
      }
    }
    expect(files.get('models/Scenes.md')).toContain('a term of the bound counts once');
  });

  it('has links that lead somewhere', () => {
    let count = 0;
    for (const [path, text] of files) {
      if (!path.endsWith('.html')) continue;
      for (const [, href] of text.matchAll(/ href="([^"]*)"/g)) {
        const url = new URL(href, `http://site/${path}`);
        const target = files.get(url.pathname.slice(1));
        expect(target, `${path}: ${href}`).toBeDefined();
        if (url.hash !== '') expect(target).toContain(` id="${url.hash.slice(1)}"`);
        count++;
      }
    }
    expect(count).toBeGreaterThan(100);
  });

  it('has Markdown links and pictures that lead somewhere', () => {
    for (const [path, text] of files) {
      if (!path.endsWith('.md')) continue;
      for (const [, href] of text.matchAll(/\]\(([^)]*)\)/g)) {
        const url = new URL(href, `http://site/${path}`);
        expect(files.has(url.pathname.slice(1)), `${path}: ${href}`).toBe(true);
      }
    }
  });

  it('is the same each time', () => {
    expect(documentation(exampleSpecs())).toEqual(files);
  });

  it('keeps models of one name apart, also where case does not count', () => {
    const one = small('steps: 50, origin: picture, weights { kind: nested }');
    const site = siteOf([
      specOf(one, 'a.mmd'),
      specOf(one, 'b.mmd'),
      specOf(one.replace('model Small', 'model SMALL'), 'c.mmd'),
    ]);
    expect(site.models.map(({ slug }) => slug)).toEqual(['Small', 'Small-2', 'SMALL-3']);
  });
});

describe('text of a spec', () => {
  it('is Markdown without HTML, pictures or scripts', () => {
    const html = renderMarkdown(
      '# Title\n\n<b>x</b> **bold** `a<b` ![p](https://example.org/p.png) [l](javascript:alert(1)) [m](https://example.org) $z_0 < 1$ for 5 $ and 6 $',
    ).text;
    expect(html).toContain('<h4>Title</h4>');
    expect(html).toContain('&lt;b&gt;x&lt;/b&gt; <strong>bold</strong> <code>a&lt;b</code>');
    expect(html).not.toMatch(/<img|<b>|href="javascript/);
    expect(html).toContain('<a href="https://example.org" rel="noreferrer">m</a>');
    expect(html.match(/<math/g)).toHaveLength(1);
    expect(html).toContain('5 $ and 6 $');
    expect(firstSentence('One thing\nis said. Then another.\n\nMore.')).toBe('One thing is said.');
  });

  it('cannot end the search index', () => {
    const index = searchIndex([{ title: '</script><b>', kind: '&', url: 'u', text: '\u2028' }]);
    expect(index).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(index)).toEqual([['</script><b>', '&', 'u', '\u2028']]);
  });

  it('stays text in Markdown pages', () => {
    const doc = '/// <img src=x onerror=alert(1)> and `<code>` | <script>alert(1)</script>\n';
    const text = small('steps: 50, origin: picture, weights { kind: nested }', '', doc);
    const page = markdownFiles(siteOf([specOf(text)]), 'A <b>title</b>');
    expect(page.get('index.md')).toMatch(/^# A &lt;b&gt;title&lt;\/b&gt;/);
    const [before] = page.get('models/Small.md')!.split('## Source');
    expect(before).not.toMatch(/<img|<script/);
    expect(before).toContain('`<code>`');
  });
});

describe('highlighting', () => {
  it('covers tokens in order without overlap, whatever the text', () => {
    const text = 'model "x {\n // c\n/// d\nlet a = 3 |> f(b: 2e5)\n@ 😀 }';
    const spans = spansOf(text);
    spans.slice(1).forEach((span, i) => expect(span.start).toBeGreaterThanOrEqual(spans[i].end));
    const words = spans.map(({ start, end, kind }) => `${kind} ${text.slice(start, end)}`);
    for (const word of ['keyword model', 'comment // c', 'doc /// d', 'number 3', 'operator |>', 'key b'])
      expect(words).toContain(word);
  });
});
