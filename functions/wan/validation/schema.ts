import * as z from 'zod';
import { findModel, type Model, modelNames, ratios, resolutionNames } from '../catalogue.ts';
import { mediaTypes } from '../media.ts';
import { AUTOMATIC_DURATION } from '../output.ts';
import { webhookFields } from './webhook.ts';

/** The longest accepted prompt, in characters. Wan reads far fewer and drops the rest. */
export const maxPromptCharacters = 20_000;
/** Largest metadata: the bytes of all keys and values in UTF-8. */
export const maxMetadataBytes = 2048;
export const maxMetadataEntries = 64;
export const maxSeed = 2_147_483_647;

const promptError = `Give a text of at most ${maxPromptCharacters} characters.`;
const fileUrls = 'an http(s) URL, a data: URL with base64, or the media_url of POST /uploads';
const flagError = 'Give true or false.';
const seedError = `Give a whole number from 0 to ${maxSeed}.`;
const metadataError = 'Give an object with string values, such as {"project": "spring"}, of at most 2 KB.';
const metadataKeyError = 'Metadata names have 1 to 64 letters, digits, dots, underscores and hyphens.';
/** Names that cannot be stored: schemas drop `__proto__` silently, and the table's client misreads a map with `constructor`. */
export const reservedMetadataNames = ['__proto__', 'constructor'] as const;

/** More than any model accepts. */
const maxMedia = 32;
const mediaError = 'Give a list of objects such as {"type": "first_frame", "url": "https://…"}.';

const mediaEntry = z.strictObject(
  {
    type: z.enum(mediaTypes, { error: `Use one of ${mediaTypes.join(', ')}.` }),
    url: z.string({ error: `Give ${fileUrls}.` }),
  },
  { error: mediaError },
);
export const mediaEntryNames = Object.keys(mediaEntry.shape);

/** Fields of `input`, named as in the reference ("Request body"). */
export const inputFields = {
  prompt: z
    .string({ error: promptError })
    .meta({
      maxLength: maxPromptCharacters,
      description: 'What happens in the video. Wan reads the first 800 to 20,000 characters, by model.',
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
  media: z
    .array(mediaEntry, { error: mediaError })
    .max(maxMedia, { error: `Give at most ${maxMedia} media.` })
    .meta({
      description:
        'What the video is made from, each entry with its type and URL. `GET /models` has the types that a model combines. Prompts name references "Image 1", "Video 1", "Audio 1", counted by type in this order.',
      examples: [[{ type: 'first_frame', url: 'https://example.com/cat.png' }]],
    })
    .optional(),
  img_url: z
    .string({ error: `Give the first frame: ${fileUrls}.` })
    .meta({
      description: `The first frame: ${fileUrls}. Short for an entry \`first_frame\` of \`media\`.`,
      examples: ['https://example.com/cat.png'],
    })
    .optional(),
  last_frame_url: z
    .string({ error: `Give the last frame: ${fileUrls}.` })
    .meta({ description: `The last frame: ${fileUrls}. Short for an entry \`last_frame\` of \`media\`.` })
    .optional(),
  audio_url: z
    .string({ error: `Give the audio: ${fileUrls}.` })
    .meta({
      description: `Audio that the video is generated to, WAV or MP3, 3 to 30 s, at most 15 MB: ${fileUrls}. Short for an entry \`driving_audio\` of \`media\`.`,
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
    .min(AUTOMATIC_DURATION, { error: 'Give a whole number of seconds, 1 or more.' })
    .max(60, { error: 'Give a whole number of seconds that the model offers.' })
    .refine((seconds) => seconds !== 0, { error: 'Give a whole number of seconds, 1 or more.' })
    .meta({ description: parameterDescriptions.duration, not: { const: 0 } })
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
  ratio: z
    .enum(ratios, { error: `Use one of ${ratios.join(', ')}.` })
    .meta({ description: 'The proportions of the video, for models where they can be chosen.' })
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

/** An empty text counts as a missing field (`readBody`). */
const orEmpty = <Schema extends z.ZodType>(field: z.ZodOptional<Schema>) =>
  z.union([field.unwrap(), z.literal('')]).optional();

export const inputSchema = z.strictObject({ ...inputFields, template: orEmpty(inputFields.template) });
const labelFields = {
  metadata: metadataField,
  webhook_url: orEmpty(webhookFields.webhook_url),
  webhook_events: orEmpty(webhookFields.webhook_events),
};
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
export const videoRequestSchema = (kind: 'video' | 'estimate') =>
  z.union([...modelNames.map((name) => requestSchemaOf(findModel(name), kind)), addedModelSchema(kind)]);

/** Any name but those of the catalogue. */
const addedName = new RegExp(`^(?!(${modelNames.join('|').replaceAll('.', '\\.')})$)[a-z0-9][a-z0-9._-]{0,63}$`);

/** A request for a model that a deployment added to the catalogue. */
const addedModelSchema = (kind: 'video' | 'estimate') =>
  z
    .strictObject({
      model: z.string().regex(addedName).meta({
        description: 'A model that the deployment added: `GET /models/{name}/schema` has its fields and values.',
      }),
      input: kind === 'video' ? inputSchema : inputSchema.optional(),
      parameters: parametersSchema.optional(),
      ...labelFields,
    })
    .meta({ title: 'Added model' });

/** The schema of requests for one model. */
export function requestSchemaOf(model: Model & { name: string }, kind: 'video' | 'estimate') {
  const { name, resolutions, durations, audio_switch, shot_type, template, ratio, prompt_extend } = model;
  const { prompt, negative_prompt, img_url, last_frame_url, audio_url, template: effect, media } = inputSchema.shape;
  const { audio, shot_type: shotType, ratio: ratioField, prompt_extend: rewriting, ...plain } = parametersSchema.shape;
  const seconds =
    durations.kind === 'set' ? z.literal([...durations.values]) : z.int().min(durations.min).max(durations.max);
  const automatic = durations.kind === 'range' && durations.automatic;
  const parameters = z.strictObject({
    ...plain,
    resolution: orEmpty(z.enum(resolutions).meta({ description: parameterDescriptions.resolution }).optional()),
    duration: (automatic ? z.union([seconds, z.literal(AUTOMATIC_DURATION)]) : seconds)
      .meta({ description: parameterDescriptions.duration })
      .optional(),
    ...(prompt_extend ? { prompt_extend: rewriting } : {}),
    ...(shot_type ? { shot_type: shotType } : {}),
    ...(ratio ? { ratio: ratioField } : {}),
    ...(audio_switch ? { audio } : {}),
  });
  const { combinations } = model.media;
  const types = mediaTypes.filter((type) =>
    combinations.some(({ required, optional }) => required.includes(type) || optional.includes(type)),
  );
  const entry = mediaEntry.extend({ type: z.enum(types) });
  const input = z.strictObject({
    prompt,
    ...(model.negative_prompt_limit > 0 ? { negative_prompt } : {}),
    img_url,
    ...(types.includes('last_frame') ? { last_frame_url } : {}),
    ...(types.includes('driving_audio') ? { audio_url } : {}),
    media: z
      .array(entry)
      .max(maxMedia)
      .meta(media.meta() ?? {})
      .optional(),
    ...(template ? { template: effect } : {}),
  });
  const isTextEnough = combinations.some(({ required }) => required.length === 0);
  const needed = [...(isTextEnough ? ['prompt'] : []), 'media'].map((field) => ({ required: [field] }));
  // An empty text counts as a missing field.
  const firstFrame = { required: ['img_url'], properties: { img_url: written } };
  const rules = template ? noPromptWithTemplate : {};
  return z
    .strictObject({
      model: z.literal(name).meta({ description: 'The model that makes the video.' }),
      input: kind === 'video' ? input.meta({ ...rules, anyOf: [...needed, firstFrame] }) : input.meta(rules).optional(),
      parameters: (shot_type ? parameters.meta(noShotTypeWithoutRewriting) : parameters).optional(),
      ...labelFields,
    })
    .meta({ title: name });
}
