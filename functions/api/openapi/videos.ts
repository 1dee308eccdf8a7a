import * as z from 'zod';
import { videoRequestSchema } from '../../wan/validation/schema.ts';
import { contentQuery, variants } from '../videos/content.ts';
import { videoQuery } from '../videos/get.ts';
import { listQuery } from '../videos/list.ts';
import { LONGEST_WAIT_SECONDS } from '../videos/long-poll.ts';
import { exampleId, failedVideo, fullVideoRequest, succeededVideo, videoRequest, waitingVideo } from './examples.ts';
import { type Content, jsonResponse, type ResponseSpec, ref, type Schemas } from './operation.ts';
import { idempotencyKey, prefer, queryParameters, videoIdInPath } from './parameters.ts';
import { nativeOperations } from './problems.ts';
import { failureSchema, priceSchema, time, videoSchema, warningSchema } from './video-schema.ts';

const videoListSchema = z.strictObject({
  data: z.array(videoSchema).meta({ description: 'Newest first.' }),
  next_cursor: z.string().nullable().meta({ description: '`cursor` of the next page; null on the last one.' }),
});

const contentLinkSchema = z.strictObject({
  url: z.url().meta({ description: 'Whoever has it needs no key. Resumable: ranges are served.' }),
  expires_at: time.nullable().meta({
    description: 'When the link ends; null for a first frame that lies at an address of your own.',
  }),
});

export const schemas: Schemas = {
  // Webhooks are not offered yet, so nobody is told of them.
  taken: { VideoRequest: videoRequestSchema().omit({ webhook_url: true }) },
  given: {
    Video: videoSchema,
    VideoError: failureSchema,
    Price: priceSchema,
    Warning: warningSchema,
    VideoList: videoListSchema,
    ContentLink: contentLinkSchema,
  },
};

/** The body by which a video is asked for, and priced. */
export const videoRequestContent: Content = {
  schema: ref('VideoRequest'),
  examples: {
    small: { summary: 'A picture and a prompt', value: videoRequest },
    full: { summary: 'With sound and every parameter', value: fullVideoRequest },
  },
};

export const video = ref('Video');

/** The headers of a video that was just asked for. */
const soon: Pick<ResponseSpec, 'headers' | 'sometimes'> = {
  headers: ['Location'],
  sometimes: ['Retry-After', 'Preference-Applied'],
};

const states = {
  succeeded: { summary: 'It has succeeded', value: succeededVideo },
  failed: { summary: 'It has failed', value: failedVideo },
};
const queued = { summary: 'It waits for its turn', value: waitingVideo };

export const operations = nativeOperations('Videos', [
  {
    method: 'post',
    path: '/videos',
    id: 'createVideo',
    summary: 'Make a video',
    description: `Takes a picture (\`img_url\`: an http(s) URL, a \`data:\` URL of at most 4 MiB, or the \`media_url\` of \`POST /uploads\`) and a prompt. The answer comes at once; the video takes a minute or several. Ask \`GET /videos/{id}\` for it.

What Wan would refuse or ignore is a 400 that names everything at once; what it would cut off is a warning on the video.`,
    parameters: [idempotencyKey, prefer],
    body: { content: videoRequestContent },
    answers: {
      200: jsonResponse(
        'The video of an earlier request with the same `Idempotency-Key`, as it stands; or, with `Prefer: wait`, the video that has ended.',
        video,
        states,
        soon,
      ),
      202: jsonResponse('The request was taken, and the video is under way.', video, { queued }, soon),
    },
    problems: [
      'invalid_json',
      'invalid_request',
      'invalid_idempotency_key',
      'spending_limit_reached',
      'idempotency_conflict',
      'video_deleted',
      'image_too_large',
    ],
  },
  {
    method: 'get',
    path: '/videos',
    id: 'listVideos',
    summary: 'List your videos',
    description:
      'Newest first. Pages stay stable while videos are added: those come before the first page. A filter that seldom matches gives pages that are not full; `next_cursor` alone says whether there is more.',
    parameters: queryParameters(listQuery, {
      status: { description: 'Only videos of this status.', example: 'succeeded' },
      model: { description: 'Only videos of this model.', example: 'wan2.2-i2v-flash' },
      created_after: { description: 'Only later ones.', example: '2026-01-01T00:00:00Z' },
      created_before: { description: 'Only earlier ones.', example: '2026-02-01T00:00:00Z' },
      limit: {
        description: 'How many at most.',
        schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
      },
      cursor: { description: '`next_cursor` of the last page, exactly as it was.' },
    }),
    etag: true,
    answers: {
      200: jsonResponse(
        'A page.',
        ref('VideoList'),
        { page: { summary: 'The last page', value: { data: [succeededVideo], next_cursor: null } } },
        { headers: ['ETag'] },
      ),
    },
    problems: ['invalid_query'],
  },
  {
    method: 'get',
    path: '/videos/{id}',
    id: 'getVideo',
    summary: 'Look at a video, or wait for news of it',
    description:
      'With `wait` the answer comes when the status changes, or after so many seconds. Without it, `Retry-After` says when there may be news.',
    parameters: [
      videoIdInPath,
      ...queryParameters(videoQuery, {
        wait: {
          description: 'Seconds to wait for a change of status.',
          schema: { type: 'integer', minimum: 0, maximum: LONGEST_WAIT_SECONDS, default: 0 },
        },
      }),
    ],
    etag: true,
    answers: {
      200: jsonResponse('The video.', video, { ...states, queued }, { headers: ['ETag'], sometimes: ['Retry-After'] }),
    },
    problems: ['invalid_query', 'video_not_found'],
  },
  {
    method: 'get',
    path: '/videos/{id}/content',
    id: 'getContent',
    summary: 'Fetch the file, its first frame or its metadata',
    description:
      "Redirects to a link that is good for 15 minutes; with `Accept: application/json` the link comes as JSON, for a page whose `<video>` can't send the key. Files come straight from S3: downloads resume.",
    parameters: [
      videoIdInPath,
      ...queryParameters(contentQuery, {
        variant: {
          description: 'The file, the picture it begins with, or the video as this API shows it, as a file.',
          schema: { type: 'string', enum: variants, default: 'video' },
        },
      }),
    ],
    answers: {
      200: jsonResponse('The link, for those who asked for JSON.', ref('ContentLink'), {
        link: {
          summary: 'A link',
          value: {
            url: `https://firstframe-videos.s3.us-east-1.amazonaws.com/${exampleId}/1-1.mp4?X-Amz-Signature=0c1d`,
            expires_at: '2026-01-31T12:20:00.000Z',
          },
        },
      }),
      302: { description: 'The file is there.', headers: ['Location'] },
    },
    problems: ['invalid_query', 'video_not_found', 'video_not_ready', 'video_has_no_content'],
  },
]);
