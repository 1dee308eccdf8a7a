import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { ObjectVersion, VideoRecord } from '../../video/record.ts';
import type { Table } from '../../video/table.ts';
import { viewOf } from '../../video/view.ts';
import { parseUrl } from '../../wan/validation/public-url.ts';
import { metadataKey } from '../../workflow/archive-video.ts';
import { readQuery } from '../http/query.ts';
import { type ApiRequest, headerValues, json } from '../http/request.ts';
import { retryAfter } from './long-poll.ts';
import { ownVideo } from './own-video.ts';

export interface ContentServices {
  table: Table;
  /** A presigned URL of an object, good for `LINK_SECONDS`. */
  linkTo: (object: ObjectVersion, file: FileDescription) => Promise<string>;
}

/** What can be fetched of a video: the file, the picture it begins with, and the video as the API shows it, as a file beside it. */
export const variants = ['video', 'first_frame', 'metadata'] as const;
export type Variant = (typeof variants)[number];

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

function noContent(video: VideoRecord, now: number): ProblemError {
  const { status, error } = video;
  if (status === 'failed' || status === 'canceled') {
    return new ProblemError(409, {
      code: 'video_has_no_content',
      title: `The video ${status === 'failed' ? 'failed' : 'was canceled'}, so there is nothing to fetch.`,
      detail: error ? `${error.message} ${error.hint}` : 'Make a new one with POST /videos.',
    });
  }
  return new ProblemError(
    409,
    {
      code: 'video_not_ready',
      title: 'The video is not ready yet.',
      detail: `It is ${status}. Ask again after the seconds in Retry-After.`,
    },
    retryAfter(viewOf(video, now), now),
  );
}

/** Where a variant lies: in our buckets, or at an address of the caller's own. */
type Content = { object: ObjectVersion; file: FileDescription } | { url: string };

/** Where a variant of a video lies; undefined for one that is not there yet, or never will be. */
function contentOf(video: VideoRecord, variant: Variant): Content | undefined {
  if (variant === 'first_frame') return firstFrameOf(video);
  const { id, video: archived } = video;
  if (!archived) return undefined;
  const { bucket, key, content_type } = archived;
  return variant === 'video'
    ? { object: archived, file: { file_name: `${id}.mp4`, content_type } }
    : {
        object: { bucket, key: metadataKey(key) },
        file: { file_name: `${id}.json`, content_type: 'application/json' },
      };
}

function firstFrameOf({ id, image, source, input }: VideoRecord): Content | undefined {
  if (image) {
    const { content_type } = image;
    return { object: image, file: { file_name: `${id}.${content_type.replace(/^image\//, '')}`, content_type } };
  }
  // A drop that was refused: its image was not found good, but it is what lies there.
  if (source.type === 'drop') {
    return { object: source, file: { file_name: `${id}${/\.[a-z]+$/i.exec(source.key)?.[0] ?? ''}` } };
  }
  // In its normal form, since an address with letters beyond ASCII is none that a header can carry.
  const address = parseUrl(input.img_url);
  return address && /^https?:$/.test(address.protocol) ? { url: address.href } : undefined;
}

/** How long a link is good, in seconds. */
const LINK_SECONDS = 900;

/** What a browser is told of an object: what to call it when it is saved, and its type where S3 may not know it. */
export interface FileDescription {
  /** Plain ASCII without quotes. */
  file_name: string;
  content_type?: string;
}

/** A presigned URL of an object, good for `LINK_SECONDS`: whoever has it needs no key. S3 itself serves ranges of it. */
export const linkToObject = (
  s3: S3Client,
  { bucket, key, version_id }: ObjectVersion,
  { file_name, content_type }: FileDescription,
): Promise<string> =>
  getSignedUrl(
    s3,
    new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      VersionId: version_id,
      ResponseContentDisposition: `inline; filename="${file_name}"`,
      ResponseContentType: content_type,
    }),
    { expiresIn: LINK_SECONDS },
  );
