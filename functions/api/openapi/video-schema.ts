import * as z from 'zod';
import { settingLevels, statuses } from '../../video/record.ts';
import { resolutionNames } from '../../wan/catalogue.ts';
import { failureCodes } from '../../wan/failures.ts';
import { endingsTable } from './problem-codes.ts';

/*
 * A video as `GET /videos/{id}` shows it. Strict throughout: a field that the record gains and that leaks into an answer breaks
 * the tests that hold answers against these schemas.
 */

export const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC.', examples: ['2026-01-31T12:00:00.000Z'] });
const videoId = z.uuid().meta({ examples: ['5f0c6b9e-3a52-8d0e-9c1b-7e4f2a9d6c38'] });
const bytes = z.int().min(0).meta({ description: 'Length in bytes.' });
const pixels = z.int().min(1).meta({ description: 'Pixels.' });
const seconds = z.number().min(0).meta({ description: 'Seconds.' });

export const warningSchema = z
  .strictObject({
    pointer: z.string().meta({
      description: 'A JSON pointer (RFC 6901) into the request; empty for the whole.',
      examples: ['/input/prompt'],
    }),
    code: z.string().meta({ description: 'Stable; for programs.', examples: ['prompt_truncated'] }),
    message: z.string(),
  })
  .meta({ description: 'Something that was taken, but not as one may think.' });

export const priceSchema = z
  .strictObject({
    amount: z
      .number()
      .min(0)
      .meta({ description: 'What the video costs, in `currency`.', examples: [0.075] }),
    currency: z.enum(['USD', 'CNY']),
    unit_price: z.number().min(0).meta({ description: 'Of one second of video.' }),
    seconds,
    as_of: z.string().meta({ description: 'The day on which the price was read.', examples: ['2025-12-29'] }),
  })
  .meta({ description: 'Wan bills the seconds of a video that succeeded, and nothing else.' });

const inputSchema = z
  .strictObject({
    prompt: z.string().optional(),
    negative_prompt: z.string().optional(),
    img_url: z.string().meta({ description: '`s3://bucket/key` for a picture that firstframe holds.' }),
    audio_url: z
      .string()
      .optional()
      .meta({ description: '`s3://bucket/key` for an audio file that firstframe holds.' }),
    template: z.string().optional(),
  })
  .meta({ description: 'As the request gave it.' });

export const filledParameters = {
  resolution: z.enum(resolutionNames),
  duration: z.int().min(1).meta({ description: 'Seconds.' }),
  prompt_extend: z.boolean(),
  watermark: z.boolean(),
  shot_type: z.enum(['single', 'multi']).optional(),
  seed: z.int().min(0).optional(),
  audio: z.boolean().optional(),
};

const storedAt = { bucket: z.string(), key: z.string(), version_id: z.string().optional(), content_type: z.string() };

const droppedAt = { bucket: z.string(), key: z.string(), version_id: z.string().optional() };

const imageSchema = z
  .strictObject({ ...storedAt, bytes, width: pixels, height: pixels })
  .meta({ description: 'The first frame, where firstframe holds it. `GET /videos/{id}/content?variant=first_frame`.' });

const audioSchema = z
  .strictObject({ ...storedAt, bytes, duration_seconds: seconds })
  .meta({ description: 'The audio file, where firstframe holds it.' });

const taskSchema = z
  .strictObject({
    status: z.string().meta({ description: "Wan's own word.", examples: ['RUNNING'] }),
    region: z.string(),
    submit_time: time,
    scheduled_time: time.optional(),
    end_time: time.optional(),
    expires_at: time.meta({ description: 'When Wan forgets the task and its video. The archive does not.' }),
    attempts: z.int().min(1).meta({ description: 'Paid attempts so far.' }),
    actual_prompt: z.string().optional().meta({ description: "The prompt as Wan's rewriting left it." }),
  })
  .meta({ description: 'What is going on at Wan.' });

const archivedSchema = z
  .strictObject({
    ...storedAt,
    bytes,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    duration_seconds: seconds,
    width: pixels,
    height: pixels,
    fps: z.number().min(0),
    codecs: z.array(z.string()).meta({ examples: [['avc1.640020']] }),
  })
  .meta({ description: 'The archived file, proven whole. `GET /videos/{id}/content` leads to it.' });

const optionalNumber = z.number().optional();

/** Wan's own count; which members there are depends on the model. */
const usageSchema = z
  .strictObject({
    duration: optionalNumber,
    input_video_duration: optionalNumber,
    output_video_duration: optionalNumber,
    video_duration: optionalNumber,
    video_ratio: z.string().optional(),
    video_count: optionalNumber,
    SR: optionalNumber,
  })
  .meta({ description: "Wan's own count. Which members there are depends on the model." });

export const failureSchema = z
  .strictObject({
    code: z.string().meta({
      description: 'One of the table; for a refused drop that of what was wrong with it.',
      examples: [...failureCodes],
    }),
    message: z.string(),
    retryable: z.boolean().meta({ description: 'Whether the same request may succeed another time.' }),
    billed: z.boolean().meta({ description: 'Whether Wan has charged for the video, or may have.' }),
    hint: z.string().meta({ description: 'How to mend it.' }),
    request_id: z.string().optional().meta({ description: "Wan's id of the call that said so." }),
  })
  .meta({
    description: `Why the video failed or was canceled.\n\n${endingsTable}`,
  });

export const videoSchema = z
  .strictObject({
    id: videoId,
    owner: z.string(),
    status: z.enum(statuses).meta({
      description:
        '`queued` → `submitting` (being handed to Wan) → `running` (at Wan) → `archiving` (being copied) → `succeeded`; or `failed`, `canceled`.',
    }),
    created_at: time,
    updated_at: time,
    model: z.string(),
    input: inputSchema,
    parameters: z
      .strictObject(filledParameters)
      .partial()
      .meta({ description: "With the model's defaults filled in." }),
    source: z
      .discriminatedUnion('type', [
        z.strictObject({ type: z.literal('api'), key_id: z.string() }),
        z.strictObject({
          type: z.literal('drop'),
          ...droppedAt,
          settings: z
            .record(z.string(), z.enum(settingLevels))
            .optional()
            .meta({
              description: 'Where each value of the request came from, by JSON pointer (RFC 6901).',
              examples: [{ '/input/prompt': 'sidecar', '/model': 'deployment' }],
            }),
          defaults_key: z
            .string()
            .optional()
            .meta({
              description: 'The `_defaults.json` that values from `defaults` were read from.',
              examples: ['drop/cats/_defaults.json'],
            }),
        }),
        z.strictObject({
          type: z.literal('manifest'),
          ...droppedAt,
          line: z
            .int()
            .min(1)
            .meta({ description: 'Counted from 1, empty lines too, in the last upload that has the line.' }),
        }),
      ])
      .meta({
        description: 'Where it came from: a request, an image in the drop folder, or a line of a manifest there.',
      }),
    metadata: z.record(z.string(), z.string()).meta({ description: 'Your own labels.' }),
    warnings: z.array(warningSchema),
    progress: z.number().min(0).max(100).meta({ description: 'Percent. Only grows, until a retry begins anew.' }),
    queue_position: z.int().min(1).optional().meta({
      description:
        'While it is queued: 1 is the next to be started. Owners are served in turns: a thousand of one hold up the first of another by one. Missing where it cannot be determined.',
    }),
    estimated_start_at: time.optional().meta({
      description:
        'While it is queued: roughly when it starts, from its position, the number of tasks that Wan runs at once, and how long one usually takes. The time moves with the clock while the queue stands still.',
      examples: ['2026-01-31T12:05:00.000Z'],
    }),
    estimated_finish_at: time.optional(),
    image: imageSchema.optional(),
    audio: audioSchema.optional(),
    estimated_cost: priceSchema.optional().meta({ description: 'If it succeeds; missing where no price is known.' }),
    task: taskSchema.optional(),
    video: archivedSchema.optional(),
    usage: usageSchema.optional(),
    cost: priceSchema.optional().meta({ description: 'What Wan bills for it.' }),
    error: failureSchema.optional(),
    timeline: z.array(z.strictObject({ status: z.enum(statuses), at: time })),
  })
  .meta({ description: 'A request for a video, and all that became of it.' });
