import { type ApiError, apiError, type Checked, urlError } from './errors.ts';
import { type MediaType, type Model, mediaKinds } from './models.ts';
import type { UnsettledFacts } from './unsettled.ts';

/** One entry of `input.media`, or the same from `img_url` and `audio_url`. */
export interface MediaEntry {
  readonly type: MediaType;
  readonly url: string;
}

/** wan2.7: each type at most once, and only these combinations. */
const combinations: readonly (readonly MediaType[])[] = [
  ['first_frame'],
  ['first_frame', 'driving_audio'],
  ['first_frame', 'last_frame'],
  ['first_frame', 'last_frame', 'driving_audio'],
  ['first_clip'],
  ['first_clip', 'last_frame'],
];

/** wan3.0: how many entries of each type a request may have. */
const maximumCounts: Readonly<Partial<Record<MediaType, number>>> = {
  first_frame: 1,
  last_frame: 1,
  reference_image: 10,
  reference_video: 5,
  reference_audio: 5,
  file: 1,
  link: 1,
};

/**
 * Reads the media of a request's input and checks types, counts and combinations. Does not load them.
 *
 * @param input without members that are null
 */
export function readMedia(
  input: Readonly<Record<string, unknown>>,
  model: Model,
  facts: UnsettledFacts,
): Checked<readonly MediaEntry[]> {
  const isShorthand = input.img_url !== undefined || input.audio_url !== undefined;
  switch (model.inputs) {
    case 'img_url':
      return readShorthand(input);
    case 'wan2.7 media': {
      if (isShorthand && facts.wan27ImgUrl === 'rejected')
        return invalid(`input.img_url and audio_url are not supported by ${model.name}, use input.media`);
      if (isShorthand && input.media !== undefined)
        return invalid('input.media excludes input.img_url and input.audio_url');
      const media = isShorthand ? readShorthand(input) : readList(input.media ?? []);
      return 'error' in media ? media : checked(media.value, checkCombination(media.value));
    }
    case 'wan3.0 media': {
      const media = readList(input.media ?? []);
      if ('error' in media) return media;
      if (media.value.length === 0 && (input.prompt ?? '') === '')
        return invalid('Field required: input.prompt or input.media');
      return checked(media.value, checkCounts(media.value) ?? checkExclusions(media.value));
    }
  }
}

function readShorthand({ img_url, audio_url }: Readonly<Record<string, unknown>>): Checked<readonly MediaEntry[]> {
  if (img_url === undefined) return invalid('Field required: input.img_url');
  const entries = [
    { type: 'first_frame', url: img_url },
    { type: 'driving_audio', url: audio_url },
  ] as const;
  const media: MediaEntry[] = [];
  for (const { type, url } of entries) {
    if (url === undefined) continue;
    if (!isAddress(url, type)) return invalid(urlError);
    media.push({ type, url });
  }
  return { value: media };
}

function readList(list: unknown): Checked<readonly MediaEntry[]> {
  if (!Array.isArray(list)) return invalid('input.media must be a list of {type, url}');
  const media: MediaEntry[] = [];
  for (const [index, entry] of list.entries()) {
    const { type, url } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    if (typeof type !== 'string' || !Object.hasOwn(mediaKinds, type))
      return invalid(`input.media[${index}].type must be one of ${Object.keys(mediaKinds).join(', ')}`);
    if (!isAddress(url, type as MediaType)) return invalid(urlError);
    media.push({ type: type as MediaType, url });
  }
  return { value: media };
}

/** Whether a value has the form of an address of this type. A temporary upload also needs a header, which loading checks. */
function isAddress(value: unknown, type: MediaType): value is string {
  if (typeof value !== 'string' || value === '') return false;
  if (/^https?:\/\//i.test(value)) return isUrl(value);
  if (value.startsWith('oss://')) return type !== 'link';
  return mediaKinds[type] === 'image' && inlineImage(value) !== undefined;
}

/** `URL.canParse` of Node 20 returns wrong results for letters such as ü once it is optimized. */
function isUrl(text: string): boolean {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
}

/** Returns the MIME type and the base64 text of an inline image: `data:…;base64,…`, or base64 alone. */
export function inlineImage(text: string): { readonly declaredType?: string; readonly base64: string } | undefined {
  const [, declaredType, encoded] = /^data:([^;,]*);base64,([\s\S]*)$/i.exec(text) ?? [];
  const base64 = (encoded ?? text).replace(/\s/g, '');
  if (base64.length < 16 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  return { base64, ...(declaredType !== undefined && { declaredType }) };
}

function checkCombination(media: readonly MediaEntry[]): ApiError | undefined {
  if (media.length === 0) return apiError('InvalidParameter', 'Field required: input.media');
  const types = media.map(({ type }) => type).sort();
  const isAllowed = combinations.some((allowed) => [...allowed].sort().join() === types.join());
  if (isAllowed) return undefined;
  const allowed = combinations.map((combination) => combination.join(' + ')).join('; ');
  return apiError('InvalidParameter', `input.media has ${types.join(' + ')}, but must be one of: ${allowed}`);
}

function checkCounts(media: readonly MediaEntry[]): ApiError | undefined {
  for (const type of new Set(media.map((entry) => entry.type))) {
    const [count, maximum] = [media.filter((entry) => entry.type === type).length, maximumCounts[type]];
    if (maximum === undefined)
      return apiError('InvalidParameter', `input.media type must be one of ${Object.keys(maximumCounts).join(', ')}`);
    if (count > maximum)
      return apiError('InvalidParameter', `input.media has ${count} entries of type ${type}, at most ${maximum}`);
  }
  return undefined;
}

function checkExclusions(media: readonly MediaEntry[]): ApiError | undefined {
  const has = (type: MediaType) => media.some((entry) => entry.type === type);
  const isFrame = ({ type }: MediaEntry) => type === 'first_frame' || type === 'last_frame';
  if (has('last_frame') && !has('first_frame'))
    return apiError('InvalidParameter', 'input.media last_frame needs a first_frame');
  if (media.some(isFrame) && !media.every(isFrame))
    return apiError('InvalidParameter', 'input.media first_frame and last_frame exclude reference_*, file and link');
  return has('file') && has('link')
    ? apiError('InvalidParameter', 'input.media has file and link, at most one of them')
    : undefined;
}

function checked<T>(value: T, error: ApiError | undefined): Checked<T> {
  return error ? { error } : { value };
}

function invalid(message: string): { error: ApiError } {
  return { error: apiError('InvalidParameter', message) };
}
