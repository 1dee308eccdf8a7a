import type { ApiRequest } from './http.ts';
import { MAX_NESTING, structureFault } from './json-structure.ts';
import { Problem } from './problem.ts';

/**
 * The body as JSON, under any content type.
 * @param wanted what the route takes, as an end of the sentence "Send …"
 * @throws Problem 400 that says what is wrong with it, and repeats nothing of it but the name of a key
 */
export function readJson(
  request: Pick<ApiRequest, 'body' | 'isBase64Encoded'>,
  wanted = 'a JSON object with "model" and "input"',
): unknown {
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
function readText({ body, isBase64Encoded }: Pick<ApiRequest, 'body' | 'isBase64Encoded'>): string {
  if (!isBase64Encoded) return (body ?? '').replace(/^\ufeff/, '');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body ?? '', 'base64'));
  } catch {
    throw new UnreadableJson('The body is not UTF-8.');
  }
}
