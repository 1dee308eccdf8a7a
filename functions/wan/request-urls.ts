import { parseDataUrl } from '../media/data-url.ts';
import { contentTypeOf, imageFormatOf } from '../media/image-type.ts';
import { checkPublicUrl, parseS3Url } from './public-url.ts';
import type { Violation } from './violations.ts';

export type AddressRules = {
  readonly trustedOrigins: readonly string[];
  /** Take `s3://bucket/key`, which only our own code may pass. */
  readonly allowS3: boolean;
  /** Bytes that an inline picture may have. */
  readonly maxInlineBytes: number;
};

type Addresses = { img_url?: string; audio_url?: string; webhook_url?: string; violations: Violation[] };
type Checked = { ok: true; url: string } | { ok: false; violations: readonly { code: string; message: string }[] };

/** Checks every address of a request and gives those that may be used, in their normal form. */
export function checkAddresses(
  input: { img_url?: string | undefined; audio_url?: string | undefined },
  webhookUrl: string | undefined,
  rules: AddressRules,
): Addresses {
  const addresses: Addresses = { violations: [] };
  for (const [name, pointer, text, check] of [
    ['img_url', '/input/img_url', input.img_url, checkImageUrl],
    ['audio_url', '/input/audio_url', input.audio_url, checkSoundUrl],
    ['webhook_url', '/webhook_url', webhookUrl, checkWebhookUrl],
  ] as const) {
    if (text === undefined) continue;
    const checked = check(text, rules);
    if (checked.ok) addresses[name] = checked.url;
    else addresses.violations.push(...checked.violations.map((problem) => ({ pointer, ...problem })));
  }
  return addresses;
}

/** The first frame: http(s), `data:`, and `s3://` where allowed. */
function checkImageUrl(text: string, rules: AddressRules): Checked {
  if (rules.allowS3 && parseS3Url(text)) return { ok: true, url: text };
  if (!/^data:/i.test(text)) return asList(checkPublicUrl(text, rules));
  const parsed = parseDataUrl(text, rules.maxInlineBytes);
  return parsed.ok ? { ok: true, url: `data:${parsed.content_type};base64,${parsed.base64}` } : parsed;
}

/** A sound: http(s) alone, since Wan fetches it itself. */
function checkSoundUrl(text: string, rules: AddressRules): Checked {
  return asList(checkPublicUrl(text, rules));
}

function checkWebhookUrl(text: string, rules: AddressRules): Checked {
  return asList(checkPublicUrl(text, { ...rules, schemes: ['https:'] }));
}

function asList(checked: ReturnType<typeof checkPublicUrl>): Checked {
  if (checked.ok) return checked;
  return { ok: false, violations: [{ code: checked.code, message: checked.message }] };
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
