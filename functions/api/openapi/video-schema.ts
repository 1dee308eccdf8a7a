import * as z from 'zod';
import { settingLevels, statuses } from '../../video/record.ts';
import { ratios, resolutionNames } from '../../wan/catalogue.ts';
import { failureCodes } from '../../wan/failures.ts';
import { mediaTypes } from '../../wan/media.ts';
import { webhookEvents } from '../../wan/validation/webhook.ts';
import { endingsTable } from './problem-codes.ts';

/*
 * A video as `GET /videos/{id}` shows it. Strict throughout: when a new field of the record leaks into a response, the tests that validate
 * responses with these schemas fail.
 */

export const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC.', examples: ['2026-01-31T12:00:00.000Z'] });
const videoId = z.uuid().meta({ examples: ['5f0c6b9e-3a52-8d0e-9c1b-7e4f2a9d6c38'] });
const bytes = z.int().min(0).meta({ description: 'Length in bytes.' });
const pixels = z.int().min(1).meta({ description: 'Pixels.' });
const seconds = z.number().min(0).meta({ description: 'Seconds.' });

export const warningSchema = z
  .strictObject({
    pointer: z.string().meta({
      description: 'A JSON pointer (RFC 6901) into the request; empty for the whole request.',
      examples: ['/input/prompt'],
    }),
    code: z.string().meta({ description: 'Stable, for programs.', examples: ['prompt_truncated'] }),
    message: z.string(),
  })
  .meta({ description: 'Something that was accepted but may have a surprising effect.' });

export const priceSchema = z
  .strictObject({
    amount: z
      .number()
      .min(0)
      .meta({ description: 'What the video costs, in `currency`.', examples: [0.075] }),
    currency: z.enum(['USD', 'CNY']),
    unit_price: z.number().min(0).meta({ description: 'Price of one billed second.' }),
    seconds,
    as_of: z.string().meta({
      description: 'The day on which the price was read, or `configured` for one of the deployment.',
      examples: ['2025-12-29'],
    }),
  })
  .meta({
    description:
      'Wan bills only a video that succeeded: its seconds, and for some models those of input videos. An estimate counts the most that may be billed.',
  });

const storedAt = { bucket: z.string(), key: z.string(), version_id: z.string().optional(), content_type: z.string() };

const mediumSchema = z.strictObject({
  type: z.enum(mediaTypes),
  url: z.string().meta({ description: '`s3://bucket/key` for a file that firstframe stores.' }),
  file: z
    .strictObject({
      ...storedAt,
      bytes,
      width: pixels.optional(),
      height: pixels.optional(),
      duration_seconds: seconds.optional(),
      fps: z.number().min(0).optional(),
    })
    .optional()
    .meta({
      description:
        'The file, if firstframe stores it. Fetch a first frame with `GET /videos/{id}/content?variant=first_frame`.',
    }),
});

const inputSchema = z
  .strictObject({
    prompt: z.string().optional(),
    negative_prompt: z.string().optional(),
    template: z.string().optional(),
    media: z
      .array(mediumSchema)
      .meta({ description: 'The media in the order of their types, also those given as `img_url` and the like.' }),
  })
  .meta({ description: 'The inputs of the request.' });

export const filledParameters = {
  resolution: z.enum(resolutionNames),
  duration: z.int().min(-1).meta({ description: 'Seconds; -1 for a length that the model chooses.' }),
  prompt_extend: z.boolean().optional(),
  watermark: z.boolean(),
  shot_type: z.enum(['single', 'multi']).optional(),
  seed: z.int().min(0).optional(),
  ratio: z.enum(ratios).optional(),
  audio: z.boolean().optional(),
};

const droppedAt = { bucket: z.string(), key: z.string(), version_id: z.string().optional() };

const taskSchema = z
  .strictObject({
    status: z.string().meta({ description: "Wan's task status.", examples: ['RUNNING'] }),
    region: z.string(),
    submit_time: time,
    scheduled_time: time.optional(),
    end_time: time.optional(),
    expires_at: time.meta({ description: 'When Wan deletes the task and its video. The archived file stays.' }),
    attempts: z.int().min(1).meta({ description: 'Number of the attempt that created the task; refused ones count.' }),
    actual_prompt: z.string().optional().meta({ description: 'The prompt after Wan rewrote it.' }),
  })
  .meta({ description: "The video's task at Wan." });

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
    provenance: z
      .strictObject({
        c2pa: z.boolean().meta({ description: 'Whether the file has a C2PA manifest. Its signature is not verified.' }),
        aigc_label: z
          .boolean()
          .meta({ description: 'Whether its metadata has the label `AIGC` of the Chinese standard GB 45438-2025.' }),
        watermark: z.boolean().meta({ description: 'Whether the visible "AI Generated" was requested.' }),
      })
      .meta({
        description: 'The marks of AI-generated content in the file, which is archived byte for byte as Wan made it.',
      }),
  })
  .meta({ description: 'The archived file, verified to be complete. Fetch it with `GET /videos/{id}/content`.' });

const optionalNumber = z.number().optional();

/** What Wan billed; the members depend on the model. */
const usageSchema = z
  .strictObject({
    duration: optionalNumber,
    input_video_duration: optionalNumber,
    output_video_duration: optionalNumber,
    video_duration: optionalNumber,
    video_ratio: z.string().optional(),
    video_count: optionalNumber,
    SR: optionalNumber,
    fps: optionalNumber,
    ratio: z.string().optional(),
  })
  .meta({ description: 'What Wan billed. The members depend on the model.' });

export const failureSchema = z
  .strictObject({
    code: z.string().meta({
      description: 'A code of the table; for a refused drop, the code of its first issue.',
      examples: [...failureCodes],
    }),
    message: z.string(),
    retryable: z.boolean().meta({ description: 'Whether a retry may succeed.' }),
    billed: z.boolean().meta({ description: 'Whether Wan has billed the video, or may have.' }),
    hint: z.string().meta({ description: 'How to fix it.' }),
    request_id: z.string().optional().meta({ description: "Wan's id of the request that failed." }),
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
        '`queued` → `submitting` (being sent to Wan) → `running` (at Wan) → `archiving` (being copied and verified) → `succeeded`; or `failed`, `canceled`.',
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
        z.strictObject({
          type: z.literal('api'),
          key_id: z.string(),
          request_id: z.string().optional().meta({ description: 'The id of the request that created the video.' }),
        }),
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
              description: 'The key of the `_defaults.json` that provided values.',
              examples: ['drop/cats/_defaults.json'],
            }),
        }),
        z.strictObject({
          type: z.literal('manifest'),
          ...droppedAt,
          line: z.int().min(1).meta({
            description: 'The line number from 1, empty lines included, in the last upload that has the line.',
          }),
          settings: z
            .record(z.string(), z.literal('line'))
            .optional()
            .meta({
              description:
                'The values that the line has, by JSON pointer (RFC 6901). All others are defaults of the model.',
              examples: [{ '/model': 'line', '/input/prompt': 'line' }],
            }),
        }),
      ])
      .meta({
        description: 'The origin: an API request, an image in the drop folder, or a line of a manifest there.',
      }),
    derived_from: videoId.optional().meta({
      description: 'The id of the video that this one extends or varies. That one may have been deleted since.',
    }),
    metadata: z.record(z.string(), z.string()).meta({ description: 'Your own labels.' }),
    webhook: z
      .strictObject({ host: z.string(), events: z.enum(webhookEvents) })
      .optional()
      .meta({
        description: 'The webhook of the request, in place of yours: the host of its URL, and the events that it gets.',
      }),
    warnings: z.array(warningSchema),
    progress: z
      .number()
      .min(0)
      .max(100)
      .meta({ description: 'Percent. It only grows, except that a retry starts again at 0.' }),
    queue_position: z.int().min(1).optional().meta({
      description:
        'While queued: 1 starts next. Owners are served round-robin, so a thousand videos of one owner delay the first video of another by one. Absent if it cannot be determined.',
    }),
    estimated_start_at: time.optional().meta({
      description:
        'While queued: a rough estimate of its start, from its position, the number of concurrent tasks at Wan, and how long a task usually takes. It moves with the clock while the queue does not move.',
      examples: ['2026-01-31T12:05:00.000Z'],
    }),
    estimated_finish_at: time.optional(),
    estimated_cost: priceSchema
      .optional()
      .meta({ description: 'The most that it costs if it succeeds; absent if no price is known.' }),
    task: taskSchema.optional(),
    video: archivedSchema.optional(),
    expires_at: time.optional().meta({
      description:
        'When the archived file expires. Then its content gets a 410. Absent if it is kept until it is deleted.',
    }),
    usage: usageSchema.optional(),
    cost: priceSchema.optional().meta({ description: 'What Wan bills for the video.' }),
    error: failureSchema.optional(),
    timeline: z.array(z.strictObject({ status: z.enum(statuses), at: time })),
  })
  .meta({ description: 'A video: the request, its progress and its outcome.' });
