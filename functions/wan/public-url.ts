import { parseUrl } from './parse-url.ts';
import { isPublicHostname } from './public-address.ts';

/** Longer URLs are refused: no service that serves pictures needs them. */
export const maxUrlLength = 2048;

export type UrlProblem = {
  code: 'invalid_url' | 'url_too_long' | 'unsupported_url_scheme' | 'credentials_in_url' | 'private_url';
  message: string;
};

export type UrlOptions = {
  /** Origins that may be used although they are private, or plain http where https is asked for. */
  readonly trustedOrigins: readonly string[];
  /** @default ['https:', 'http:'] */
  readonly schemes?: readonly ('https:' | 'http:')[];
};

/**
 * Checks an address that a caller gave and that a server, ours or Wan's, will
 * be asked to fetch.
 *
 * @returns the URL in its normal form, which is what must be sent on: the
 * form that was checked. The text itself is never part of a problem's message.
 */
export function checkPublicUrl(
  text: string,
  { trustedOrigins, schemes = ['https:', 'http:'] }: UrlOptions,
): { ok: true; url: string } | ({ ok: false } & UrlProblem) {
  if (text.length > maxUrlLength) {
    return refuse('url_too_long', `The URL is longer than ${maxUrlLength} characters. Use a shorter one.`);
  }
  const accepted = schemes.map((scheme) => `${scheme}//`).join(' or ');
  const unreadable = `This is no URL. Give one that starts with ${accepted}, with spaces and other special characters percent-encoded.`;
  // URL drops tabs, line breaks and outer spaces and reads "\" as "/"; another reader may not, so none may occur.
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(text)) return refuse('invalid_url', unreadable);
  const url = parseUrl(text);
  if (!url) return refuse('invalid_url', unreadable);
  const trusted = trustedOrigins.includes(url.origin);
  if (!schemes.some((known) => known === url.protocol) && !(trusted && url.protocol === 'http:')) {
    return refuse('unsupported_url_scheme', `URLs of this kind aren't taken. Give one that starts with ${accepted}.`);
  }
  if (!/^https?:\/\/[^/]/i.test(text)) return refuse('invalid_url', unreadable);
  if (url.username || url.password) {
    return refuse(
      'credentials_in_url',
      'The URL holds a user name or password. Use a URL that needs none, such as a presigned one.',
    );
  }
  if (!trusted && !isPublicHostname(url.hostname)) {
    return refuse(
      'private_url',
      "The URL's host isn't on the public internet. Use a public address, or upload the file.",
    );
  }
  if (url.href.length > maxUrlLength) {
    return refuse(
      'url_too_long',
      `The URL is longer than ${maxUrlLength} characters once percent-encoded. Use a shorter one.`,
    );
  }
  return { ok: true, url: url.href };
}

function refuse(code: UrlProblem['code'], message: string): { ok: false } & UrlProblem {
  return { ok: false, code, message };
}

/** Bucket and key of an `s3://bucket/key` URL, or undefined for anything else. */
export function parseS3Url(text: string): { bucket: string; key: string } | undefined {
  const parts = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/([\s\S]+)$/.exec(text);
  const [, bucket, key] = parts ?? [];
  if (!bucket || !key || Buffer.byteLength(key) > 1024) return undefined;
  return { bucket, key };
}
