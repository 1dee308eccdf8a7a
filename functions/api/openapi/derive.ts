import * as z from 'zod';
import { extensionFields, variationFields } from '../../submissions/derive-body.ts';
import type { estimateSchema } from './catalogue.ts';
import { extendedVideo, extensionRequest, succeededVideo, variationRequest, waitingVideo } from './examples.ts';
import { jsonResponse, ref, type Schemas } from './operation.ts';
import { idempotencyKey, prefer, videoIdInPath } from './parameters.ts';
import { nativeOperations } from './problems.ts';
import { videoSchema } from './video-schema.ts';

export const schemas: Schemas = {
  requests: { ExtensionRequest: z.strictObject(extensionFields), VariationRequest: z.strictObject(variationFields) },
  responses: { Variations: z.strictObject({ data: z.array(videoSchema).min(1).max(4) }) },
};

const estimateExample: z.input<typeof estimateSchema> = {
  model: extendedVideo.model,
  parameters: { resolution: '720P', duration: 8, prompt_extend: true, watermark: false },
  estimated_cost: extendedVideo.estimated_cost ?? null,
  estimated_seconds: 118,
  warnings: extendedVideo.warnings,
};
const estimate = { summary: 'With dry_run', value: estimateExample };

const problems = [
  'invalid_json',
  'invalid_request',
  'invalid_idempotency_key',
  'spending_limit_reached',
  'video_not_found',
  'idempotency_conflict',
  'source_gone',
  'video_deleted',
] as const;

export const operations = nativeOperations('Videos', [
  {
    method: 'post',
    path: '/videos/{id}/extend',
    id: 'extendVideo',
    summary: 'Extend a video',
    description: `Creates a video that begins with the archived one and continues it. Possible with models that take \`first_clip\` (see \`GET /models\`): the source lasts 2 to 10 s, source and continuation at most 15 s together. Any other source or model gets a 400 that names the possible variations.

**Wan bills the whole new video, the seconds of the source again.** The estimate (\`dry_run\`) and the new video have the warning \`source_billed_again\` with both numbers. The source is copied, so it can be deleted immediately.`,
    parameters: [videoIdInPath, idempotencyKey, prefer],
    body: {
      content: {
        schema: ref('ExtensionRequest'),
        examples: {
          extension: { summary: 'Three more seconds', value: extensionRequest },
          estimate: { summary: 'Its price only', value: { ...extensionRequest, dry_run: true } },
        },
      },
    },
    responses: {
      200: jsonResponse(
        'With `dry_run`, the estimate. Otherwise the existing video of an earlier request with the same `Idempotency-Key`; or, with `Prefer: wait`, the video, which has ended.',
        { anyOf: [ref('Estimate'), ref('Video')] },
        { estimate, queued: { summary: 'A repeated request', value: extendedVideo } },
        { optionalHeaders: ['Location', 'Retry-After', 'Preference-Applied'] },
      ),
      202: jsonResponse(
        'The request was accepted, and the video is in progress.',
        ref('Video'),
        { queued: { summary: 'Queued', value: extendedVideo } },
        { headers: ['Location'], optionalHeaders: ['Retry-After', 'Preference-Applied'] },
      ),
    },
    problems: [...problems, 'source_has_no_video'],
  },
  {
    method: 'post',
    path: '/videos/{id}/variations',
    id: 'varyVideo',
    summary: 'Make variations of a video',
    description:
      'Creates up to four videos of the same inputs with other settings: another model, resolution, prompt or seed, or other `parameters`. Settings that are not given are those of the source. With `n` above 1 a seed counts up; without a seed Wan chooses one for each. The spending limit is checked for all before the first is created, and one `Idempotency-Key` covers all. With `dry_run` the response is the estimate of one.',
    parameters: [videoIdInPath, idempotencyKey],
    body: {
      content: {
        schema: ref('VariationRequest'),
        examples: {
          final: { summary: 'The final video of a draft', value: variationRequest },
          takes: { summary: 'Four more takes', value: { n: 4 } },
        },
      },
    },
    responses: {
      200: jsonResponse(
        'With `dry_run`, the estimate. Otherwise the existing videos of an earlier request with the same `Idempotency-Key`.',
        { anyOf: [ref('Estimate'), ref('Variations')] },
        { estimate },
        { optionalHeaders: ['Retry-After'] },
      ),
      202: jsonResponse(
        'The request was accepted, and the videos are in progress.',
        ref('Variations'),
        { queued: { summary: 'One', value: { data: [{ ...waitingVideo, derived_from: succeededVideo.id }] } } },
        { optionalHeaders: ['Retry-After'] },
      ),
    },
    problems: [...problems, 'source_incomplete'],
  },
]);
