import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/store.ts';
import { type FileDescription, LINK_SECONDS, type ObjectVersion } from './content-link.ts';
import { type ApiRequest, type Caller, headerValues, json } from './http.ts';
import { ownVideo } from './own-video.ts';
import { Problem } from './problem.ts';
import { readQuery } from './read-query.ts';
import { retryAfter } from './retry-after.ts';
import { contentOf, variants } from './video-content.ts';

export interface ContentServices {
  table: Table;
  /** A presigned URL of an object, good for `LINK_SECONDS`. */
  linkTo: (object: ObjectVersion, file: FileDescription) => Promise<string>;
}

export const contentQuery = z.strictObject({
  variant: z
    .enum(variants, { error: `Use one of ${variants.join(', ')}, or leave it out for the video.` })
    .default('video'),
});

/**
 * `GET /videos/{id}/content`: a redirect to the video, its first frame or its metadata; or, for a page that can't send a key from
 * `<video>`, the address as JSON. What is fetched goes past this API, so downloads resume as S3's do.
 * @throws Problem 409 while there is nothing to fetch, or for good when the video failed
 */
export async function getContent(
  { table, linkTo }: ContentServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const { variant } = readQuery(request, contentQuery);
  const video = await ownVideo(table, request, caller);
  const now = table.now();
  const content = contentOf(video, variant);
  if (!content) throw noContent(video, now);
  const link =
    'url' in content
      ? { url: content.url, expires_at: null }
      : {
          url: await linkTo(content.object, content.file),
          expires_at: new Date(now + LINK_SECONDS * 1000).toISOString(),
        };
  if (asksForJson(request)) return json(200, link, { vary: 'Accept' });
  return { statusCode: 302, headers: { location: link.url, 'cache-control': 'no-store', vary: 'Accept' }, body: '' };
}

/** Whether `Accept` names JSON; a wildcard, or no such header, means the content itself. */
function asksForJson(request: ApiRequest): boolean {
  const ranges = headerValues(request, 'accept').flatMap((value) => value.toLowerCase().split(','));
  return ranges.some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    return type === 'application/json' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

function noContent(video: VideoRecord, now: number): Problem {
  const { status, error } = video;
  if (status === 'failed' || status === 'canceled') {
    return new Problem(409, {
      code: 'video_has_no_content',
      title: `The video ${status === 'failed' ? 'failed' : 'was canceled'}, so there is nothing to fetch.`,
      detail: error ? `${error.message} ${error.hint}` : 'Make a new one with POST /videos.',
    });
  }
  return new Problem(
    409,
    {
      code: 'video_not_ready',
      title: 'The video is not ready yet.',
      detail: `It is ${status}. Ask again after the seconds in Retry-After.`,
    },
    retryAfter(video, now),
  );
}
