import { apiError, type Checked, downloadError, urlError } from './errors.ts';
import type { Uploads } from './uploads.ts';

/** A file that a request refers to. */
export interface Media {
  readonly bytes: Uint8Array;
  /** The MIME type of a `data:` URL. */
  readonly declaredType?: string;
}

export interface MediaSource {
  readonly fetch: typeof fetch;
  readonly uploads: Uploads;
  readonly account: string;
  readonly model: string;
  /** Whether the request has `X-DashScope-OssResourceResolve: enable`, without which `oss://` URLs are invalid. */
  readonly resolveUploads: boolean;
}

const downloadTimeout = 30_000;

/**
 * Loads the file behind a URL of a request: `http(s)://…`, `oss://…` (a temporary upload), and for an image also
 * `data:…;base64,…` or bare base64. Stops reading soon after `maximumBytes`; the caller rejects such a file.
 */
export async function loadMedia(
  url: string,
  kind: 'image' | 'audio',
  maximumBytes: number,
  source: MediaSource,
): Promise<Checked<Media>> {
  if (/^https?:\/\//i.test(url)) return isValidUrl(url) ? download(url, maximumBytes, source.fetch) : badUrl;
  if (url.startsWith('oss://')) {
    if (!source.resolveUploads) return badUrl;
    const bytes = await source.uploads.read(url, source);
    return bytes ? { value: { bytes } } : { error: apiError('InvalidParameter.DataInspection') };
  }
  return (kind === 'image' && inline(url)) || badUrl;
}

/** `URL.canParse` of Node 20 returns wrong results for letters such as ü once it is optimized. */
function isValidUrl(url: string): boolean {
  try {
    return Boolean(new URL(url));
  } catch {
    return false;
  }
}

const badUrl = { error: apiError('InvalidParameter', urlError) };

function inline(url: string): Checked<Media> | undefined {
  const [, declaredType, encoded] = /^data:([^;,]*);base64,([\s\S]*)$/i.exec(url) ?? [];
  const bytes = decodeBase64(encoded ?? url);
  return bytes && { value: { bytes, ...(declaredType !== undefined && { declaredType }) } };
}

function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/\s/g, '');
  if (compact.length < 16 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return undefined;
  return Buffer.from(compact, 'base64');
}

async function download(url: string, maximumBytes: number, fetch: MediaSource['fetch']): Promise<Checked<Media>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(downloadTimeout) });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      return { error: apiError('InvalidParameter.DataInspection', downloadError) };
    }
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maximumBytes) break;
    }
    return { value: { bytes: Buffer.concat(chunks) } };
  } catch (error) {
    return { error: apiError(downloadFailure(error)) };
  }
}

function downloadFailure(error: unknown): string {
  if (error instanceof Error) {
    if (error.name === 'TimeoutError') return 'InvalidURL.Timeout';
    const cause = error.cause;
    if (cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED')
      return 'InvalidURL.ConnectionRefused';
  }
  return 'InvalidParameter.DataInspection';
}
