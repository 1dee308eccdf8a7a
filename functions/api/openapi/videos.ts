import * as z from 'zod';
import { videoRequestSchema } from '../../wan/validation/schema.ts';
import { contentQuery, variants } from '../videos/content.ts';
import { videoQuery } from '../videos/get.ts';
import { listQuery } from '../videos/list.ts';
import { LONGEST_WAIT_SECONDS } from '../videos/long-poll.ts';
import {
  exampleId,
  failedVideo,
  framesRequest,
  fullVideoRequest,
  succeededVideo,
  videoRequest,
  waitingVideo,
} from './examples.ts';
import { type Content, jsonResponse, type ResponseSpec, ref, type Schemas } from './operation.ts';
import { idempotencyKey, prefer, queryParameters, videoIdInPath } from './parameters.ts';
import { nativeOperations } from './problems.ts';
import { failureSchema, priceSchema, time, videoSchema, warningSchema } from './video-schema.ts';

const videoListSchema = z.strictObject({
  data: z.array(videoSchema).meta({ description: 'Newest first.' }),
  next_cursor: z.string().nullable().meta({ description: '`cursor` of the next page; null on the last one.' }),
});

const contentLinkSchema = z.strictObject({
  url: z.url().meta({ description: 'A link that works without a key and supports ranges.' }),
  expires_at: time.nullable().meta({
    description: 'When the link expires; null for a first frame at your own URL.',
  }),
});

export const schemas: Schemas = {
  requests: { VideoRequest: videoRequestSchema('video'), EstimateRequest: videoRequestSchema('estimate') },
  responses: {
    Video: videoSchema,
    VideoError: failureSchema,
    Price: priceSchema,
    Warning: warningSchema,
    VideoList: videoListSchema,
    ContentLink: contentLinkSchema,
  },
};

/** The request body of `POST /videos`. */
const videoRequestContent: Content = {
  schema: ref('VideoRequest'),
  examples: {
    small: { summary: 'An image and a prompt', value: videoRequest },
    full: { summary: 'With audio and every parameter', value: fullVideoRequest },
    frames: { summary: 'From a first to a last frame', value: framesRequest },
  },
};

export const video = ref('Video');

/** Links to the operations on a video. @param id where the response has its id */
const linksTo = (id: string): NonNullable<ResponseSpec['links']> =>
  Object.fromEntries(
    [
      ['getVideo', 'Get the video, or wait for its status to change.'],
      ['getContent', 'Fetch the file.'],
      ['cancelVideo', 'Cancel it while nothing is billed.'],
      ['retryVideo', 'Retry it if it failed.'],
      ['deleteVideo', 'Delete it after it has ended.'],
      ['listDeliveries', 'See which of its events a webhook got.'],
    ].map(([operationId, description]) => [
      operationId!,
      { operationId: operationId!, description: description!, parameters: { id } },
    ]),
  );

/** The headers and links of a created video. */
const createdHeaders: Pick<ResponseSpec, 'headers' | 'optionalHeaders' | 'links'> = {
  headers: ['Location'],
  optionalHeaders: ['Retry-After', 'Preference-Applied', 'Sunset'],
  links: linksTo('$response.body#/id'),
};

const states = {
  succeeded: { summary: 'Succeeded', value: succeededVideo },
  failed: { summary: 'Failed', value: failedVideo },
};
const queued = { summary: 'Queued', value: waitingVideo };

export const operations = nativeOperations('Videos', [
  {
    method: 'post',
    path: '/videos',
    id: 'createVideo',
    summary: 'Create a video',
    description: `Takes a prompt and media: usually an image (\`img_url\`: an http(s) URL, a \`data:\` URL of at most 4 MiB, or the \`media_url\` of \`POST /uploads\`); for some models also a last frame, audio, a clip to continue, or references, as \`GET /models\` shows. \`media\` is the list of all; \`img_url\`, \`last_frame_url\` and \`audio_url\` are short for its entries \`first_frame\`, \`last_frame\` and \`driving_audio\`. The response comes immediately; the video takes minutes. Wait for it with \`GET /videos/{id}?wait=25\`.

A request that Wan would refuse or partly ignore gets a 400 with every issue. Text that Wan would cut off gets a warning on the video.

\`webhook_url\` names a server that is called when the video has ended, instead of that of \`PUT /webhook\`.`,
    parameters: [idempotencyKey, prefer],
    body: { content: videoRequestContent },
    responses: {
      200: jsonResponse(
        'The existing video of an earlier request with the same `Idempotency-Key`; or, with `Prefer: wait`, the video, which has ended.',
        video,
        states,
        createdHeaders,
      ),
      202: jsonResponse('The request was accepted, and the video is in progress.', video, { queued }, createdHeaders),
    },
    problems: [
      'invalid_json',
      'invalid_request',
      'invalid_idempotency_key',
      'spending_limit_reached',
      'idempotency_conflict',
      'video_deleted',
      'image_too_large',
      'audio_too_large',
    ],
  },
  {
    method: 'get',
    path: '/videos',
    id: 'listVideos',
    summary: 'List your videos',
    description:
      'Newest first. Pages are stable while videos are added, because new ones precede the first page. A filter that matches few videos can give pages that are not full; only `next_cursor` shows whether there are more.',
    parameters: queryParameters(listQuery, {
      status: { description: 'Only videos of this status.', example: 'succeeded' },
      model: { description: 'Only videos of this model.', example: 'wan2.2-i2v-flash' },
      derived_from: {
        description: 'Only videos that extend or vary the video with this id, also after that one was deleted.',
        schema: { type: 'string', format: 'uuid' },
        example: exampleId,
      },
      created_after: { description: 'Only videos created after this time.', example: '2026-01-01T00:00:00Z' },
      created_before: { description: 'Only videos created before this time.', example: '2026-02-01T00:00:00Z' },
      limit: {
        description: 'The most videos of a page.',
        schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
      },
      cursor: { description: '`next_cursor` of the last page, unchanged.' },
    }),
    etag: true,
    responses: {
      200: jsonResponse(
        'A page.',
        ref('VideoList'),
        { page: { summary: 'The last page', value: { data: [succeededVideo], next_cursor: null } } },
        { headers: ['ETag'], links: linksTo('$response.body#/data/0/id') },
      ),
    },
    problems: ['invalid_query'],
  },
  {
    method: 'get',
    path: '/videos/{id}',
    id: 'getVideo',
    summary: 'Get a video, or wait for its status to change',
    description:
      'With `wait` the response comes when the status changes, or after that many seconds; immediately, with the current state, when too many requests of yours wait already. `Retry-After` is the time until the next request.',
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
    responses: {
      200: jsonResponse(
        'The video.',
        video,
        { ...states, queued },
        { headers: ['ETag'], optionalHeaders: ['Retry-After'] },
      ),
    },
    problems: ['invalid_query', 'video_not_found'],
  },
  {
    method: 'get',
    path: '/videos/{id}/content',
    id: 'getContent',
    summary: 'Fetch the file, its first frame or its metadata',
    description:
      'Redirects to a link that is valid for 15 minutes. With `Accept: application/json` the link is returned as JSON, for a page whose `<video>` element cannot send the key. S3 serves the file, so downloads can be resumed.',
    parameters: [
      videoIdInPath,
      ...queryParameters(contentQuery, {
        variant: {
          description: 'The MP4, its first frame, or the metadata object: the video as this API shows it.',
          schema: { type: 'string', enum: variants, default: 'video' },
        },
      }),
    ],
    responses: {
      200: jsonResponse('The link, when the request accepts JSON.', ref('ContentLink'), {
        link: {
          summary: 'A link',
          value: {
            url: `https://firstframe-videos.s3.us-east-1.amazonaws.com/${exampleId}/1-1.mp4?X-Amz-Signature=0c1d`,
            expires_at: '2026-01-31T12:20:00.000Z',
          },
        },
      }),
      302: { description: 'A redirect to the file.', headers: ['Location'] },
    },
    problems: ['invalid_query', 'video_not_found', 'video_not_ready', 'video_has_no_content', 'content_gone'],
  },
]);
