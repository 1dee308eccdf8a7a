import type { Issue } from '../shared/issues.ts';
import { isJsonObject } from '../shared/json-body.ts';

/** Types of a request's media, in the order in which a request lists them. Entries of one type keep their order: prompts number them. */
export const mediaTypes = [
  'first_frame',
  'last_frame',
  'first_clip',
  'driving_audio',
  'reference_image',
  'reference_video',
  'reference_audio',
  'file',
  'link',
] as const;
export type MediaType = (typeof mediaTypes)[number];

/** What a model takes as media: each set of types that it combines, and how many of each type. */
export type MediaRules = {
  readonly combinations: readonly {
    readonly required: readonly MediaType[];
    readonly optional: readonly MediaType[];
  }[];
  /** @default 1 of a type */
  readonly counts: Readonly<Partial<Record<MediaType, number>>>;
};

/** One input of a video. */
export type MediaItem = { type: MediaType; url: string };
/** `pointer` is where the caller gave the URL: `/input/img_url`, or `/input/media/2/url`. */
export type LocatedMedia = MediaItem & { readonly pointer: string };

const kinds = { frame: 'image', image: 'image', clip: 'video', video: 'video', audio: 'audio' } as const;
export type MediaKind = (typeof kinds)[keyof typeof kinds] | 'document';

/** What a file of a type is: `reference_audio` is audio, `link` a document. */
export const kindOfMedia = (type: MediaType): MediaKind =>
  kinds[type.slice(type.indexOf('_') + 1) as keyof typeof kinds] ?? 'document';

/** Fields of `input` that stand for one entry of `media`. */
export const shorthands = { img_url: 'first_frame', last_frame_url: 'last_frame', audio_url: 'driving_audio' } as const;
export type Shorthand = keyof typeof shorthands;
export const shorthandNames = Object.keys(shorthands) as readonly Shorthand[];

/** Returns the media of an input as one list: shorthand fields first, then in the order of types. */
export function mediaListOf(
  input: Partial<Record<Shorthand, string>> & { media?: readonly MediaItem[] },
): LocatedMedia[] {
  const short = shorthandNames.flatMap((name) => {
    const url = input[name];
    return url === undefined ? [] : [{ type: shorthands[name], url, pointer: `/input/${name}` }];
  });
  const listed = (input.media ?? []).map(({ type, url }, index) => ({
    type,
    url,
    pointer: `/input/media/${index}/url`,
  }));
  return inTypeOrder([...short, ...listed]);
}

const inTypeOrder = <Item extends { type: unknown }>(items: readonly Item[]): Item[] => {
  const rank = ({ type }: Item) => mediaTypes.indexOf(type as MediaType);
  return items.toSorted((one, other) => rank(one) - rank(other));
};

/**
 * Returns a body with the media of its input as one list in the order of types, so that shorthand and list are the same request
 * (invariant 2). Not checked: what is no media is returned unchanged.
 */
export function withMediaList(body: unknown): unknown {
  if (!isJsonObject(body) || !isJsonObject(body.input)) return body;
  const { media = [], ...input } = body.input;
  if (!Array.isArray(media) || !media.every(isJsonObject)) return body;
  const short = shorthandNames.filter((name) => typeof input[name] === 'string');
  const items: Record<string, unknown>[] = [
    ...short.map((name) => ({ type: shorthands[name], url: input[name] })),
    ...media,
  ];
  const others = Object.entries(input).filter(([name]) => !short.some((known) => known === name));
  const list = inTypeOrder(items as { type: unknown }[]);
  return { ...body, input: { ...Object.fromEntries(others), ...(list.length > 0 ? { media: list } : {}) } };
}

/**
 * Checks which media a request combines, and how many of each type. Files are checked elsewhere.
 * @param hasPrompt whether there is a prompt, which some models take alone
 */
export function checkMediaTypes(
  model: { readonly name: string; readonly media: MediaRules },
  media: readonly LocatedMedia[],
  hasPrompt: boolean,
): Issue[] {
  const { combinations, counts } = model.media;
  const accepted = new Set(combinations.flatMap(({ required, optional }) => [...required, ...optional]));
  const rule = `${model.name} accepts ${describeMedia(model.media)}.`;
  const issues: Issue[] = [];
  const known = media.filter(({ type, pointer }) => {
    if (kindOfMedia(type) === 'document') {
      const message = `Documents (${type}) are not offered. Describe their contents in the prompt, or give images. ${rule}`;
      issues.push({ pointer, code: 'document_not_offered', message });
    } else if (!accepted.has(type)) {
      issues.push({ pointer, code: 'media_not_supported', message: `${model.name} takes no ${type}. ${rule}` });
    }
    return accepted.has(type);
  });
  for (const type of accepted) {
    const most = counts[type] ?? 1;
    for (const { pointer } of known.filter((item) => item.type === type).slice(most)) {
      const message = `At most ${most} of type ${type} ${most === 1 ? 'is' : 'are'} accepted. Leave the others out.`;
      issues.push({ pointer, code: 'too_many_media', message });
    }
  }
  const types = new Set(known.map(({ type }) => type));
  // Of equally near combinations, the one whose required types are there.
  const nearness = ({ required, all }: { required: readonly MediaType[]; all: readonly MediaType[] }) =>
    2 * overlap(all, types) + overlap(required, types);
  const [nearest] = combinations
    .map(({ required, optional }) => ({ required, all: [...required, ...optional] }))
    .toSorted((one, other) => nearness(other) - nearness(one));
  const { required, all } = nearest!;
  const used = known.map(({ type }) => type).filter((type) => all.includes(type));
  for (const { type, pointer } of known) {
    if (all.includes(type)) continue;
    const message = `${type} cannot be combined with ${[...new Set(used)].join(' and ')}. ${rule}`;
    issues.push({ pointer, code: 'media_combination', message });
  }
  if (required.some((type) => !types.has(type))) {
    // The pointer is that of the form in which the caller gives media.
    const isListed = media.some(({ pointer }) => pointer.startsWith('/input/media/'));
    const message = `${required.join(' and ')} is missing: ${formsOf(required)}. ${rule}`;
    issues.push({ pointer: isListed ? '/input/media' : '/input/img_url', code: 'missing', message });
  } else if (required.length === 0 && media.length === 0 && !hasPrompt) {
    issues.push({ pointer: '/input', code: 'prompt_or_media_missing', message: 'Give a prompt or media, or both.' });
  }
  return issues;
}

const overlap = (all: readonly MediaType[], types: ReadonlySet<MediaType>): number =>
  all.filter((type) => types.has(type)).length;

/** How the first missing type can be given. */
function formsOf([type]: readonly MediaType[]): string {
  const short = shorthandNames.find((name) => shorthands[name] === type);
  return `give it as ${short ? `"${short}", or ` : ''}{"type": "${type}", "url": "…"} in "media"`;
}

/** The combinations as text: "first_frame with an optional last_frame; or first_clip". */
export function describeMedia({ combinations, counts }: MediaRules): string {
  const named = (type: MediaType) => (counts[type] ? `up to ${counts[type]} ${type}` : type);
  return combinations
    .map(({ required, optional }) => {
      const options = optional.map(named).join(', ');
      if (required.length === 0) return `${options || 'nothing'}, or a prompt alone`;
      return `${required.join(' with ')}${options ? `, optionally with ${options}` : ''}`;
    })
    .join('; or ');
}
