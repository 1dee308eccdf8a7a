import { pointerTo } from '../wan/violations.ts';

/** Objects and lists within each other; nothing that is taken here has more than three. */
export const MAX_NESTING = 32;
/** Of a pointer to a key, which is the caller's text, no more characters are shown. */
const MAX_POINTER = 100;

/** What JSON may have and no request of ours does: what different readers understand differently, or what exhausts them. */
export type StructureFault = { fault: 'too_deep' } | { fault: 'duplicate_key'; pointer: string };

/** An object or a list that is open, and where in it the scan is. */
interface Container {
  /** The keys so far, once there is one. */
  keys?: Set<string>;
  /** Whether the next string is a key; never in a list. */
  isKeyNext: boolean;
  /** Of an object: the last key. Of a list: the index. */
  at: string | number;
}

/**
 * Looks for what is wrong with a JSON text beyond its grammar: nesting deeper than `MAX_NESTING`, or a key that an object has twice
 * (of which `JSON.parse` would silently take the last, and another reader the first). Keys are compared as what they mean, however
 * they are written. Reads any text once from its beginning to its end, without recursion; whether it is JSON at all is for
 * `JSON.parse` to say.
 */
export function structureFault(text: string): StructureFault | undefined {
  const open: Container[] = [];
  for (let at = 0; at < text.length; at++) {
    const container = open.at(-1);
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at);
        if (container?.isKeyNext && enterKey(container, text.slice(at + 1, end))) {
          return { fault: 'duplicate_key', pointer: pointerOf(open) };
        }
        at = end;
        break;
      }
      case '{':
      case '[':
        if (open.length === MAX_NESTING) return { fault: 'too_deep' };
        open.push(text[at] === '{' ? { isKeyNext: true, at: '' } : { isKeyNext: false, at: 0 });
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        if (typeof container?.at === 'number') container.at++;
        else if (container) container.isKeyNext = true;
        break;
    }
  }
  return undefined;
}

/** The index of the quote that ends a string, or the end of a text that breaks off within one. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

/** Goes to a key of an object. @returns whether the object had it already */
function enterKey(container: Container, written: string): boolean {
  const key = written.includes('\\') ? unescaped(written) : written;
  container.at = key;
  container.isKeyNext = false;
  // Behind a quote no key is a number: the hashes of numbers are known, so a caller could choose keys that all collide.
  const entry = `"${key}`;
  container.keys ??= new Set();
  if (container.keys.has(entry)) return true;
  container.keys.add(entry);
  return false;
}

function unescaped(written: string): string {
  try {
    return String(JSON.parse(`"${written}"`));
  } catch {
    return written;
  }
}

function pointerOf(open: readonly Container[]): string {
  const pointer = open.reduce((parent, { at }) => pointerTo(parent, String(at)), '');
  return pointer.length <= MAX_POINTER ? pointer : `…${pointer.slice(1 - MAX_POINTER)}`;
}
