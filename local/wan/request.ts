import { type ApiError, apiError, bodyError, type Checked, urlError } from './errors.ts';
import { findModel, type Model, maximumSeed, type Tier } from './models.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Returns what is wrong with a value, or undefined. */
type Rule = (value: unknown, model: Model) => string | undefined;

/** URLs of the images and the audio of a request. */
export interface MediaFields {
  readonly img_url: string;
  /** Other media of wan2.7: checked, but only the first frame is rendered. */
  readonly last_frame?: string;
  readonly audio_url?: string;
}

/** The members of `input` and `parameters` that passed their rules. */
export interface CheckedBody {
  readonly input: { readonly prompt?: string; readonly negative_prompt?: string; readonly template?: string };
  readonly parameters: {
    readonly resolution?: Tier;
    readonly duration?: number;
    readonly prompt_extend?: boolean;
    readonly shot_type?: 'single' | 'multi';
    readonly watermark?: boolean;
    readonly seed?: number;
    readonly audio?: boolean;
  };
  readonly media: MediaFields;
}

const text: Rule = (value) => (typeof value === 'string' ? undefined : 'must be a string');
const flag: Rule = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const oneOf = (value: unknown, values: readonly unknown[]) =>
  values.includes(value) ? undefined : `must be one of ${values.join(', ')}`;

const inputRules: Readonly<Record<string, Rule>> = {
  prompt: text,
  negative_prompt: text,
  template: text,
  img_url: text,
  audio_url: (value, model) => (model.audio ? text(value, model) : `is not supported by ${model.name}`),
};

const parameterRules: Readonly<Record<string, Rule>> = {
  resolution: (value, model) => oneOf(value, model.tiers),
  duration: (value, model) => oneOf(value, model.durations),
  prompt_extend: flag,
  shot_type: (value, model) =>
    model.shotType ? oneOf(value, ['single', 'multi']) : `is not supported by ${model.name}`,
  watermark: flag,
  seed: (value) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maximumSeed
      ? undefined
      : `must be a whole number from 0 to ${maximumSeed}`,
  audio: (value, model) => (model.audioSwitch ? flag(value, model) : undefined),
};

/** Reads a body as a JSON object with a known `model`. */
export function readBody(contentType: string | undefined, body: Buffer): Checked<{ body: Fields; model: Model }> {
  const parsed = /^application\/json\b/i.test(contentType ?? '') ? parseObject(body) : undefined;
  if (!parsed) return { error: apiError('InvalidParameter', bodyError) };
  const name = parsed.model ?? '';
  if (name === '') return { error: apiError('BadRequest.EmptyModel') };
  const model = typeof name === 'string' ? findModel(name) : undefined;
  return model ? { value: { body: parsed, model } } : { error: apiError('ModelNotFound') };
}

/** Returns the prompt before any check, because it may contain directives. */
export function promptOf(body: Fields): string {
  return isObject(body.input) && typeof body.input.prompt === 'string' ? body.input.prompt : '';
}

/** Checks every field of the reference. Other fields are ignored, and null counts as absent. */
export function checkBody(body: Fields, model: Model): Checked<CheckedBody> {
  const input = withoutNull(body.input);
  const parameters = withoutNull(body.parameters ?? {});
  if (body.input === undefined || body.input === null) return { error: apiError('BadRequest.EmptyInput') };
  if (!input) return { error: apiError('BadRequest.IllegalInput') };
  if (!parameters) return { error: apiError('InvalidParameter', bodyError) };
  const error =
    firstError('input', input, inputRules, model) ?? firstError('parameters', parameters, parameterRules, model);
  if (error) return { error };
  const media = model.imageField === 'media' ? mediaList(input.media) : mediaFields(input);
  if ('error' in media) return media;
  return { value: { input, parameters, media: media.value } };
}

function firstError(
  where: string,
  fields: Fields,
  rules: Readonly<Record<string, Rule>>,
  model: Model,
): ApiError | undefined {
  for (const [name, rule] of Object.entries(rules)) {
    const issue = fields[name] === undefined ? undefined : rule(fields[name], model);
    if (issue) return apiError('InvalidParameter', `${where}.${name} ${issue}`);
  }
  return undefined;
}

function mediaFields({ img_url, audio_url }: Fields): Checked<MediaFields> {
  if (img_url === undefined) return { error: apiError('InvalidParameter', 'Field required: input.img_url') };
  if (!isUrl(img_url)) return { error: apiError('InvalidParameter', urlError) };
  if (audio_url === undefined) return { value: { img_url } };
  return isUrl(audio_url) ? { value: { img_url, audio_url } } : { error: apiError('InvalidParameter', urlError) };
}

/** Reads `input.media` of wan2.7, a list of typed URLs (facts, "Differences between models"). */
function mediaList(media: unknown): Checked<MediaFields> {
  const urls = new Map<string, string>();
  for (const entry of Array.isArray(media) ? media : []) {
    if (!isObject(entry) || typeof entry.type !== 'string' || !isUrl(entry.url)) {
      return { error: apiError('InvalidParameter', 'input.media must be a list of {type, url}') };
    }
    urls.set(entry.type, entry.url);
  }
  for (const type of urls.keys()) {
    if (['first_frame', 'last_frame', 'driving_audio'].includes(type)) continue;
    return { error: apiError('InvalidParameter', `Wan emulator: input.media type ${type} is not emulated`) };
  }
  const img_url = urls.get('first_frame');
  if (!img_url) return { error: apiError('InvalidParameter', 'Field required: input.media first_frame') };
  const last_frame = urls.get('last_frame');
  const audio_url = urls.get('driving_audio');
  return { value: { img_url, ...(last_frame && { last_frame }), ...(audio_url && { audio_url }) } };
}

function isUrl(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function parseObject(body: Buffer): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function withoutNull(value: unknown): Fields | undefined {
  if (!isObject(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
