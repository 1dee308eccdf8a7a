import { BlockList, isIP } from 'node:net';
import type { ValueIssue } from '../../shared/issues.ts';

/** Wan documents no limit. A presigned URL with a session token has up to about 4,000 characters, and many servers take at most 8 KB. */
const maxUrlLength = 8192;

export type UrlOptions = {
  /** Origins that are allowed although they are private or use plain http. */
  readonly trustedOrigins: readonly string[];
  /** @default ['https:', 'http:'] */
  readonly schemes?: readonly ('https:' | 'http:')[];
};

/**
 * Checks a URL of a caller that a server, ours or Wan's, will fetch.
 *
 * @returns the URL in its normal form, which is the form that was checked: send on this one. No message contains the text itself.
 */
export function checkPublicUrl(
  text: string,
  { trustedOrigins, schemes = ['https:', 'http:'] }: UrlOptions,
): { ok: true; url: string } | ({ ok: false } & ValueIssue) {
  // Only of web addresses: a file sent as text gets an explanation of its own.
  if (/^https?:/i.test(text) && text.length > maxUrlLength) return tooLong('');
  const accepted = schemes.map((scheme) => `${scheme}//`).join(' or ');
  const unreadable = `This is no valid URL. Give one that starts with ${accepted}, with spaces and other special characters percent-encoded.`;
  // `URL` drops tabs, line breaks and outer spaces and reads "\" as "/". Other parsers may not, so these are refused.
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(text)) return refuse('invalid_url', unreadable);
  const url = parseUrl(text);
  if (!url) return refuse('invalid_url', unreadable);
  const trusted = trustedOrigins.includes(url.origin);
  if (!schemes.some((known) => known === url.protocol) && !(trusted && url.protocol === 'http:')) {
    return refuse(
      'unsupported_url_scheme',
      `URLs of this scheme are not accepted. Give one that starts with ${accepted}.`,
    );
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
      'The host of the URL is not on the public internet. Use a public address, or upload the file.',
    );
  }
  if (url.href.length > maxUrlLength) return tooLong(' once percent-encoded');
  return { ok: true, url: url.href };
}

const tooLong = (when: string) =>
  refuse(
    'url_too_long',
    `The URL is longer than ${maxUrlLength} characters${when}. Use a shorter one, or upload the file with POST /uploads and give its "media_url".`,
  );

function refuse(code: string, message: string): { ok: false } & ValueIssue {
  return { ok: false, code, message };
}

/** Returns bucket and key of an `s3://bucket/key` URL; undefined for anything else. */
export function parseS3Url(text: string): { bucket: string; key: string } | undefined {
  const parts = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/([\s\S]+)$/.exec(text);
  const [, bucket, key] = parts ?? [];
  if (!bucket || !key || Buffer.byteLength(key) > 1024) return undefined;
  return { bucket, key };
}

/** IPv4 networks outside the public internet (IANA special-purpose registry). */
const specialNetworks: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Special networks within IPv6's public range: protocol assignments with Teredo, documentation, and 6to4, which hides an IPv4 address. */
const specialNetworks6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, bits] of specialNetworks) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of specialNetworks6) special.addSubnet(network, bits, 'ipv6');

const publicRange6 = new BlockList();
publicRange6.addSubnet('2000::', 3, 'ipv6');

/**
 * Whether an IP address is on the public internet: not loopback, private, link-local (where clouds serve their metadata), shared,
 * reserved, multicast, nor an IPv4 address inside an IPv6 one.
 *
 * @param address - IPv4 in dotted form or IPv6 without brackets; anything else is not public
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, 'ipv4');
  if (family === 6) return publicRange6.check(address, 'ipv6') && !special.check(address, 'ipv6');
  return false;
}

const privateSuffixes = ['localhost', 'local', 'localdomain', 'internal', 'intranet', 'lan', 'home.arpa', 'onion'];

/**
 * Whether the host of a parsed URL may be on the public internet: a public address, or a name with a dot that is not reserved for
 * private networks. Does not resolve names.
 *
 * @param hostname - from `URL`, which turns every notation of an address into the plain one
 */
export function isPublicHostname(hostname: string): boolean {
  if (hostname.startsWith('[')) return isPublicAddress(hostname.slice(1, -1));
  if (isIP(hostname) === 4) return isPublicAddress(hostname);
  const name = hostname.replace(/\.$/, '');
  if (!name.includes('.')) return false;
  return !privateSuffixes.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

/**
 * Parses a URL; undefined if the text is none.
 *
 * `URL.canParse` would be shorter, but in Node 20 it rejects `https://bücher.example/` once its caller has been optimized: it reads
 * letters between U+0080 and U+00FF as broken UTF-8.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
