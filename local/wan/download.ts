import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Directives } from './directives.ts';
import { storageError, type WanRequest, type WanResponse } from './http.ts';
import { signResult } from './links.ts';
import type { Renderer } from './render/render.ts';
import type { Store } from './store.ts';
import type { Task } from './task.ts';
import { second } from './time.ts';

export interface DownloadServices {
  readonly store: Store;
  readonly renderer: Pick<Renderer, 'read'>;
  readonly now: () => number;
}

/** `GET` or `HEAD` of a result URL: returns the MP4 or one range of it until the URL expires. */
export async function downloadVideo(services: DownloadServices, request: WanRequest): Promise<WanResponse> {
  const expires = Number(request.query.get('Expires'));
  const forbidden = checkSignature(request, expires, services.now());
  if (forbidden) return forbidden;
  const task = services.store.find(
    request.path
      .split('/')
      .pop()
      ?.replace(/\.mp4$/, '') ?? '',
  );
  if (task?.outcome?.status !== 'SUCCEEDED') return storageError(404, 'NoSuchKey', 'The specified key does not exist.');

  const whole = await services.renderer.read(task.outcome.render, task.task_id);
  const video = task.directives.truncate ? whole.subarray(0, Math.floor(whole.length / 2)) : whole;
  const response = serve(video, task, services.store, request.headers.range);
  if (request.method !== 'GET' || response.kind !== 'whole' || response.status >= 400) return response;
  if (await shouldCut(services.store, task)) return { ...response, kind: 'cut' };
  return response.status === 200 ? asDirected(response, video, task.directives.serve) : response;
}

/** `[[serve=…]]`: other forms of the same content, which HTTP allows. */
function asDirected(
  response: Extract<WanResponse, { kind: 'whole' | 'chunked' | 'cut' }>,
  video: Buffer,
  serve: Directives['serve'],
): WanResponse {
  const { headers } = response;
  switch (serve) {
    case 'chunked':
      return { ...response, kind: 'chunked' };
    case 'gzip':
      return { ...response, headers: { ...headers, 'content-encoding': 'gzip' }, body: gzipSync(video, { level: 1 }) };
    case '206': {
      const range = `bytes 0-${video.length - 1}/${video.length}`;
      return { ...response, status: 206, headers: { ...headers, 'content-range': range } };
    }
    default:
      return response;
  }
}

function checkSignature(request: WanRequest, expires: number, now: number): WanResponse | undefined {
  if (!request.query.get('Expires') || !request.query.get('Signature')) {
    return storageError(403, 'AccessDenied', 'You have no right to access this object because of bucket acl.');
  }
  if (now >= expires * second) {
    return storageError(403, 'AccessDenied', 'Request has expired.', {
      Expires: Number.isFinite(expires) ? new Date(expires * second).toISOString() : 'none',
      ServerTime: new Date(now).toISOString(),
    });
  }
  return request.query.get('Signature') === signResult(request.path, expires)
    ? undefined
    : storageError(403, 'SignatureDoesNotMatch', 'The signature does not fit this path and time.');
}

function serve(video: Buffer, task: Task, store: Store, rangeHeader: string | undefined): WanResponse {
  const headers = {
    'content-type': 'video/mp4',
    'accept-ranges': 'bytes',
    etag: `"${createHash('md5').update(video).digest('hex').toUpperCase()}"`,
    'last-modified': new Date(store.timesOf(task).end).toUTCString(),
  };
  const range = rangeOf(rangeHeader, video.length);
  if (range === 'unsatisfiable') {
    return storageError(416, 'InvalidRange', 'The requested range cannot be satisfied.', {
      ActualObjectSize: String(video.length),
    });
  }
  if (!range) return { kind: 'whole', status: 200, headers, body: video };
  const { first, last } = range;
  return {
    kind: 'whole',
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${last}/${video.length}` },
    body: video.subarray(first, last + 1),
  };
}

/** Reads a header with one range. Like OSS, ignores one with several ranges or an invalid one. */
function rangeOf(
  header: string | undefined,
  length: number,
): { first: number; last: number } | 'unsatisfiable' | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return undefined;
  const first = from === '' ? Math.max(0, length - Number(to)) : Number(from);
  const last = from === '' || to === '' ? length - 1 : Math.min(Number(to), length - 1);
  return first > last ? 'unsatisfiable' : { first, last };
}

/** Whether `[[drop=N]]` cuts this download. Counts the downloads on disk. */
async function shouldCut(store: Store, task: Task): Promise<boolean> {
  const cut = store.find(task.task_id)?.downloads_cut ?? 0;
  if (cut >= (task.directives.drop ?? 0)) return false;
  await store.save({ ...task, downloads_cut: cut + 1 });
  return true;
}
