import { createHash } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { canonicalJson } from '../../shared/json-body.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { VideoRecord } from '../../video/record.ts';
import { type VideoView, viewOf } from '../../video/view.ts';
import { headerValues, type RequestHeaders } from './request.ts';

/** The strong ETag of a JSON body. The order of its fields does not matter. */
export const etagOf = (body: unknown): string =>
  `"${createHash('sha256').update(canonicalJson(body)).digest('base64url')}"`;

/**
 * The strong ETag of a video: the hash of its stored fields and, while it is queued, a dot and its queue position. Progress, expected
 * start and expected finish follow from the clock and are left out. The position changes with other owners' videos, so conditions on a
 * change or a long poll compare the state alone (`of: 'state'` in `matches`).
 */
export function videoEtag(view: VideoView): string {
  const { queue_position, estimated_start_at, progress, estimated_finish_at, ...stored } = view;
  const etag = etagOf(stored);
  if (queue_position === undefined) return etag;
  return `${etag.slice(0, -1)}.${queue_position}"`;
}

/** The ETag of a video's state, without its queue position. */
export const stateEtag = (video: VideoRecord): string => videoEtag(viewOf(video, 0));

/** Removes the queue position from an ETag of `videoEtag`. */
const withoutPosition = (tag: string): string => tag.replace(/\.[^"]*"$/, '"');

/**
 * Adds the ETag of the JSON body to a 200, or returns a 304 without a body when `If-None-Match` names that ETag. Caches must revalidate,
 * and keep the response for one key only.
 */
export function withEtag(
  request: RequestHeaders,
  response: APIGatewayProxyResult,
  etag: string = etagOf(JSON.parse(response.body)),
): APIGatewayProxyResult {
  const headers = { ...response.headers, etag, 'cache-control': 'private, no-cache', vary: 'Authorization' };
  return unlessNotModified(request, { ...response, headers });
}

/** Returns a response with an ETag, or a 304 with the same headers when `If-None-Match` names that ETag. */
export function unlessNotModified(request: RequestHeaders, response: APIGatewayProxyResult): APIGatewayProxyResult {
  const { 'content-type': ofTheBody, ...kept }: Record<string, string | number | boolean> = { ...response.headers };
  if (!matches(request, 'if-none-match', String(kept.etag))) return response;
  return { statusCode: 304, headers: kept, body: '' };
}

/** The headers of a response that is the same for everyone: any cache may store it, and revalidates it by its ETag. */
export const publicCaching = (text: string) => ({
  etag: `"${createHash('sha256').update(text).digest('base64url')}"`,
  'cache-control': 'no-cache',
  vary: 'Accept-Encoding',
});

/**
 * Whether a conditional header names an ETag, or is `*`. With `of: 'state'` the queue position in a video's ETag is ignored.
 * `If-None-Match` also matches a weak form of the tag; `If-Match` does not, because it guards a change (RFC 9110, 13.1). Text that is not
 * an ETag matches nothing.
 * @returns false when the request has no such header
 */
export function matches(
  request: RequestHeaders,
  name: 'if-match' | 'if-none-match',
  etag: string,
  of: 'whole' | 'state' = 'whole',
): boolean {
  const header = headerValues(request, name).join(',');
  if (header.trim() === '*') return true;
  const tags = header.matchAll(/(?:^|,)\s*(W\/)?("[^"]*")\s*(?=,|$)/g);
  const isNamed = (tag = '') => (of === 'state' ? withoutPosition(tag) : tag) === etag;
  return [...tags].some(([, weak, tag]) => isNamed(tag) && (name === 'if-none-match' || !weak));
}

/** Throws when a video has changed since its caller read it. */
export type Precondition = (video: VideoRecord) => void;

/**
 * Reads a request's `If-Match`: the ETag of `GET /videos/{id}`, at any queue position. A handler that reads the video again checks the
 * precondition again.
 * @returns a precondition that throws ProblemError 412; without the header it never throws
 */
export function ifMatch(request: RequestHeaders): Precondition {
  if (headerValues(request, 'if-match').length === 0) return () => undefined;
  return (video) => {
    if (!matches(request, 'if-match', stateEtag(video), 'state')) throw preconditionFailed();
  };
}

const preconditionFailed = () =>
  new ProblemError(412, {
    code: 'precondition_failed',
    title: 'If-Match does not name the current ETag of the video.',
    detail:
      'Nothing was done. The video may have changed: read GET /videos/{id} again and send its ETag unchanged in If-Match, with its quotes and without W/, or leave the header out.',
  });
