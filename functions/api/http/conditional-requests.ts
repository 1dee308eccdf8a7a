import { createHash } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { canonicalJson } from '../../shared/json-body.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { VideoRecord } from '../../video/record.ts';
import { type VideoView, viewOf } from '../../video/view.ts';
import { headerValues, type RequestHeaders } from './request.ts';

/** The strong ETag of a body that is sent as JSON: of what it says, in whichever order its fields stand. */
export const etagOf = (body: unknown): string =>
  `"${createHash('sha256').update(canonicalJson(body)).digest('base64url')}"`;

/**
 * The strong ETag of a video: that of what is stored of it, and, while it waits, its position in the queue behind a dot. Progress,
 * expected start and expected finish follow from the clock and do not count. The position changes with what others do, so a caller who
 * changes a video, or waits for news of it, names its state alone (`of: 'state'` below).
 */
export function videoEtag(view: VideoView): string {
  const { queue_position, estimated_start_at, progress, estimated_finish_at, ...stored } = view;
  const etag = etagOf(stored);
  if (queue_position === undefined) return etag;
  return `${etag.slice(0, -1)}.${queue_position}"`;
}

/** The ETag of a video's state, whatever its place in the queue. */
export const stateEtag = (video: VideoRecord): string => videoEtag(viewOf(video, 0));

/** The ETag of a video's state, from one that may also tell its place. */
const withoutPlace = (tag: string): string => tag.replace(/\.[^"]*"$/, '"');

/**
 * A 200 with the ETag of its JSON, or a 304 without a body when the caller's `If-None-Match` knows them already. Who keeps an
 * answer asks again before using it, and keeps it for one key alone.
 */
export function withEtag(
  request: RequestHeaders,
  answer: APIGatewayProxyResult,
  etag: string = etagOf(JSON.parse(answer.body)),
): APIGatewayProxyResult {
  const headers = { ...answer.headers, etag, 'cache-control': 'private, no-cache', vary: 'Authorization' };
  if (!matches(request, 'if-none-match', etag)) return { ...answer, headers };
  const { 'content-type': ofTheBody, ...kept }: Record<string, string | number | boolean> = headers;
  return { statusCode: 304, headers: kept, body: '' };
}

/**
 * Whether a header of conditions names an ETag, or `*`. Of a video's ETags `of: 'state'` compares what they say of its state, as
 * `stateEtag` tells it. `If-None-Match` takes a weak tag for the strong one it was made from;
 * `If-Match` does not, since it guards a change (RFC 9110, 13.1). What is no ETag matches nothing.
 * @returns false, too, when the request has no such header
 */
export function matches(
  request: RequestHeaders,
  name: 'if-match' | 'if-none-match',
  etag: string,
  of: 'whole' | 'state' = 'whole',
): boolean {
  const given = headerValues(request, name).join(',');
  if (given.trim() === '*') return true;
  const tags = given.matchAll(/(?:^|,)\s*(W\/)?("[^"]*")\s*(?=,|$)/g);
  const isNamed = (tag = '') => (of === 'state' ? withoutPlace(tag) : tag) === etag;
  return [...tags].some(([, weak, tag]) => isNamed(tag) && (name === 'if-none-match' || !weak));
}

/** Throws when a video is not the one that its caller means to change. */
export type Precondition = (video: VideoRecord) => void;

/**
 * What a request's `If-Match` demands of the video it changes: the ETag of `GET /videos/{id}`, wherever in its queue the video stood
 * then. Whoever reads the video anew asks it again. Without the header it demands nothing.
 * @returns a precondition that throws Problem 412
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
    title: 'The video has changed since you looked at it.',
    detail:
      'Nothing was done. GET /videos/{id} shows it as it is, with its new ETag: send that in If-Match, or leave it out.',
  });
