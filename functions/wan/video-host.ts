import { parseUrl } from './validation/public-url.ts';

/** Where Wan keeps results (reference, "OSS domain name list"). */
export const videoHosts: readonly string[] = [
  'dashscope-result-bj.oss-cn-beijing.aliyuncs.com',
  'dashscope-result-hz.oss-cn-hangzhou.aliyuncs.com',
  'dashscope-result-sh.oss-cn-shanghai.aliyuncs.com',
  'dashscope-result-wlcb.oss-cn-wulanchabu.aliyuncs.com',
  'dashscope-result-zjk.oss-cn-zhangjiakou.aliyuncs.com',
  'dashscope-result-sz.oss-cn-shenzhen.aliyuncs.com',
  'dashscope-result-hy.oss-cn-heyuan.aliyuncs.com',
  'dashscope-result-cd.oss-cn-chengdu.aliyuncs.com',
  'dashscope-result-gz.oss-cn-guangzhou.aliyuncs.com',
  'dashscope-result-wlcb-acdr-1.oss-cn-wulanchabu-acdr-1.aliyuncs.com',
];

/** Where real answers point too, though the reference's list doesn't say so. */
const acceleratedHost = /^dashscope-[a-z0-9-]+\.oss-accelerate\.aliyuncs\.com$/;

/**
 * True if a video may be downloaded from this address: https, one of Wan's
 * hosts, the usual port, no credentials. Origins of `trustedOrigins` (the
 * emulator's, or hosts that a deployment adds) may be used as they are.
 */
export function isTrustedVideoUrl(text: string, trustedOrigins: readonly string[] = []): boolean {
  const url = parseUrl(text);
  if (!url || url.username || url.password) return false;
  if (trustedOrigins.includes(url.origin)) return true;
  if (url.protocol !== 'https:' || url.port !== '') return false;
  return videoHosts.includes(url.hostname) || acceleratedHost.test(url.hostname);
}
