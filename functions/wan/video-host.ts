import { parseUrl } from './validation/public-url.ts';

/**
 * Where Wan keeps results: the buckets of the reference ("OSS domain name list"), those that other regions name alike, and the
 * accelerated ones that real responses name. Internal endpoints of OSS are left out: only Alibaba's own network reaches them.
 */
const resultHost =
  /^(dashscope-result(-[a-z0-9-]+)?\.oss-[a-z]{2}-[a-z0-9-]+(?<!-internal)|dashscope-[0-9a-f]{4}\.oss-accelerate)\.aliyuncs\.com$/;

export interface TrustedHosts {
  /** Exact names of further hosts. */
  readonly videoHosts: readonly string[];
  /** Origins that are used as they are, without https: the emulator's, on a developer's machine. */
  readonly trustedOrigins: readonly string[];
}

/**
 * The address to download a video from, or undefined if the link must not be followed: only Wan's hosts are trusted, on the usual
 * port and without credentials. A plain http link to such a host becomes https; the signature in it covers no scheme.
 */
export function trustedVideoUrl(link: string, { videoHosts, trustedOrigins }: TrustedHosts): string | undefined {
  const url = parseUrl(link);
  if (!url || url.username || url.password) return undefined;
  if (trustedOrigins.includes(url.origin)) return url.href;
  if (!['https:', 'http:'].includes(url.protocol) || url.port !== '') return undefined;
  if (!resultHost.test(url.hostname) && !videoHosts.includes(url.hostname)) return undefined;
  url.protocol = 'https:';
  return url.href;
}

/** The host of a link, as logs and errors may name it: the rest is signed, or could be anything. */
export function hostOfLink(link: string): string {
  const url = parseUrl(link);
  return url && ['https:', 'http:'].includes(url.protocol) ? url.host : 'no http address';
}
