import type { ApiRequest } from './http.ts';
import { Problem } from './problem.ts';

/**
 * The body as JSON, under any content type.
 * @throws Problem 400 that says what is wrong with it, and never repeats any of it
 */
export function readJson(request: Pick<ApiRequest, 'body' | 'isBase64Encoded'>): unknown {
  const text = readText(request);
  if (text.trim() === '') throw invalidJson('The body is empty.');
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const where = / at (position \d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw invalidJson(`The JSON breaks off or has a mistake${where ? ` at ${where}` : ''}.`);
  }
}

/** Without the byte order mark that some editors begin a file with. */
function readText({ body, isBase64Encoded }: Pick<ApiRequest, 'body' | 'isBase64Encoded'>): string {
  if (!isBase64Encoded) return (body ?? '').replace(/^\ufeff/, '');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body ?? '', 'base64'));
  } catch {
    throw invalidJson('The body is not UTF-8.');
  }
}

const invalidJson = (what: string) =>
  new Problem(400, {
    code: 'invalid_json',
    title: 'The body is not valid JSON.',
    detail: `${what} Send a JSON object with "model" and "input".`,
  });
