/**
 * A spec as the fragment of a link: deflated (RFC 1951), then base64url (RFC 4648). Fragments are not sent to servers.
 *
 * @module
 */
import { deflateSync, inflateSync, strFromU8, strToU8 } from 'fflate';

const prefix = '#spec=';
/** Characters of a spec that a link may hold when it is read: more than anyone writes, less than would stop a page. */
const most = 1_000_000;

export function toFragment(text: string): string {
  const bytes = deflateSync(strToU8(text), { level: 9 });
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return prefix + btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The spec of a fragment; undefined where it holds none, null where what it holds is damaged. */
export function fromFragment(fragment: string): string | null | undefined {
  if (!fragment.startsWith(prefix)) return undefined;
  try {
    const binary = atob(fragment.slice(prefix.length).replaceAll('-', '+').replaceAll('_', '/'));
    // A buffer of fixed size: a small link cannot make a text of gigabytes.
    const out = inflateSync(
      Uint8Array.from(binary, (c) => c.charCodeAt(0)),
      { out: new Uint8Array(4 * most) },
    );
    const text = strFromU8(out);
    return text.length > most ? null : text;
  } catch {
    return null;
  }
}
