import * as z from 'zod';
import { resolutionNames } from '../../wan/catalogue.ts';
import { rowOf } from '../../wan/changes.ts';
import { mediaTypes } from '../../wan/media.ts';
import { regions } from '../../wan/regions.ts';
import { modelSchemaOf } from '../videos/model-schema.ts';
import { describeModels } from '../videos/models.ts';
import { usageQuery } from '../videos/usage.ts';
import { examplePrice, videoRequest } from './examples.ts';
import { jsonResponse, ref, type Schemas } from './operation.ts';
import { queryParameters } from './parameters.ts';
import { nativeOperations } from './problems.ts';
import { filledParameters, priceSchema, warningSchema } from './video-schema.ts';

const currency = z.enum(['USD', 'CNY']);
const amount = z.number().min(0);
const day = z.string().meta({
  description: 'The day on which the price was read, or `configured` for one of the deployment.',
  examples: ['2025-12-29'],
});
const characters = z.int().min(0).meta({
  description: 'The number of characters after which Wan cuts the text off; 0 for a text that the model does not take.',
});

/** Seconds: of one file, and of all files of a kind together. */
const lengths = { min_seconds: z.number(), max_seconds: z.number(), max_total_seconds: z.number().optional() };

export const modelSchema = z.strictObject({
  name: z.string(),
  resolutions: z.array(z.enum(resolutionNames)),
  default_resolution: z.enum(resolutionNames),
  durations: z.array(z.int().min(1)).meta({ description: 'The available lengths in seconds.' }),
  default_duration: z.int().min(1),
  automatic_duration: z.boolean().meta({ description: 'Whether `duration: -1` lets the model choose the length.' }),
  prompt_limit: characters,
  negative_prompt_limit: characters,
  audio: z.boolean().meta({ description: 'Whether the video has audio.' }),
  audio_switch: z.boolean().meta({ description: 'Whether `audio: false` makes it silent.' }),
  shot_type: z.boolean().meta({ description: 'Whether `shot_type` is accepted.' }),
  prompt_extend: z.boolean().meta({ description: 'Whether `prompt_extend` is accepted.' }),
  template: z.boolean().meta({ description: 'Whether video effects (`template`) are accepted.' }),
  ratio: z.boolean().meta({ description: 'Whether `ratio` is accepted.' }),
  media: z
    .strictObject({
      combinations: z
        .array(z.strictObject({ required: z.array(z.enum(mediaTypes)), optional: z.array(z.enum(mediaTypes)) }))
        .meta({ description: 'The sets of types that a request may combine; nothing required: a prompt alone.' }),
      counts: z
        .partialRecord(z.enum(mediaTypes), z.int().min(1))
        .meta({ description: 'How many of a type are accepted; 1 where it is not listed.' }),
    })
    .meta({ description: 'The media that the model takes.' }),
  image: z
    .strictObject({ min_side: z.int(), max_side: z.int(), max_bytes: z.int(), max_ratio: z.number().optional() })
    .meta({ description: 'Limits of images: pixels per side, bytes, and the longer side divided by the shorter one.' }),
  audio_input: z
    .strictObject({ ...lengths, max_bytes: z.int() })
    .optional()
    .meta({ description: 'Limits of audio inputs; absent for a model that takes none.' }),
  video_input: z
    .strictObject({
      ...lengths,
      max_bytes: z.int(),
      min_fps: z.number().optional(),
      min_side: z.int().optional(),
      max_side: z.int().optional(),
    })
    .optional()
    .meta({ description: 'Limits of video inputs; absent for a model that takes none.' }),
  max_total_seconds: z
    .number()
    .optional()
    .meta({ description: 'Most seconds of input video and output together, where both are billed.' }),
  prices: z
    .partialRecord(z.enum(resolutionNames), amount)
    .meta({ description: 'The price of one billed second by resolution.' }),
  currency,
  prices_as_of: day,
  typical_seconds: z.number().min(0).meta({ description: 'How long a video of the default length usually takes.' }),
  family: z
    .string()
    .optional()
    .meta({ description: 'The model whose rules apply, for one that the deployment added to the catalogue.' }),
  retires_at: z.iso.date().optional().meta({ description: 'The first day (UTC) on which a request is refused.' }),
  replaced_by: z.string().optional().meta({ description: 'The successor of a model that will be retired.' }),
  submit_slowdown: z.number().min(1).optional().meta({
    description:
      'By which factor submissions are slower than usual at the moment, because Wan throttles the account. Absent otherwise.',
  }),
});

export const modelListSchema = z.strictObject({ data: z.array(modelSchema) });

export const estimateSchema = z.strictObject({
  model: z.string(),
  parameters: z.strictObject(filledParameters).meta({ description: "With the model's defaults filled in." }),
  estimated_cost: priceSchema.nullable().meta({ description: 'Null if no price is known.' }),
  estimated_seconds: z.number().min(0).meta({ description: 'How long it usually takes.' }),
  warnings: z.array(warningSchema),
});

export const usageOfMonthSchema = z
  .strictObject({
    month: z.string().meta({ examples: ['2026-01'] }),
    currency,
    spent: amount.meta({ description: 'For videos that Wan has billed, or may have billed.' }),
    reserved: amount.meta({ description: 'For videos in progress.' }),
    limit: amount.nullable().meta({ description: 'The monthly limit; null without a limit.' }),
    remaining: amount.nullable(),
    videos: z.int().min(0).meta({ description: 'The number of videos that `spent` covers.' }),
    models: z.array(z.strictObject({ model: z.string(), videos: z.int().min(0), spent: amount })),
  })
  .meta({ description: 'Amounts in units of `currency`.' });

export const schemas: Schemas = {
  responses: {
    Model: modelSchema,
    ModelSchema: z.record(z.string(), z.unknown()),
    ModelList: modelListSchema,
    Estimate: estimateSchema,
    Usage: usageOfMonthSchema,
  },
};

const flash = describeModels({ region: 'singapore', base_url: regions.singapore.base_url, prices: {} }).filter(
  ({ name }) => name === videoRequest.model,
);

const anEstimate: z.input<typeof estimateSchema> = {
  model: 'wan2.2-i2v-flash',
  parameters: { resolution: '720P', duration: 5, prompt_extend: true, watermark: false },
  estimated_cost: examplePrice,
  estimated_seconds: 100,
  warnings: [],
};

const aMonth: z.input<typeof usageOfMonthSchema> = {
  month: '2026-01',
  currency: 'USD',
  spent: 1.26,
  reserved: 0.18,
  limit: 20,
  remaining: 18.56,
  videos: 7,
  models: [{ model: 'wan2.2-i2v-flash', videos: 7, spent: 1.26 }],
};

export const operations = nativeOperations('Catalogue and spending', [
  {
    method: 'get',
    path: '/models',
    id: 'listModels',
    summary: 'List the models',
    description: 'The inputs, parameters, limits and prices by which requests are validated and priced.',
    etag: true,
    responses: {
      200: jsonResponse(
        'The models.',
        ref('ModelList'),
        { models: { summary: 'One model', value: { data: flash } } },
        { headers: ['ETag'] },
      ),
    },
  },
  {
    method: 'post',
    path: '/estimates',
    id: 'createEstimate',
    summary: 'Validate and price a request without creating a video',
    description:
      'Takes the body of `POST /videos` and reports the same issues; the image and the prompt may be left out. It stores, reserves and fetches nothing, so files behind URLs are checked only when the video is requested.',
    body: {
      content: {
        schema: ref('EstimateRequest'),
        examples: {
          price: {
            summary: 'Only what affects the price',
            value: { model: videoRequest.model, parameters: { resolution: '720P' } },
          },
          request: { summary: 'A whole request', value: videoRequest },
        },
      },
    },
    responses: {
      200: jsonResponse('The resolved parameters, cost and duration.', ref('Estimate'), {
        estimate: { summary: 'Five seconds at 720P', value: anEstimate },
      }),
    },
    problems: ['invalid_json', 'invalid_request', 'image_too_large', 'audio_too_large'],
  },
  {
    method: 'get',
    path: '/models/{name}/schema',
    id: 'getModelSchema',
    summary: 'Get the JSON Schema of requests for a model',
    description:
      'The fields and values that the model takes, with its defaults, as JSON Schema 2020-12: for forms, editors and agents. A request that the schema refuses is refused. What a schema cannot express, such as the rules of URLs and files, is checked in addition.',
    parameters: [
      {
        name: 'name',
        in: 'path',
        required: true,
        description: 'The name of a model.',
        schema: { type: 'string' },
        example: 'wan2.2-i2v-flash',
      },
    ],
    etag: true,
    responses: {
      200: jsonResponse(
        'The schema.',
        ref('ModelSchema'),
        { schema: { summary: 'The schema of a model', value: modelSchemaOf(rowOf('wan2.2-i2v-flash')!, {}) } },
        { headers: ['ETag'] },
      ),
    },
    problems: ['model_not_found'],
  },
  {
    method: 'get',
    path: '/usage',
    id: 'getUsage',
    summary: 'Get what you have spent in a month',
    description: 'Also what is reserved for videos in progress, and what is left of your limit.',
    parameters: queryParameters(usageQuery, {
      month: { description: 'A calendar month (UTC). Default: the current one.', example: '2026-01' },
    }),
    etag: true,
    responses: {
      200: jsonResponse(
        'The month.',
        ref('Usage'),
        { month: { summary: 'A month', value: aMonth } },
        { headers: ['ETag'] },
      ),
    },
    problems: ['invalid_query'],
  },
]);
