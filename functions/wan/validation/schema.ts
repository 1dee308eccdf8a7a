import * as z from 'zod';
import { findModel, type Model, type ModelName, offeredModelNames, resolutionNames } from '../catalogue.ts';

/** The longest accepted prompt, in characters. Wan reads far fewer and drops the rest. */
export const maxPromptCharacters = 20_000;
/** Largest metadata: the bytes of all keys and values in UTF-8. */
export const maxMetadataBytes = 2048;
export const maxMetadataEntries = 64;
const maxSeed = 2_147_483_647;

const promptError = `Give a text of at most ${maxPromptCharacters} characters.`;
const fileUrls = 'an http(s) URL, a data: URL with base64, or the media_url of POST /uploads';
const flagError = 'Give true or false.';
const seedError = `Give a whole number from 0 to ${maxSeed}.`;
const metadataError = 'Give an object with string values, such as {"project": "spring"}, of at most 2 KB.';
const metadataKeyError = 'Metadata names have 1 to 64 letters, digits, dots, underscores and hyphens.';
/** Names that cannot be stored: schemas drop `__proto__` silently, and the table's client misreads a map with `constructor`. */
export const reservedMetadataNames = ['__proto__', 'constructor'] as const;

/** Fields of `input`, named as in the reference ("Request body"). */
export const inputFields = {
  prompt: z
    .string({ error: promptError })
    .meta({
      maxLength: maxPromptCharacters,
      description: 'What happens in the video. Wan reads the first 800 or 1,500 characters, by model.',
      examples: ['A kitten runs through the grass'],
    })
    .optional(),
  negative_prompt: z
    .string({ error: promptError })
    .meta({
      maxLength: maxPromptCharacters,
      description: 'What the video must not show. Wan reads the first 500 characters.',
    })
    .optional(),
  img_url: z.string({ error: `Give the first frame: ${fileUrls}.` }).meta({
    minLength: 1,
    description: `The first frame: ${fileUrls}.`,
    examples: ['https://example.com/cat.png'],
  }),
  audio_url: z
    .string({ error: `Give the audio: ${fileUrls}.` })
    .meta({
      description: `Audio that the video is generated to, WAV or MP3, 3 to 30 s, at most 15 MB: ${fileUrls}.`,
      examples: ['https://example.com/song.mp3'],
    })
    .optional(),
  template: z
    .string({ error: 'Give the name of a video effect.' })
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, {
      error: 'Give the name of a video effect: letters, digits, "_" and "-".',
    })
    .meta({ description: 'The name of a video effect, which replaces the prompt.', examples: ['flying'] })
    .optional(),
};

const flag = (description: string) => z.boolean({ error: flagError }).meta({ description }).optional();

const parameterDescriptions = {
  resolution: 'The tier of the number of pixels. It affects the price.',
  duration: 'Seconds of video, as the model offers them. It affects the price.',
};

/** Fields of `parameters`. Missing ones get the model's default. */
export const parameterFields = {
  resolution: z
    .enum(resolutionNames, { error: `Use one of ${resolutionNames.join(', ')}, as the model offers it.` })
    .meta({ description: parameterDescriptions.resolution })
    .optional(),
  duration: z
    .int({ error: 'Give a whole number of seconds.' })
    .min(1, { error: 'Give a whole number of seconds, 1 or more.' })
    .max(60, { error: 'Give a whole number of seconds that the model offers.' })
    .meta({ description: parameterDescriptions.duration })
    .optional(),
  prompt_extend: flag('Whether a language model rewrites the prompt first. Default true.'),
  shot_type: z
    .enum(['single', 'multi'], { error: 'Use "single" or "multi".' })
    .meta({ description: 'One continuous shot or several. Takes effect only with prompt_extend.' })
    .optional(),
  watermark: flag('Whether "AI Generated" is written into the lower right corner. Default false.'),
  seed: z
    .int({ error: seedError })
    .min(0, { error: seedError })
    .max(maxSeed, { error: seedError })
    .meta({ description: 'Makes results more similar between calls, without a guarantee.' })
    .optional(),
  audio: flag('Whether the video has audio, for models where this can be chosen.'),
};

export const metadataField = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, { error: metadataKeyError })
      .meta({ not: { enum: reservedMetadataNames } }),
    z.string({ error: 'Metadata values must be strings.' }),
    { error: metadataError },
  )
  .meta({ description: 'Your own labels, returned with the video. At most 2 KB.' })
  .optional();

export const webhookField = z
  .string({ error: 'Give an https URL.' })
  .meta({ description: 'An https URL that is notified of every status change.' })
  .optional();

/** An empty text counts as a missing field (`readBody`). */
const orEmpty = <Schema extends z.ZodType>(field: z.ZodOptional<Schema>) =>
  z.union([field.unwrap(), z.literal('')]).optional();

export const inputSchema = z.strictObject({ ...inputFields, template: orEmpty(inputFields.template) });
const parametersSchema = z.strictObject({
  ...parameterFields,
  resolution: orEmpty(parameterFields.resolution),
  shot_type: orEmpty(parameterFields.shot_type),
});

/** A template replaces the prompt, so only a blank one may be next to it. */
const written = { type: 'string', minLength: 1 };
const noPromptWithTemplate = {
  not: { required: ['prompt', 'template'], properties: { prompt: { pattern: '\\S' }, template: written } },
};
const noShotTypeWithoutRewriting = {
  not: {
    required: ['shot_type', 'prompt_extend'],
    properties: { prompt_extend: { const: false }, shot_type: written },
  },
};

/**
 * The body of `POST /videos` as a schema, for the contract (OpenAPI): one for each model, with the fields and values that it accepts. Requests
 * are validated by `checkRequest`.
 */
export const videoRequestSchema = (kind: 'video' | 'estimate', offered: readonly ModelName[] = offeredModelNames) =>
  z.union(offered.map((name) => requestSchemaOf(findModel(name), kind)));

function requestSchemaOf(
  { name, resolutions, durations, audio, audio_switch, shot_type }: Model & { name: ModelName },
  kind: 'video' | 'estimate',
) {
  const { audio_url, ...silentInput } = inputSchema.shape;
  const { audio: audioSwitch, shot_type: shotType, ...plain } = parametersSchema.shape;
  const seconds =
    durations.kind === 'set' ? z.literal([...durations.values]) : z.int().min(durations.min).max(durations.max);
  const parameters = z.strictObject({
    ...plain,
    resolution: orEmpty(z.enum(resolutions).meta({ description: parameterDescriptions.resolution }).optional()),
    duration: seconds.meta({ description: parameterDescriptions.duration }).optional(),
    ...(shot_type ? { shot_type: shotType } : {}),
    ...(audio_switch ? { audio: audioSwitch } : {}),
  });
  const input = z.strictObject({ ...silentInput, ...(audio ? { audio_url } : {}) });
  return z
    .strictObject({
      model: z.literal(name).meta({ description: 'The model that makes the video.' }),
      input:
        kind === 'video' ? input.meta(noPromptWithTemplate) : input.partial().meta(noPromptWithTemplate).optional(),
      parameters: (shot_type ? parameters.meta(noShotTypeWithoutRewriting) : parameters).optional(),
      metadata: metadataField,
    })
    .meta({ title: name });
}
