import { judgeKey } from '../key.ts';
import { type HttpOutcome, sendRequest } from './http.ts';
import {
  type AccountRefused,
  accountRefusal,
  rejectionOf,
  type Throttled,
  type Unavailable,
  unavailable,
} from './rejections.ts';

export type ClientOptions = {
  /** Such as `https://dashscope-intl.aliyuncs.com/api/v1`; a trailing slash is ignored. */
  readonly baseUrl: string;
  /** Called before each request. */
  readonly apiKey: () => Promise<string>;
  /** Called when the key is unusable or may be why Wan refuses a call: the next call should read it again. */
  readonly keyRejected?: (() => void) | undefined;
  readonly fetch: typeof fetch;
  /** Private origins that uploads may be sent to, in addition to the base URL's origin. @default none */
  readonly trustedOrigins?: readonly string[];
  /**
   * Whether connections are reused. A connection that Wan closes while a request is sent over it loses the response, so that
   * the video becomes uncertain. `connection: close` on one request does not prevent this: it only closes the connection
   * afterwards, which an earlier request may have opened. So a client that creates tasks must reuse none. @default true
   */
  readonly keepAlive?: boolean;
  /** Milliseconds. @default submit 75 s, because Wan fetches the image during the call; query 10 s; upload 60 s */
  readonly timeouts?: { readonly submit?: number; readonly query?: number; readonly upload?: number };
};

type Call = {
  readonly method: 'GET' | 'POST';
  /** Relative to the base URL, including the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly kind: 'submit' | 'query' | 'upload';
  readonly signal?: AbortSignal | undefined;
};

/** Sends a call to Wan with the key. With an unusable key nothing is sent, and the outcome is `account_refused`. */
export type Connection = (call: Call) => Promise<HttpOutcome | AccountRefused>;

export const defaultTimeouts = { submit: 75_000, query: 10_000, upload: 60_000 } as const;

/** Headers of every request of a client. */
export const connectionHeaders = ({ keepAlive = true }: ClientOptions): Readonly<Record<string, string>> =>
  keepAlive ? {} : { connection: 'close' };

export function createConnection(options: ClientOptions): Connection {
  const { baseUrl, apiKey, keyRejected, fetch, timeouts } = options;
  const base = baseUrl.replace(/\/+$/, '');
  return async ({ method, path, headers, body, kind, signal }) => {
    const key = await usableKey(apiKey);
    if (typeof key !== 'string') {
      keyRejected?.();
      return key;
    }
    const sent = await sendRequest({
      fetch,
      url: `${base}${path}`,
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${key}`,
        ...connectionHeaders(options),
        ...headers,
      },
      timeout: timeouts?.[kind] ?? defaultTimeouts[kind],
      signal,
      ...(body === undefined ? {} : { body }),
    });
    if (sent.kind === 'response' && sent.status >= 400 && sent.status <= 403) keyRejected?.();
    return sent;
  };
}

async function usableKey(apiKey: () => Promise<string>): Promise<string | AccountRefused> {
  let text: string;
  try {
    text = await apiKey();
  } catch {
    return accountRefusal('no_key', "Wan's key could not be read. Check the secret and the permission to read it.");
  }
  const judged = judgeKey(text);
  return judged.ok ? judged.key : accountRefusal(judged.reason, `${judged.problem} ${judged.fix}`);
}

/**
 * Sends a call that changes nothing or can be repeated. Anything but a 2xx response can be retried later; a refusal keeps Wan's code.
 */
export async function query(connection: Connection, call: Parameters<Connection>[0]): Promise<Responded | NoResponse> {
  const sent = await connection(call);
  if ('outcome' in sent) return sent;
  if (sent.kind !== 'response') return unavailable(sent.cause);
  if (sent.status >= 200 && sent.status < 300) return { outcome: 'responded', body: sent.body };
  const refusal = rejectionOf(sent);
  if (!refusal) return unavailable(`http_${sent.status}`);
  if (refusal.outcome !== 'refused') return refusal;
  const { code, message, request_id } = refusal;
  return { ...unavailable('refused'), code, message, ...(request_id ? { request_id } : {}) };
}

/** The outcome of a repeatable call without a successful response: retry later, or after the operator has fixed the account. */
export type NoResponse = Throttled | Unavailable | AccountRefused;

type Responded = { outcome: 'responded'; body: unknown };
