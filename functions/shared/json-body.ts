import { ProblemError } from './problem.ts';

/** A body as API Gateway passes it on. */
interface EncodedBody {
  body: string | null;
  isBase64Encoded: boolean;
}

/**
 * The body as JSON, under any content type.
 * @param wanted what the route takes, as an end of the sentence "Send …"
 * @throws Problem 400 that says what is wrong with it, and repeats nothing of it
 */
export function readJson(request: EncodedBody, wanted = 'a JSON object with "model" and "input"'): unknown {
  try {
    const text = readText(request);
    if (text.trim() === '') throw new UnreadableJson('The body is empty.');
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof UnreadableJson)) throw error;
    const title = 'The body can not be read as JSON.';
    throw new ProblemError(400, { code: 'invalid_json', title, detail: `${error.message} Send ${wanted}.` });
  }
}

/** Says in a sentence why a text is not JSON that is accepted here. */
export class UnreadableJson extends Error {
  override readonly name = 'UnreadableJson';
}

/**
 * Parses JSON that somebody sent. Of a key that an object has twice the last value counts, as everywhere in JavaScript.
 * @throws UnreadableJson
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) throw new UnreadableJson(`Its objects and lists are nested more than ${MAX_NESTING} deep.`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const where = / at (position \d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw new UnreadableJson(`The JSON breaks off or has a mistake${where ? ` at ${where}` : ''}.`);
  }
}

/** Objects and lists within each other; no request has more than three. What works on a parsed body may recurse. */
export const MAX_NESTING = 32;

function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  // Only what counts is matched: most of a large body is one long string.
  for (const [mark] of text.matchAll(/\\.|["{}[\]]/gs)) {
    if (mark === '"') inString = !inString;
    else if (inString) continue;
    else if (mark === '{' || mark === '[') depth++;
    else if (mark === '}' || mark === ']') depth--;
    if (depth > MAX_NESTING) return true;
  }
  return false;
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

/**
 * A value as JSON with the fields of every object in one order: the same text for whatever is the same, in whichever order a client
 * wrote its fields or the table gave them back (DynamoDB promises none within a map).
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortFields);

function sortFields(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
