import { createHash } from 'node:crypto';

/** `retryable`: whether another download, with a new link, may succeed. */
export type Download =
  /** `bytes`: the length of the file; undefined if the response does not prove it, being chunked, compressed or ended by the connection. */
  | { outcome: 'open'; bytes: number | undefined; body: AsyncIterable<Uint8Array> }
  /** 403: a signed OSS URL has expired. Query the task again for a new one. */
  | { outcome: 'url_expired'; retryable: true }
  /** 404 or 410: the file is deleted. */
  | { outcome: 'not_found'; retryable: true }
  /** A redirect to a URL that must not be followed, or too many redirects. */
  | { outcome: 'redirected'; retryable: false }
  /** 206 without the whole file, although no part was requested. */
  | { outcome: 'partial'; retryable: false }
  /** The file is over the limit. */
  | { outcome: 'too_large'; retryable: false }
  /** The response is a page or an error document. */
  | { outcome: 'wrong_type'; retryable: true }
  | { outcome: 'download_failed'; retryable: true; cause: string };

export type FailedDownload = Exclude<Download, { outcome: 'open' }>;

export interface DownloadRequest {
  readonly fetch: typeof globalThis.fetch;
  readonly url: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Returns the URL to follow a redirect to; undefined if it must not be followed. @default follows none */
  readonly follow?: ((url: string) => string | undefined) | undefined;
}

/** A redirect to another host of the storage, and one more to the file. */
const MAX_REDIRECTS = 3;

/** Opens a download and reads its headers. Closes the connection for every outcome but `open`. */
export async function openDownload({ fetch, url, maxBytes, signal, follow }: DownloadRequest): Promise<Download> {
  let current = url;
  for (let redirects = 0; ; redirects++) {
    let response: Response;
    try {
      // Without "identity", fetch asks for compression, and Content-Length is not that of the file.
      response = await fetch(current, { redirect: 'manual', signal, headers: { 'accept-encoding': 'identity' } });
    } catch (error) {
      return downloadFailed(signal.aborted ? 'aborted' : causeName(error));
    }
    const download = judge(response, maxBytes);
    if (download.outcome === 'open') return download;
    await response.body?.cancel().catch(() => undefined);
    if (download.outcome !== 'redirected' || redirects === MAX_REDIRECTS) return download;
    const target = targetOf(response, current);
    const followed = target && follow?.(target);
    if (!followed) return download;
    current = followed;
  }
}

function targetOf({ status, headers }: Response, base: string): string | undefined {
  const location = headers.get('location');
  if (!location || ![301, 302, 303, 307, 308].includes(status)) return undefined;
  try {
    return new URL(location, base).href;
  } catch {
    return undefined;
  }
}

function judge({ status, headers, body }: Response, maxBytes: number): Download {
  if (status === 403) return { outcome: 'url_expired', retryable: true };
  if (status === 404 || status === 410) return { outcome: 'not_found', retryable: true };
  if (status === 0 || (status >= 300 && status < 400)) return { outcome: 'redirected', retryable: false };
  if (![200, 203, 206].includes(status) || !body) return downloadFailed(`http_${status}`);
  const type = headers.get('content-type') ?? '';
  if (/^(text\/(html|xml)|application\/(json|xml|xhtml))/i.test(type)) {
    return { outcome: 'wrong_type', retryable: true };
  }
  const isWhole = status !== 206 || isWholeRange(headers.get('content-range') ?? '');
  if (!isWhole || /^multipart\//i.test(type)) return { outcome: 'partial', retryable: false };
  const length = headers.get('content-length') ?? '';
  const isPlain = /^(identity)?$/i.test(headers.get('content-encoding') ?? '');
  const bytes = isPlain && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  if (bytes !== undefined && bytes > maxBytes) return { outcome: 'too_large', retryable: false };
  return { outcome: 'open', bytes, body };
}

/** Whether a `Content-Range` covers the whole file. */
function isWholeRange(range: string): boolean {
  const [, end, total] = /^bytes 0-(\d{1,15})\/(\d{1,15})$/.exec(range.trim()) ?? [];
  return end !== undefined && Number(end) + 1 === Number(total);
}

const downloadFailed = (cause: string): FailedDownload => ({ outcome: 'download_failed', retryable: true, cause });

/** The length and SHA-256 of a file, in hexadecimal. */
export type Measured = { outcome: 'measured'; bytes: number; sha256: string };

/**
 * Downloads a file without keeping any of it, to its proper end and at most up to the limit.
 * @param open an opened download of it. @default opens one
 */
export async function measureDownload(request: DownloadRequest, open?: Download): Promise<Measured | FailedDownload> {
  const opened = open ?? (await openDownload(request));
  if (opened.outcome !== 'open') return opened;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of opened.body) {
      bytes += chunk.byteLength;
      // Leaving the loop closes the connection.
      if (bytes > request.maxBytes) return { outcome: 'too_large', retryable: false };
      hash.update(chunk);
    }
  } catch (error) {
    return downloadFailed(request.signal.aborted ? 'aborted' : causeName(error));
  }
  if (opened.bytes !== undefined && bytes !== opened.bytes) return downloadFailed('short_body');
  return { outcome: 'measured', bytes, sha256: hash.digest('hex') };
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
