import { pointerTo } from './issues.ts';
import { Problem } from './problem.ts';

/** A body as API Gateway passes it on. */
interface EncodedBody {
  body: string | null;
  isBase64Encoded: boolean;
}

/**
 * The body as JSON, under any content type.
 * @param wanted what the route takes, as an end of the sentence "Send …"
 * @throws Problem 400 that says what is wrong with it, and repeats nothing of it but the name of a key
 */
export function readJson(request: EncodedBody, wanted = 'a JSON object with "model" and "input"'): unknown {
  try {
    return parse(readText(request));
  } catch (error) {
    if (!(error instanceof UnreadableJson)) throw error;
    const title = 'The body can not be read as JSON.';
    throw new Problem(400, { code: 'invalid_json', title, detail: `${error.message} Send ${wanted}.` });
  }
}

/** Says in a sentence why a body can't be read. */
class UnreadableJson extends Error {
  override readonly name = 'UnreadableJson';
}

function parse(text: string): unknown {
  if (text.trim() === '') throw new UnreadableJson('The body is empty.');
  const fault = structureFault(text);
  if (fault?.fault === 'too_deep') {
    throw new UnreadableJson(`Its objects and lists lie more than ${MAX_NESTING} deep within each other.`);
  }
  if (fault) throw new UnreadableJson(`An object has a key twice: the second is at ${JSON.stringify(fault.pointer)}.`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const where = / at (position \d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw new UnreadableJson(`The JSON breaks off or has a mistake${where ? ` at ${where}` : ''}.`);
  }
}

/** Without the byte order mark that some editors begin a file with. */
function readText({ body, isBase64Encoded }: EncodedBody): string {
  if (!isBase64Encoded) return (body ?? '').replace(/^\ufeff/, '');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body ?? '', 'base64'));
  } catch {
    throw new UnreadableJson('The body is not UTF-8.');
  }
}

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

/**
 * A value as JSON with the fields of every object in one order: the same text for whatever is the same, in whichever order a client
 * wrote its fields or the table gave them back (DynamoDB promises none within a map).
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortFields);

function sortFields(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
