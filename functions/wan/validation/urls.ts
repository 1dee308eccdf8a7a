import { parseDataUrl } from '../../media/data-url.ts';
import { contentTypeOf, imageFormatOf } from '../../media/image.ts';
import type { Issue } from '../../shared/issues.ts';
import { checkPublicUrl, parseS3Url } from './public-url.ts';

/** By field, what an `s3://` URL must begin with to be taken there. */
export type S3Prefixes = { readonly img_url?: string; readonly audio_url?: string };

type AddressRules = {
  readonly trustedOrigins: readonly string[];
  readonly s3Prefixes: S3Prefixes;
  /** Bytes that an inline picture may have. */
  readonly maxInlineBytes: number;
};

type Addresses = { img_url?: string; audio_url?: string; webhook_url?: string; issues: Issue[] };
type Checked = { ok: true; url: string } | { ok: false; issues: readonly { code: string; message: string }[] };

/** Checks every address of a request and gives those that may be used, in their normal form. */
export function checkAddresses(
  input: { img_url?: string | undefined; audio_url?: string | undefined },
  webhookUrl: string | undefined,
  rules: AddressRules,
): Addresses {
  const addresses: Addresses = { issues: [] };
  for (const [name, pointer, text, check] of [
    ['img_url', '/input/img_url', input.img_url, checkImageUrl],
    ['audio_url', '/input/audio_url', input.audio_url, checkAudioUrl],
    ['webhook_url', '/webhook_url', webhookUrl, checkWebhookUrl],
  ] as const) {
    if (text === undefined) continue;
    const checked = check(text, rules);
    if (checked.ok) addresses[name] = checked.url;
    else addresses.issues.push(...checked.issues.map((problem) => ({ pointer, ...problem })));
  }
  return addresses;
}

/** The first frame: http(s), `data:`, and `s3://` where allowed. */
function checkImageUrl(text: string, rules: AddressRules): Checked {
  if (isS3(text) && rules.s3Prefixes.img_url) return checkS3Url(text, rules.s3Prefixes.img_url);
  if (!/^data:/i.test(text)) return asList(checkPublicUrl(text, rules));
  const parsed = parseDataUrl(text, rules.maxInlineBytes);
  return parsed.ok ? { ok: true, url: `data:${parsed.content_type};base64,${parsed.base64}` } : parsed;
}

/** A sound: http(s), which Wan fetches itself, and `s3://` where allowed. */
function checkAudioUrl(text: string, rules: AddressRules): Checked {
  if (isS3(text) && rules.s3Prefixes.audio_url) return checkS3Url(text, rules.s3Prefixes.audio_url);
  return asList(checkPublicUrl(text, rules));
}

function checkWebhookUrl(text: string, rules: AddressRules): Checked {
  return asList(checkPublicUrl(text, { ...rules, schemes: ['https:'] }));
}

const isS3 = (text: string): boolean => /^s3:/i.test(text);

/** What must not be taken is refused as what is not there, so that nobody learns of others' files. */
function checkS3Url(text: string, prefix: string): Checked {
  const isBelow = text.startsWith(prefix) && parseS3Url(text) !== undefined;
  const given = text.slice(prefix.length);
  // S3 takes a key literally, but whoever passes one on as a path may resolve these.
  const leadsElsewhere = given.split('/').some((part) => part === '.' || part === '..');
  // No header or address can carry these, and no upload has them in its name.
  const isUnspeakable = /[\p{Cc}\p{Surrogate}]/u.test(given);
  return isBelow && !leadsElsewhere && !isUnspeakable
    ? { ok: true, url: text }
    : { ok: false, issues: [uploadNotFound] };
}

/** The one answer to an `s3://` URL that is none of the caller's, whether the file is absent or another's. */
export const uploadNotFound = {
  code: 'upload_not_found',
  message: 'There is no such upload of yours. Send the file with POST /uploads and give its "media_url" as it is.',
} as const;

function asList(checked: ReturnType<typeof checkPublicUrl>): Checked {
  if (checked.ok) return checked;
  return { ok: false, issues: [{ code: checked.code, message: checked.message }] };
}

/**
 * A picture given as base64 without a `data:` prefix, as one published client
 * of Wan sends it, turned into a data URL; undefined for anything else.
 */
export function rawBase64ToDataUrl(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]{64}/.test(text.slice(0, 64))) return undefined;
  const format = imageFormatOf(Buffer.from(text.slice(0, 32), 'base64'));
  return format && `data:${contentTypeOf(format)};base64,${text}`;
}
