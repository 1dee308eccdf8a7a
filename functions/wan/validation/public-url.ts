import { BlockList, isIP } from 'node:net';

/** Longer URLs are refused: no service that serves pictures needs them. */
const maxUrlLength = 2048;

export type UrlIssue = {
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
): { ok: true; url: string } | ({ ok: false } & UrlIssue) {
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

function refuse(code: UrlIssue['code'], message: string): { ok: false } & UrlIssue {
  return { ok: false, code, message };
}

/** Bucket and key of an `s3://bucket/key` URL, or undefined for anything else. */
export function parseS3Url(text: string): { bucket: string; key: string } | undefined {
  const parts = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/([\s\S]+)$/.exec(text);
  const [, bucket, key] = parts ?? [];
  if (!bucket || !key || Buffer.byteLength(key) > 1024) return undefined;
  return { bucket, key };
}

/** IPv4 networks that aren't the public internet (IANA special-purpose registry). */
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

/** Within IPv6's public range: protocol assignments with Teredo, documentation, and 6to4, which hides an IPv4 address. */
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
 * True if an IP address is one of the public internet: not loopback, private,
 * link-local (where clouds keep their metadata), shared, reserved, multicast,
 * nor an IPv4 address inside an IPv6 one.
 *
 * @param address - IPv4 in dotted form or IPv6 without brackets; anything else isn't public
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, 'ipv4');
  if (family === 6) return publicRange6.check(address, 'ipv6') && !special.check(address, 'ipv6');
  return false;
}

const privateSuffixes = ['localhost', 'local', 'localdomain', 'internal', 'intranet', 'lan', 'home.arpa', 'onion'];

/**
 * True if the host of a parsed URL may be one of the public internet: a public
 * address, or a name with a dot that isn't reserved for private networks.
 * What a name resolves to isn't looked up here.
 *
 * @param hostname - as `URL` gives it, so that every notation of an address has become the plain one
 */
export function isPublicHostname(hostname: string): boolean {
  if (hostname.startsWith('[')) return isPublicAddress(hostname.slice(1, -1));
  if (isIP(hostname) === 4) return isPublicAddress(hostname);
  const name = hostname.replace(/\.$/, '');
  if (!name.includes('.')) return false;
  return !privateSuffixes.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

/**
 * A text as a URL, or undefined if it is none.
 *
 * `URL.canParse` would be shorter, but Node 20's takes `https://bücher.example/` for malformed once its caller has been
 * optimised: letters between U+0080 and U+00FF are read as broken UTF-8.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
