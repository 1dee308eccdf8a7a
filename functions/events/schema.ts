import * as z from 'zod';
import { statuses } from '../video/record.ts';

/**
 * The `detail` of an event, which EventBridge delivers with the source `firstframe` and a detail type such as `video.succeeded`. New
 * fields may be added within a version; a field that is removed or changes its meaning gets a new version.
 */
export const eventDetailSchema = z
  .strictObject({
    version: z.literal('1'),
    id: z.uuid().meta({ description: "The video's id." }),
    owner: z.string().meta({ description: 'The owner of the video.' }),
    sequence: z.int().min(1).meta({
      description:
        'The number of the status change in the video: 1, 2, … Events may arrive late, twice or out of order; the highest number is the latest.',
    }),
    status: z.enum(statuses).meta({ description: 'The status after the change.' }),
    at: z.iso.datetime().meta({ description: 'When the status changed (UTC).' }),
    model: z.string(),
    source: z.enum(['api', 'drop', 'manifest']).meta({ description: 'How the video was requested.' }),
    derived_from: z.uuid().optional().meta({ description: 'The video that this one extends or varies.' }),
    metadata: z.record(z.string(), z.string()).meta({ description: "The caller's own labels." }),
    webhook: z.boolean().meta({ description: 'Whether a webhook gets this event.' }),
    video: z
      .strictObject({
        bytes: z.int(),
        sha256: z.string(),
        content_type: z.string(),
        duration_seconds: z.number(),
        width: z.int(),
        height: z.int(),
      })
      .optional()
      .meta({ description: 'The archived file, after `succeeded`. `GET /videos/{id}/content` has it.' }),
    cost: z
      .strictObject({ amount: z.number(), currency: z.string() })
      .optional()
      .meta({ description: 'What Wan bills, after `succeeded`.' }),
    error: z
      .strictObject({ code: z.string(), retryable: z.boolean(), billed: z.boolean() })
      .optional()
      .meta({ description: 'Why the video failed, after `failed`. `GET /videos/{id}` explains it.' }),
  })
  .meta({ title: 'A status change of a video' });

export type EventDetail = z.infer<typeof eventDetailSchema>;
