import { parseUrl } from './validation/public-url.ts';

/**
 * The hosts of Wan's results: the buckets of the reference ("OSS domain name list"), buckets of other regions with the same naming, and the
 * accelerated ones seen in real responses. Internal OSS endpoints are excluded: only Alibaba's own network reaches them.
 */
const resultHost =
  /^(dashscope-result(-[a-z0-9-]+)?\.oss-[a-z]{2}-[a-z0-9-]+(?<!-internal)|dashscope-[0-9a-f]{4}\.oss-accelerate)\.aliyuncs\.com$/;

export interface TrustedHosts {
  /** Exact names of further hosts. */
  readonly videoHosts: readonly string[];
  /** Origins that are allowed without https: the emulator's, on a developer's machine. */
  readonly trustedOrigins: readonly string[];
}

/**
 * The URL to download a video from, or undefined for a link that must not be followed: only Wan's hosts are trusted, on the default port and
 * without credentials. An http link to such a host becomes https; its signature does not cover the scheme.
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

/** The host of a link, for logs and errors. The rest of the link is secret or untrusted. */
export function hostOfLink(link: string): string {
  const url = parseUrl(link);
  return url && ['https:', 'http:'].includes(url.protocol) ? url.host : 'unknown (not an http URL)';
}
