import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { isPublicAddress } from '../wan/validation/public-url.ts';
import { checkReceiverUrl, isLoopbackHost } from '../wan/validation/webhook.ts';

/** Resolves a name to all its addresses. */
export type ResolveName = (hostname: string) => Promise<{ address: string; family: number }[]>;

export interface WebhookRequest {
  url: string;
  body: string;
  headers: Readonly<Record<string, string>>;
  /** Whether the URL may also name this computer, by http or https. */
  loopback: boolean;
  /** @default - the name servers of the operating system */
  resolve?: ResolveName;
  /** Milliseconds in total. @default 10000 */
  timeout?: number;
}

/** The answer of a receiver. Without `error` it is a success. No text contains the URL. */
export interface WebhookAnswer {
  status?: number;
  error?: string;
  milliseconds: number;
}

export type SendWebhook = (request: WebhookRequest) => Promise<WebhookAnswer>;

const TIMEOUT_MILLISECONDS = 10_000;
/** What is read of an answer: nothing in it matters, but a receiver may count an unread one as a failure. */
const MAX_ANSWER_BYTES = 64 * 1024;

const errors = {
  private_address: 'The host has an address that is not on the public internet.',
  redirect: 'The receiver answered with a redirect, which is not followed. Set the final URL.',
  timeout: 'The receiver did not answer within 10 seconds.',
} as const;

/**
 * Asks the name servers directly. `dns.lookup` would occupy one of Node's four threads per name for as long as its servers are silent, so a
 * few names of one owner would stop the lookups of all.
 */
const systemResolve: ResolveName = async (hostname) => {
  const [ipv4, ipv6] = await Promise.allSettled([dns.promises.resolve4(hostname), dns.promises.resolve6(hostname)]);
  const found = [
    ...(ipv4.status === 'fulfilled' ? ipv4.value.map((address) => ({ address, family: 4 })) : []),
    ...(ipv6.status === 'fulfilled' ? ipv6.value.map((address) => ({ address, family: 6 })) : []),
  ];
  if (found.length === 0 && ipv4.status === 'rejected') throw ipv4.reason;
  return found;
};

/**
 * Sends a POST to a URL that a caller named. It cannot reach a private network: the host's address is checked, and the connection goes to
 * the address that was checked. Uses `node:https` because `fetch` would look up the name itself. Never throws.
 */
export const sendWebhook: SendWebhook = async ({
  url: text,
  body,
  headers,
  loopback,
  resolve = systemResolve,
  timeout = TIMEOUT_MILLISECONDS,
}) => {
  const started = performance.now();
  const milliseconds = () => Math.round(performance.now() - started);
  const target = targetOf(text, loopback);
  if ('error' in target) return { error: target.error, milliseconds: milliseconds() };
  const { url, isLoopback } = target;
  try {
    const status = await post(url, body, {
      method: 'POST',
      // A new connection each time: one that is reused would skip the lookup and its check.
      agent: false,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      lookup: isLoopback ? loopbackLookup : checkedLookup(resolve),
      signal: AbortSignal.timeout(timeout),
      rejectUnauthorized: true,
    });
    return { status, ...answerError(status), milliseconds: milliseconds() };
  } catch (error) {
    return { error: describe(error), milliseconds: milliseconds() };
  }
};

/** Returns the URL to request, or why it is refused. */
function targetOf(text: string, loopback: boolean): { url: URL; isLoopback: boolean } | { error: string } {
  const checked = checkReceiverUrl(text, loopback);
  if (!checked.ok) return { error: checked.code === 'private_url' ? errors.private_address : checked.message };
  const url = new URL(checked.url);
  return { url, isLoopback: isLoopbackHost(url) };
}

/** Refuses a name if any of its addresses is not public: which one is connected to depends on the network. */
const checkedLookup =
  (resolve: ResolveName): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first) callback(codedError('ENOTFOUND'), '', 0);
        else if (!addresses.every(({ address }) => isPublicAddress(address)))
          callback(codedError('PRIVATE_ADDRESS'), '', 0);
        else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };

const loopbackLookup: LookupFunction = (_, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);

const codedError = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** @returns the status, once the answer has ended, 64 KB of it were read or the time is over */
const post = (url: URL, body: string, options: https.RequestOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    let status: number | undefined;
    const end = (error?: Error) => {
      if (status === undefined) reject(error);
      else resolve(status);
      sent.destroy();
    };
    const sent = request(url, options, (response) => {
      // The status is the answer: a body that is slow or breaks off changes nothing.
      status = response.statusCode;
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes >= MAX_ANSWER_BYTES) end();
      });
      response.on('error', end);
      response.on('close', end);
    });
    // Without a listener, Node closes the connection and reports neither an answer nor an error.
    sent.on('upgrade', ({ statusCode }) => {
      status = statusCode;
      end();
    });
    // After any other end that Node does not report.
    sent.on('close', () => end(codedError('ECONNRESET')));
    sent.on('error', end);
    sent.end(body);
  });

function answerError(status: number): { error?: string } {
  if (status >= 200 && status < 300) return {};
  if (status >= 300 && status < 400) return { error: errors.redirect };
  return { error: `The receiver answered with status ${status}.` };
}

/** Describes an error by its code, since a message may contain the host's addresses or parts of the answer. */
function describe(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  if (code === 'PRIVATE_ADDRESS') return errors.private_address;
  if (name === 'AbortError' || name === 'TimeoutError') return errors.timeout;
  if (code === 'ENOTFOUND' || code === 'ENODATA') return 'The host does not exist.';
  if (code === 'ECONNREFUSED') return 'The receiver refused the connection.';
  return `The request failed (${code ?? name}).`;
}
