import * as z from 'zod';
import { resolutionNames } from '../../wan/catalogue.ts';
import { offeredModels } from '../videos/models.ts';
import { usageQuery } from '../videos/usage.ts';
import { examplePrice, videoRequest } from './examples.ts';
import { jsonResponse, ref, type Schemas } from './operation.ts';
import { queryParameters } from './parameters.ts';
import { nativeOperations } from './problems.ts';
import { filledParameters, priceSchema, warningSchema } from './video-schema.ts';

const currency = z.enum(['USD', 'CNY']);
const amount = z.number().min(0);
const day = z.string().meta({ examples: ['2025-12-29'] });
const characters = z.int().min(0).meta({ description: 'The number of characters after which Wan cuts the text off.' });

export const modelSchema = z.strictObject({
  name: z.string(),
  resolutions: z.array(z.enum(resolutionNames)),
  default_resolution: z.enum(resolutionNames),
  durations: z.array(z.int().min(1)).meta({ description: 'The available lengths in seconds.' }),
  default_duration: z.int().min(1),
  prompt_limit: characters,
  negative_prompt_limit: characters,
  audio: z.boolean().meta({ description: 'Whether the video has audio, and `audio_url` is accepted.' }),
  shot_type: z.boolean().meta({ description: 'Whether `shot_type` is accepted.' }),
  image: z
    .strictObject({ min_side: z.int(), max_side: z.int(), max_bytes: z.int() })
    .meta({ description: 'Limits of the first frame: pixels per side, and bytes.' }),
  prices: z
    .partialRecord(z.enum(resolutionNames), amount)
    .meta({ description: 'The price of one second of video by resolution; empty if no price is known.' }),
  currency,
  prices_as_of: day,
  typical_seconds: z.number().min(0).meta({ description: 'How long a video of the default length usually takes.' }),
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
  responses: { Model: modelSchema, ModelList: modelListSchema, Estimate: estimateSchema, Usage: usageOfMonthSchema },
};

const flash = offeredModels('singapore').filter(({ name }) => name === videoRequest.model);

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
