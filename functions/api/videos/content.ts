import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import { ignoreNotFound } from '../../shared/s3.ts';
import { isFileExpired, type ObjectVersion, type VideoRecord } from '../../video/record.ts';
import type { Table } from '../../video/table.ts';
import { viewOf } from '../../video/view.ts';
import { parseUrl } from '../../wan/validation/public-url.ts';
import { metadataKey } from '../../workflow/archive-video.ts';
import { prefers } from '../http/accept.ts';
import { readQuery } from '../http/query.ts';
import { type ApiRequest, json } from '../http/request.ts';
import { retryAfter } from './long-poll.ts';
import { ownVideo } from './own-video.ts';

export interface ContentServices {
  table: Table;
  /** A presigned URL of an object for one method, valid for `LINK_SECONDS`. */
  linkTo: (object: ObjectVersion, file: FileDescription, method: 'GET' | 'HEAD') => Promise<string>;
  exists: (object: ObjectVersion) => Promise<boolean>;
}

/** What can be fetched of a video: the MP4, its first frame, and the metadata object, which is the video as the API shows it. */
export const variants = ['video', 'first_frame', 'metadata'] as const;
export type Variant = (typeof variants)[number];

export const contentQuery = z.strictObject({
  variant: z
    .enum(variants, { error: `Use one of ${variants.join(', ')}, or leave it out for the video.` })
    .default('video'),
});

/**
 * `GET /videos/{id}/content`: a redirect to the video, its first frame or its metadata; or the URL as JSON, for a page whose `<video>`
 * element cannot send a key and that therefore prefers JSON in `Accept`. S3 serves the content itself, so downloads can be resumed.
 * @throws ProblemError 409 while the video is not ready, and permanently for a failed one; 410 for a file that has expired or was deleted
 */
export async function getContent(
  { table, linkTo, exists }: ContentServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const { variant } = readQuery(request, contentQuery);
  const video = await ownVideo(table, request, caller);
  const now = table.now();
  const content = contentOf(video, variant);
  if (!content) throw noContent(video, now);
  const isExpired = variant !== 'first_frame' && isFileExpired(video, now);
  if (isExpired || ('object' in content && !(await exists(content.object)))) throw contentGone();
  const link =
    'url' in content
      ? { url: content.url, expires_at: null }
      : {
          url: await linkTo(content.object, content.file, request.httpMethod === 'HEAD' ? 'HEAD' : 'GET'),
          expires_at: new Date(now + LINK_SECONDS * 1000).toISOString(),
        };
  if (prefers(request, 'application/json', mediaTypeOf(variant, content))) return json(200, link, { vary: 'Accept' });
  return { statusCode: 302, headers: { location: link.url, 'cache-control': 'no-store', vary: 'Accept' }, body: '' };
}

/** The media type that competes with the link as JSON. The metadata is JSON itself, so there JSON always means the link. */
function mediaTypeOf(variant: Variant, content: Content): string {
  if (variant === 'metadata') return 'application/octet-stream';
  return ('file' in content ? content.file.content_type : undefined) ?? 'image/jpeg';
}

function noContent(video: VideoRecord, now: number): ProblemError {
  const { status, error } = video;
  if (status === 'failed' || status === 'canceled') {
    return new ProblemError(409, {
      code: 'video_has_no_content',
      title: `The video ${status === 'failed' ? 'failed' : 'was canceled'}, so there is nothing to fetch.`,
      detail: error ? `${error.message} ${error.hint}` : 'Create a new one with POST /videos.',
    });
  }
  return new ProblemError(
    409,
    {
      code: 'video_not_ready',
      title: 'The video is not ready yet.',
      detail: `Its status is ${status}. Send the request again after the seconds in Retry-After.`,
    },
    retryAfter(viewOf(video, now), now),
  );
}

/** A link to a file that is gone would lead to an error of S3, which explains nothing. */
const contentGone = () =>
  new ProblemError(410, {
    code: 'content_gone',
    title: 'The file no longer exists.',
    detail:
      'Its retention time is over, or it was deleted from the bucket. Nothing is billed again. For a new video, send POST /videos without an Idempotency-Key or with a new one.',
  });

/** Where a variant is stored: in our buckets, or at the caller's own URL. */
type Content = { object: ObjectVersion; file: FileDescription } | { url: string };

/** Where a variant of a video is stored; undefined when it does not exist. */
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

function firstFrameOf({ id, source, input }: VideoRecord): Content | undefined {
  const frame = input.media.find(({ type }) => type === 'first_frame');
  if (frame?.file) {
    const { content_type } = frame.file;
    return { object: frame.file, file: { file_name: `${id}.${content_type.replace(/^image\//, '')}`, content_type } };
  }
  // A refused drop: its image was not accepted, but the object still exists.
  if (source.type === 'drop') {
    return { object: source, file: { file_name: `${id}${/\.[a-z]+$/i.exec(source.key)?.[0] ?? ''}` } };
  }
  // Normalized, because a header cannot carry letters beyond ASCII.
  const address = frame && parseUrl(frame.url);
  return address && /^https?:$/.test(address.protocol) ? { url: address.href } : undefined;
}

/** How long a link is valid, in seconds. */
const LINK_SECONDS = 900;

/** How a browser handles an object: its file name when saved, and its type where S3 may not know it. */
export interface FileDescription {
  /** Plain ASCII without quotes. */
  file_name: string;
  content_type?: string;
}

/**
 * A presigned URL of an object, valid for `LINK_SECONDS` without a key. S3 serves ranges of it.
 * @param method the one that the URL is for: S3 refuses any other
 */
export function linkToObject(
  s3: S3Client,
  { bucket, key, version_id }: ObjectVersion,
  { file_name, content_type }: FileDescription,
  method: 'GET' | 'HEAD' = 'GET',
): Promise<string> {
  const object = {
    Bucket: bucket,
    Key: key,
    VersionId: version_id,
    ResponseContentDisposition: `inline; filename="${file_name}"`,
    ResponseContentType: content_type,
  };
  const expiry = { expiresIn: LINK_SECONDS };
  return method === 'HEAD'
    ? getSignedUrl(s3, new HeadObjectCommand(object), expiry)
    : getSignedUrl(s3, new GetObjectCommand(object), expiry);
}

/** Whether a version of an object, or without `version_id` the object, exists. */
export async function objectExists(
  s3: Pick<S3Client, 'send'>,
  { bucket, key, version_id }: ObjectVersion,
): Promise<boolean> {
  const head = new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id });
  return (await s3.send(head).catch(ignoreNotFound)) !== undefined;
}
