import { causeName, causeOf, fieldOf } from '../../media/download.ts';

/** The largest response that is read. Wan's have a few kilobytes, a list of a hundred rows about a hundred. */
const maxAnswerBytes = 1024 * 1024;

export type HttpOutcome =
  /** A complete response; `body` is undefined if it is not JSON. */
  | { kind: 'response'; status: number; body: unknown }
  /** Certain: no byte of the request was sent. */
  | { kind: 'not_sent'; cause: string }
  /** The request may have been received, and the response is unknown. */
  | { kind: 'lost'; cause: string };

export type HttpRequest = {
  readonly fetch: typeof fetch;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | FormData;
  /** Milliseconds in total for connecting, sending, and reading the response. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Sends one HTTP request and returns the outcome as a value; network errors never throw. Redirects are not followed, because the request
 * carries a key, and responses over 1 MiB are not read. A cause is a short name, such as `timeout` or `ECONNRESET`.
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
    if (text === undefined) return { kind: 'lost', cause: 'response_too_large' };
    return { kind: 'response', status: response.status, body: parseJson(text) };
  } catch (error) {
    return { kind: 'lost', cause: nameOf(error) };
  }
}

/** The body as text, or undefined if it is too large; the rest is then not read. */
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

/** Errors of the TLS handshake, which precedes the request. */
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

/** Errors that only occur in a name lookup or while connecting. */
const connectFailures = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * Whether an error of `fetch` proves that no byte of the request was sent: the name lookup, the connection or the TLS handshake failed.
 * Any other error, especially a reset, may have come after the request was received.
 */
export function provesNothingSent(error: unknown): boolean {
  const cause = causeOf(error);
  // With several addresses, Node reports one error for each: all must prove it.
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.every(provesNothingSent);
  const code = fieldOf(cause, 'code');
  if (typeof code !== 'string') return false;
  if (connectFailures.has(code) || handshakeFailures.has(code)) return true;
  // ETIMEDOUT and ENETUNREACH also end established connections; the system call distinguishes them.
  if (fieldOf(cause, 'syscall') === 'connect') return true;
  // For a socket closed during the handshake, Node has no code of its own.
  const message = fieldOf(cause, 'message');
  return (
    code === 'ECONNRESET' &&
    typeof message === 'string' &&
    message.includes('before secure TLS connection was established')
  );
}
