/**
 * The script of a page: search over all pages. Without it pages are the same but for the search field. The index comes
 * with the page, because a page that is opened from a folder may read no other file.
 *
 * @module
 */

/** One thing that can be found. */
export interface Entry {
  readonly title: string;
  /** What it is: model, network, task, setting. */
  readonly kind: string;
  /** Relative to the site's root. */
  readonly url: string;
  /** More words to find it by, shown below the title. */
  readonly text: string;
}

/** The index as the content of a `<script type="application/json">`; no text of it can end that element. */
export function searchIndex(entries: readonly Entry[]): string {
  return JSON.stringify(entries.map(({ title, kind, url, text }) => [title, kind, url, text])).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export const searchScript = `
(() => {
  const box = document.querySelector('.search');
  const input = box.querySelector('input');
  const list = box.querySelector('ul');
  const status = box.querySelector('[role=status]');
  const root = box.dataset.root;
  const index = JSON.parse(document.getElementById('index').textContent);
  const fold = (text) => text.toLowerCase().normalize('NFKD').replace(/[\\u0300-\\u036f]/g, '');
  const entries = index.map(([title, kind, url, text]) => ({ title, kind, url, text, key: fold(title), all: fold(title + ' ' + kind + ' ' + text) }));
  box.hidden = false;
  const rank = ({ key }, query) => (key === query ? 0 : key.startsWith(query) ? 1 : key.includes(query) ? 2 : 3);
  const close = () => { list.hidden = true; input.setAttribute('aria-expanded', 'false'); };
  const show = () => {
    const query = fold(input.value).trim();
    const words = query.split(/\\s+/).filter(Boolean);
    list.replaceChildren();
    if (words.length === 0) { status.textContent = ''; return close(); }
    const found = entries.filter((e) => words.every((w) => e.all.includes(w)))
      .map((e, i) => [rank(e, words[0]), i, e]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , e]) => e);
    for (const e of found.slice(0, 12)) {
      const item = document.createElement('li');
      const link = document.createElement('a');
      link.href = root + e.url;
      const title = document.createElement('b');
      title.textContent = e.title;
      const kind = document.createElement('span');
      kind.textContent = e.kind;
      kind.className = 'kind';
      const text = document.createElement('span');
      text.textContent = e.text;
      text.className = 'excerpt';
      link.append(title, ' ', kind, text);
      item.append(link);
      list.append(item);
    }
    status.textContent = found.length === 0 ? 'Nothing found' : found.length === 1 ? '1 found' : found.length + ' found';
    list.hidden = found.length === 0;
    input.setAttribute('aria-expanded', String(found.length > 0));
  };
  input.addEventListener('input', show);
  input.addEventListener('focus', show);
  box.addEventListener('keydown', (event) => {
    const links = [...list.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (event.key === 'Escape') { input.value = ''; show(); input.focus(); }
    else if (event.key === 'ArrowDown' && links.length > 0) { event.preventDefault(); links[Math.min(at + 1, links.length - 1)].focus(); }
    else if (event.key === 'ArrowUp' && at >= 0) { event.preventDefault(); (links[at - 1] ?? input).focus(); }
    else if (event.key === 'Enter' && document.activeElement === input && links.length > 0) links[0].click();
  });
  document.addEventListener('keydown', (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); input.focus(); }
  });
  document.addEventListener('click', (event) => { if (!box.contains(event.target)) close(); });
})();
`;
