import { createHash } from 'node:crypto';

export type Download =
  | { outcome: 'open'; bytes: number; body: AsyncIterable<Uint8Array> }
  /** 403: a signed OSS URL has expired. Query the task again for a new one. */
  | { outcome: 'url_expired'; retryable: false }
  /** 404 or 410: the file is deleted. */
  | { outcome: 'not_found'; retryable: false }
  /** Redirects are not followed: they could lead anywhere. */
  | { outcome: 'redirected'; retryable: false }
  /** `Content-Length` is over the limit; nothing was read. */
  | { outcome: 'too_large'; retryable: false; bytes: number }
  /** The response is a page or an error document. */
  | { outcome: 'wrong_type'; retryable: true }
  /** The response has no length or is compressed, so that a truncation would go unnoticed. */
  | { outcome: 'unknown_length'; retryable: true }
  | { outcome: 'download_failed'; retryable: true; cause: string };

/** Opens a download and reads its headers. Closes the connection for every outcome but `open`. */
export async function openDownload({
  fetch,
  url,
  maxBytes,
  signal,
}: {
  readonly fetch: typeof globalThis.fetch;
  readonly url: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}): Promise<Download> {
  let response: Response;
  try {
    // Without "identity", fetch asks for compression, and Content-Length is not that of the file.
    response = await fetch(url, { redirect: 'manual', signal, headers: { 'accept-encoding': 'identity' } });
  } catch (error) {
    return { outcome: 'download_failed', retryable: true, cause: signal.aborted ? 'aborted' : causeName(error) };
  }
  const download = judge(response, maxBytes);
  if (download.outcome !== 'open') await response.body?.cancel().catch(() => undefined);
  return download;
}

function judge({ status, headers, body }: Response, maxBytes: number): Download {
  if (status === 403) return { outcome: 'url_expired', retryable: false };
  if (status === 404 || status === 410) return { outcome: 'not_found', retryable: false };
  if (status === 0 || (status >= 300 && status < 400)) return { outcome: 'redirected', retryable: false };
  if (status !== 200 || !body) return { outcome: 'download_failed', retryable: true, cause: `http_${status}` };
  if (/^(text\/|application\/(json|xml|xhtml))/i.test(headers.get('content-type') ?? '')) {
    return { outcome: 'wrong_type', retryable: true };
  }
  const length = headers.get('content-length') ?? '';
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (!/^\d{1,15}$/.test(length) || encoding !== 'identity') return { outcome: 'unknown_length', retryable: true };
  const bytes = Number(length);
  if (bytes > maxBytes) return { outcome: 'too_large', retryable: false, bytes };
  return { outcome: 'open', bytes, body };
}

/** Returns the SHA-256 of what a URL serves, in hexadecimal, without keeping any of it; undefined if the download fails. */
export async function digestDownload(download: Parameters<typeof openDownload>[0]): Promise<string | undefined> {
  const opened = await openDownload(download);
  if (opened.outcome !== 'open') return undefined;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of opened.body) {
      bytes += chunk.byteLength;
      hash.update(chunk);
    }
  } catch {
    return undefined;
  }
  return bytes === opened.bytes ? hash.digest('hex') : undefined;
}

/** A short name for a network error, without addresses: its code or its class. */
export function causeName(error: unknown): string {
  const cause = causeOf(error);
  const name = fieldOf(cause, 'code') ?? fieldOf(cause, 'name');
  return typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'error';
}

/** The cause of an error of `fetch`. */
export const causeOf = (error: unknown): unknown => fieldOf(error, 'cause') ?? error;

export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
