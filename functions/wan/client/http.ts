import { causeName } from '../../media/download.ts';
import { provesNothingSent } from './network-errors.ts';

/** An answer of Wan's fits in a few kilobytes; a hundred rows of a list in a hundred. */
const maxAnswerBytes = 1024 * 1024;

export type Exchange =
  /** An answer that arrived whole; `body` is undefined if it isn't JSON. */
  | { kind: 'answer'; status: number; body: unknown }
  /** Proven: no byte of the request left. */
  | { kind: 'not_sent'; cause: string }
  /** The request may have been read, and what was answered isn't known. */
  | { kind: 'lost'; cause: string };

export type Sending = {
  readonly fetch: typeof fetch;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | FormData;
  /** Milliseconds for all of it: connecting, sending, and reading the answer. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * One HTTP exchange, told as a value: never throws for what a network can do.
 * Redirects aren't followed, since the request carries a key; answers over
 * 1 MiB aren't read. A cause is a short name, such as `timeout` or `ECONNRESET`.
 */
export async function exchange(sending: Sending): Promise<Exchange> {
  const { fetch, url, method, headers, body, timeout, signal } = sending;
  if (signal?.aborted) return { kind: 'not_sent', cause: 'aborted' };
  const timer = AbortSignal.timeout(timeout);
  const ended = signal ? AbortSignal.any([timer, signal]) : timer;
  const causeOf = (error: unknown) => (signal?.aborted ? 'aborted' : timer.aborted ? 'timeout' : causeName(error));
  let response: Response;
  try {
    response = await fetch(url, { method, headers, redirect: 'manual', signal: ended, ...(body ? { body } : {}) });
  } catch (error) {
    return provesNothingSent(error)
      ? { kind: 'not_sent', cause: causeName(error) }
      : { kind: 'lost', cause: causeOf(error) };
  }
  try {
    const text = await readText(response);
    if (text === undefined) return { kind: 'lost', cause: 'answer_too_large' };
    return { kind: 'answer', status: response.status, body: parseJson(text) };
  } catch (error) {
    return { kind: 'lost', cause: causeOf(error) };
  }
}

/** The body as text, or undefined if it is too large; the rest of it is then not read. */
async function readText(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
