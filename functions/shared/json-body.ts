import { ProblemError } from './problem.ts';

/** The body in an API Gateway event. */
interface EncodedBody {
  body: string | null;
  isBase64Encoded: boolean;
}

/**
 * Parses the body as JSON, regardless of its content type.
 * @param expected what the route accepts, completing the sentence "Send …"
 * @throws ProblemError 400 with the reason, without any part of the body
 */
export function readJson(request: EncodedBody, expected = 'a JSON object with "model" and "input"'): unknown {
  try {
    const text = readText(request);
    if (text.trim() === '') throw new UnreadableJson('The body is empty.');
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof UnreadableJson)) throw error;
    const title = 'The body is not valid JSON.';
    throw new ProblemError(400, { code: 'invalid_json', title, detail: `${error.message} Send ${expected}.` });
  }
}

/** The message is a sentence with the reason why a text is not accepted as JSON. */
export class UnreadableJson extends Error {
  override readonly name = 'UnreadableJson';
}

/**
 * Parses JSON from a client. Of duplicate keys the last value counts, as everywhere in JavaScript.
 * @throws UnreadableJson
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text))
    throw new UnreadableJson(`Its objects and arrays are nested more than ${MAX_NESTING} levels deep.`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const position = / at (position \d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw new UnreadableJson(`The JSON is truncated or has a syntax error${position ? ` at ${position}` : ''}.`);
  }
}

/** Maximum nesting of objects and arrays; no valid request has more than three levels. Bounds recursion over a parsed body. */
export const MAX_NESTING = 32;

function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  // Matches only relevant characters, because most of a large body is one long string.
  for (const [mark] of text.matchAll(/\\.|["{}[\]]/gs)) {
    if (mark === '"') inString = !inString;
    else if (inString) continue;
    else if (mark === '{' || mark === '[') depth++;
    else if (mark === '}' || mark === ']') depth--;
    if (depth > MAX_NESTING) return true;
  }
  return false;
}

/**
 * Returns the body's text without a byte order mark, which some editors write. API Gateway decodes text leniently: it replaces bytes that
 * are not UTF-8 with U+FFFD. A prompt with that character has lost text, so it is not paid for. NUL is a trace of UTF-16 and UTF-32.
 */
function readText({ body, isBase64Encoded }: EncodedBody): string {
  const text = isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString() : (body ?? '');
  if (/[\ufffd\0]/.test(text))
    throw new UnreadableJson('The body is not UTF-8, or it contains U+FFFD, which replaces lost characters.');
  return text.replace(/^\ufeff/, '');
}

/** Returns the fields that are not undefined, a value that DynamoDB and JSON do not have. */
export const omitUndefined = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

/**
 * Serializes a value as JSON with sorted fields, so that equal values have equal text. Clients and DynamoDB may return the fields of an
 * object in any order.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortFields);

function sortFields(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** True for a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
