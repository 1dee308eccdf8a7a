import { causeName, causeOf, fieldOf } from '../../media/download.ts';

/** An answer of Wan's fits in a few kilobytes; a hundred rows of a list in a hundred. */
const maxAnswerBytes = 1024 * 1024;

export type HttpOutcome =
  /** An answer that arrived whole; `body` is undefined if it isn't JSON. */
  | { kind: 'answer'; status: number; body: unknown }
  /** Proven: no byte of the request left. */
  | { kind: 'not_sent'; cause: string }
  /** The request may have been read, and what was answered isn't known. */
  | { kind: 'lost'; cause: string };

export type HttpRequest = {
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
export async function sendRequest(sending: HttpRequest): Promise<HttpOutcome> {
  const { fetch, url, method, headers, body, timeout, signal } = sending;
  if (signal?.aborted) return { kind: 'not_sent', cause: 'aborted' };
  const timer = AbortSignal.timeout(timeout);
  const ended = signal ? AbortSignal.any([timer, signal]) : timer;
  const nameOf = (error: unknown) => (signal?.aborted ? 'aborted' : timer.aborted ? 'timeout' : causeName(error));
  let response: Response;
  try {
    response = await fetch(url, { method, headers, redirect: 'manual', signal: ended, ...(body ? { body } : {}) });
  } catch (error) {
    return provesNothingSent(error)
      ? { kind: 'not_sent', cause: causeName(error) }
      : { kind: 'lost', cause: nameOf(error) };
  }
  try {
    const text = await readText(response);
    if (text === undefined) return { kind: 'lost', cause: 'answer_too_large' };
    return { kind: 'answer', status: response.status, body: parseJson(text) };
  } catch (error) {
    return { kind: 'lost', cause: nameOf(error) };
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

/** TLS failures of the handshake, which comes before any byte of the request. */
const handshakeFailures = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_HANDSHAKE_TIMEOUT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
]);

/** Errors that only looking up a name or opening a connection can end in. */
const connectFailures = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * True only if an error of `fetch` proves that no byte of the request left:
 * the name was not found, the connection not made, the TLS handshake not done.
 * Anything else, a reset above all, may have come after the request was read.
 */
export function provesNothingSent(error: unknown): boolean {
  const cause = causeOf(error);
  // With several addresses to try, Node gives one error for each: all must prove it.
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.every(provesNothingSent);
  const code = fieldOf(cause, 'code');
  if (typeof code !== 'string') return false;
  if (connectFailures.has(code) || handshakeFailures.has(code)) return true;
  // ETIMEDOUT or ENETUNREACH also end established connections; the system call tells which.
  if (fieldOf(cause, 'syscall') === 'connect') return true;
  // Node gives a socket closed amid the handshake no code of its own.
  const message = fieldOf(cause, 'message');
  return (
    code === 'ECONNRESET' &&
    typeof message === 'string' &&
    message.includes('before secure TLS connection was established')
  );
}
