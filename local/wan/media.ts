import { apiError, type Checked, downloadError, urlError } from './errors.ts';
import { inlineImage } from './media-list.ts';
import type { MediaKind } from './models.ts';
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
  kind: MediaKind,
  maximumBytes: number,
  source: MediaSource,
): Promise<Checked<Media>> {
  if (/^https?:\/\//i.test(url)) return download(url, maximumBytes, source.fetch);
  if (url.startsWith('oss://')) {
    if (!source.resolveUploads) return badUrl;
    const bytes = await source.uploads.read(url, source);
    return bytes ? { value: { bytes } } : { error: apiError('InvalidParameter.DataInspection') };
  }
  const inline = kind === 'image' ? inlineImage(url) : undefined;
  if (!inline) return badUrl;
  const { base64, ...declared } = inline;
  return { value: { bytes: Buffer.from(base64, 'base64'), ...declared } };
}

const badUrl = { error: apiError('InvalidParameter', urlError) };

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
