import { type ApiError, apiError, bodyError, type Checked } from './errors.ts';
import { type MediaEntry, readMedia } from './media-list.ts';
import { findModel, type Model, maximumSeed, type Ratio, ratios, type Tier } from './models.ts';
import { defaultFacts, type UnsettledFacts } from './unsettled.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Returns what is wrong with a value, or undefined. */
type Rule = (value: unknown, model: Model) => string | undefined;

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
    readonly ratio?: Ratio;
  };
  readonly media: readonly MediaEntry[];
}

const text: Rule = (value) => (typeof value === 'string' ? undefined : 'must be a string');
const flag: Rule = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');
const oneOf = (value: unknown, values: readonly unknown[]) =>
  values.includes(value) ? undefined : `must be one of ${values.join(', ')}`;

const inputRules: Readonly<Record<string, Rule>> = {
  prompt: text,
  negative_prompt: text,
  template: (value, model) => (model.inputs === 'img_url' ? text(value, model) : undefined),
  img_url: (value, model) => (model.inputs === 'wan3.0 media' ? undefined : text(value, model)),
  audio_url: (value, model) => (model.inputs === 'wan3.0 media' ? undefined : text(value, model)),
};

const parameterRules: Readonly<Record<string, Rule>> = {
  resolution: (value, model) => oneOf(value, model.tiers),
  duration: (value, model) => oneOf(value, model.durations),
  prompt_extend: flag,
  shot_type: (value, model) => (model.shotType ? oneOf(value, ['single', 'multi']) : undefined),
  watermark: flag,
  seed: (value) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maximumSeed
      ? undefined
      : `must be a whole number from 0 to ${maximumSeed}`,
  audio: (value, model) => (model.audioSwitch ? flag(value, model) : undefined),
  ratio: (value, model) => (model.ratio ? oneOf(value, ratios) : undefined),
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

/**
 * Judges a body: every documented field, and which media it has. Other fields are ignored, and null counts as absent. Loads
 * nothing: the files behind the URLs are judged by `storeInputs`.
 */
export function checkBody(body: Fields, model: Model, facts: UnsettledFacts = defaultFacts): Checked<CheckedBody> {
  const input = withoutNull(body.input);
  const parameters = withoutNull(body.parameters ?? {});
  if (body.input === undefined || body.input === null) return { error: apiError('BadRequest.EmptyInput') };
  if (!input) return { error: apiError('BadRequest.IllegalInput') };
  if (!parameters) return { error: apiError('InvalidParameter', bodyError) };
  const rejected = [
    ...model.rejectedFields,
    ...(model.usage === 'wan3.0' && facts.wan30NegativePrompt === 'rejected' ? ['input.negative_prompt'] : []),
    ...(model.usage === 'wan3.0' && facts.wan30PromptExtend === 'rejected' ? ['parameters.prompt_extend'] : []),
  ];
  const error =
    firstError('input', input, inputRules, model, rejected) ??
    firstError('parameters', parameters, parameterRules, model, rejected);
  if (error) return { error };
  const media = readMedia(input, model, facts);
  return 'error' in media ? media : { value: { input, parameters, media: media.value } };
}

function firstError(
  where: string,
  fields: Fields,
  rules: Readonly<Record<string, Rule>>,
  model: Model,
  rejected: readonly string[],
): ApiError | undefined {
  for (const [name, rule] of Object.entries(rules)) {
    if (fields[name] === undefined) continue;
    const field = `${where}.${name}`;
    const issue = rejected.includes(field) ? `is not supported by ${model.name}` : rule(fields[name], model);
    if (issue) return apiError('InvalidParameter', `${field} ${issue}`);
  }
  return undefined;
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
