import { inspectAudio } from '../../media/audio.ts';
import { mediaTypeOf, videoTypeOf } from '../../media/file-kind.ts';
import { inspectImage, type RotatedImages } from '../../media/image.ts';
import type { Issue, ValueIssue, Warning } from '../../shared/issues.ts';
import type { Model } from '../catalogue.ts';
import { kindOfMedia, type LocatedMedia, type MediaKind } from '../media.ts';
import { checkPublicUrl, parseS3Url } from './public-url.ts';

type AddressRules = {
  readonly trustedOrigins: readonly string[];
  /** Whether an `s3://` URL names a file of the caller. Undefined refuses the scheme. */
  readonly ownsS3Url: ((url: string) => boolean) | undefined;
  /** Bytes of an inline file; 0 accepts none. */
  readonly maxInlineBytes: number;
  /** Undefined for an unknown one: the limits of the reference apply. */
  readonly model: Model | undefined;
  readonly rotatedImages: RotatedImages | undefined;
};

/** What is known of a file after it was inspected. */
export type MediaFacts = {
  content_type: string;
  bytes: number;
  /** Pixels. */
  width?: number;
  height?: number;
  duration_seconds?: number;
  fps?: number;
};

/** A file that the request holds as a `data:` URL. */
export type InlineFile = { readonly content: Uint8Array; readonly facts: MediaFacts };

/** A medium whose URL may be used, in its normal form, and its file if the request holds it. */
export type CheckedMedia = LocatedMedia & { readonly inline?: InlineFile };

type Addresses = { media: CheckedMedia[]; issues: Issue[]; warnings: Warning[] };
type Checked =
  | { ok: true; url: string; inline?: InlineFile; warnings?: readonly ValueIssue[] }
  | { ok: false; issues: readonly ValueIssue[] };

/** Checks the addresses of media and returns those that may be used, in their normal form. */
export function checkAddresses(media: readonly LocatedMedia[], rules: AddressRules): Addresses {
  const addresses: Addresses = { media: [], issues: [], warnings: [] };
  const take = (pointer: string, checked: Checked): Extract<Checked, { ok: true }> | undefined => {
    const located = (found: readonly ValueIssue[]) => found.map((issue) => ({ pointer, ...issue }));
    if (checked.ok) addresses.warnings.push(...located(checked.warnings ?? []));
    else addresses.issues.push(...located(checked.issues));
    return checked.ok ? checked : undefined;
  };
  for (const item of media) {
    const checked = take(item.pointer, checkMediaUrl(kindOfMedia(item.type), item.url, rules));
    if (!checked) continue;
    const { url, inline } = checked;
    addresses.media.push({ ...item, url, ...(inline ? { inline } : {}) });
  }
  return addresses;
}

/** http(s), `data:`, and `s3://` where allowed. */
function checkMediaUrl(kind: MediaKind, text: string, rules: AddressRules): Checked {
  if (rules.ownsS3Url && /^s3:/i.test(text)) return checkS3Url(text, rules.ownsS3Url);
  if (/^\s*data:/i.test(text)) return checkDataUrl(kind, text, rules);
  const checked = checkPublicUrl(text, rules);
  const message = checked.ok ? undefined : hintFor(kind, text);
  return asList(message && !checked.ok ? { ...checked, message } : checked);
}

/** Explains what was given instead of an address, where that shows. */
function hintFor(kind: MediaKind, text: string): string | undefined {
  if (/^https?:/i.test(text)) return undefined;
  if (/^[\w+/-]{64}/.test(text)) {
    const type = mediaTypeOf(Buffer.from(text, 'base64')) ?? exampleTypes[kind];
    return `This is base64 without its beginning. Put data:${type};base64, before it.`;
  }
  return 'This is no web address. Upload a file of your own through POST /uploads and give its "media_url", or send it as a data: URL. A web address starts with https:// or http://.';
}

const exampleTypes: Readonly<Record<MediaKind, string>> = {
  image: 'image/jpeg',
  audio: 'audio/mpeg',
  video: 'video/mp4',
  document: 'application/pdf',
};

/** Decodes and inspects an inline file. Its declared type and name are ignored: the bytes decide. */
function checkDataUrl(kind: MediaKind, text: string, rules: AddressRules): Checked {
  const refuse = (code: string, message: string) => ({ ok: false as const, issues: [{ code, message }] });
  if (rules.maxInlineBytes === 0) {
    return refuse('unsupported_url_scheme', 'data: URLs are not accepted here. Upload the file and give its URL.');
  }
  if (kind === 'video' || kind === 'document') {
    const message = `A ${kind} cannot be sent inline. Upload it through POST /uploads and give its "media_url".`;
    return refuse('unsupported_url_scheme', message);
  }
  // Browsers read base64 only as the last parameter; some programs write another one after it.
  const [start] = /^\s*data:.{0,8192}?;\s*base64\s*(?:;[^,]{0,1024})?,/is.exec(text) ?? [];
  if (!start) {
    const message = `The data: URL has no base64. Write it as data:${exampleTypes[kind]};base64, and the encoded file.`;
    return refuse('invalid_data_url', message);
  }
  const content = decodeBase64(text.slice(start.length));
  if (!content)
    return refuse('invalid_data_url', 'The base64 of the data: URL is broken. Encode the whole file again.');
  const { byteLength } = content;
  const inspected =
    kind === 'image'
      ? inspectImage(content, byteLength, rules.model?.image, rules.rotatedImages)
      : inspectAudio(content, byteLength, rules.model?.audio_input);
  const issues = inspected.ok ? [] : inspected.issues;
  const code = `${kind}_too_large`;
  if (byteLength > rules.maxInlineBytes && !issues.some((issue) => issue.code === code)) {
    const message = `An inline file may have ${rules.maxInlineBytes} bytes; this one has ${byteLength}. Upload it through POST /uploads and give its "media_url", or make it smaller.`;
    issues.unshift({ code, message });
  }
  if (!inspected.ok || issues.length > 0) return { ok: false, issues };
  const { facts, warnings } = inspected;
  const url = `data:${facts.content_type};base64,${content.toString('base64')}`;
  return { ok: true, url, inline: { content, facts }, warnings };
}

/** Decodes base64 as browsers do for `data:` URLs (WHATWG, "forgiving-base64"), and its URL-safe alphabet. */
function decodeBase64(text: string): Buffer | undefined {
  // Some programs percent-encode the three characters that have a meaning in URLs, and line breaks.
  const encoded = text.replace(/%(2B|2F|3D|0A|0D|09|20)/gi, (code) => decodeURIComponent(code));
  const plain = (isFormDecoded(encoded) ? encoded.trim().replaceAll(' ', '+') : encoded).replace(/\s+/g, '');
  const digits = plain.replace(/={1,2}$/, '');
  // A search for the first bad character: a match of the good ones would need a stack as long as the file.
  if (digits.length % 4 === 1 || /[^A-Za-z0-9+/_-]/.test(digits)) return undefined;
  return Buffer.from(digits, 'base64');
}

/** Whether each `+` became a blank, as in a form: there is no `+`, and the blanks do not end lines of one length. */
function isFormDecoded(text: string): boolean {
  if (/[+-]/.test(text)) return false;
  const parts = text.trim().split(' ', 1000).slice(0, -1);
  return new Set(parts.map(({ length }) => length)).size > 1;
}

/** What must not be used is refused like what is not there, so that callers do not learn of others' files. */
const checkS3Url = (text: string, ownsS3Url: (url: string) => boolean): Checked =>
  parseS3Url(text) && ownsS3Url(text) ? { ok: true, url: text } : { ok: false, issues: [uploadNotFound] };

/** Whether an `s3://` URL names an object below a prefix, however a program resolves it. */
export function isBelow(prefix: string, url: string): boolean {
  if (!url.startsWith(prefix)) return false;
  const given = url.slice(prefix.length);
  // S3 takes a key literally, but a program that passes it on as a path may resolve these.
  const leadsElsewhere = given.split('/').some((part) => part === '.' || part === '..');
  // No header or address can carry these, and no upload has them in its name.
  return !leadsElsewhere && !/[\p{Cc}\p{Surrogate}]/u.test(given);
}

/** The one answer to an `s3://` URL that is none of the caller's, whether the file is absent or another's. */
export const uploadNotFound = {
  code: 'upload_not_found',
  message: 'There is no such upload of yours. Send the file with POST /uploads and give its "media_url" unchanged.',
} as const;

function asList(checked: ReturnType<typeof checkPublicUrl>): Checked {
  if (checked.ok) return checked;
  return { ok: false, issues: [{ code: checked.code, message: checked.message }] };
}

/**
 * Turns a file given as base64 without `data:`, as one published client of Wan sends it, into a data URL; undefined for anything
 * else.
 */
export function rawBase64ToDataUrl(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]{64}/.test(text)) return undefined;
  const start = Buffer.from(text.slice(0, 4096), 'base64');
  const type = mediaTypeOf(start) ?? videoTypeOf(start);
  return type && `data:${type};base64,${text}`;
}
