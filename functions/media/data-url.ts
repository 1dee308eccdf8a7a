/** MIME types of the pictures that Wan reads (reference, "Input image"). */
export const imageTypes = ['image/jpeg', 'image/png', 'image/bmp', 'image/webp'] as const;
export type ImageType = (typeof imageTypes)[number];

/** Wan's limit for a picture (reference, "img_url": 10 MB), read as mebibytes. */
export const maxImageBytes = 10 * 1024 * 1024;

type DataUrl = { content_type: ImageType; base64: string; bytes: number };

/**
 * Reads a `data:image/…;base64,…` URL without decoding it: the type is one that
 * Wan reads, the base64 is strict (no spaces, padded, no stray bits), the size
 * within the limit.
 */
export function parseDataUrl(
  url: string,
  limit: number = maxImageBytes,
): ({ ok: true } & DataUrl) | { ok: false; issues: MediaIssue[] } {
  const comma = url.slice(0, 100).indexOf(',');
  const header = /^data:([a-z0-9.+-]+\/[a-z0-9.+-]+);base64$/i.exec(url.slice(0, Math.max(comma, 0)));
  if (!header) {
    return refuse(
      'invalid_data_url',
      'This is no base64 data URL. Write it as data:image/png;base64, and the encoded picture.',
    );
  }
  const contentType = imageTypes.find((type) => type === aliased(header[1]?.toLowerCase()));
  if (!contentType) {
    return refuse('unsupported_image_type', `Pictures of this type aren't taken. Use ${imageTypes.join(', ')}.`);
  }
  const base64 = url.slice(comma + 1);
  const bytes = base64Size(base64);
  if (bytes === undefined) {
    return refuse(
      'invalid_data_url',
      'The data URL holds broken base64. Encode the whole file again, padded and without line breaks.',
    );
  }
  if (bytes === 0) return refuse('image_empty', 'The data URL holds an empty file.');
  if (bytes > limit) {
    return refuse(
      'image_too_large',
      `The picture has ${bytes} bytes; at most ${limit} are taken here. Make it smaller, or upload it and give its URL.`,
    );
  }
  return { ok: true, content_type: contentType, base64, bytes };
}

/** {@link parseDataUrl}, and the picture's bytes. What the bytes are is for `inspectImage` to say. */
export function decodeDataUrl(
  url: string,
  limit: number = maxImageBytes,
): { ok: true; content_type: ImageType; bytes: Uint8Array } | { ok: false; issues: MediaIssue[] } {
  const parsed = parseDataUrl(url, limit);
  if (!parsed.ok) return parsed;
  return { ok: true, content_type: parsed.content_type, bytes: Buffer.from(parsed.base64, 'base64') };
}

/** How many bytes a text of strict base64 holds, or undefined if it isn't one. */
export function base64Size(text: string): number | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  // A search for the first bad character: a match of the good ones would need a stack as long as the picture.
  const bad = text.search(/[^A-Za-z0-9+/]/);
  if (bad !== -1 && bad !== digits) return undefined;
  const last = text.slice(-4);
  if (padding > 0 && Buffer.from(last, 'base64').toString('base64') !== last) return undefined;
  return (text.length / 4) * 3 - padding;
}

function aliased(type: string | undefined): string | undefined {
  if (type === 'image/jpg') return 'image/jpeg';
  return type === 'image/x-ms-bmp' ? 'image/bmp' : type;
}

function refuse(code: string, message: string): { ok: false; issues: MediaIssue[] } {
  return { ok: false, issues: [{ code, message }] };
}

/** What is wrong with a file: a stable code, and a sentence that says how to mend it. */
export type MediaIssue = { code: string; message: string };
