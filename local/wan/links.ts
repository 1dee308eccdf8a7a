import { createHash, createHmac } from 'node:crypto';
import type { Task } from './task.ts';
import { linkRetention, second, toWanDay } from './time.ts';

/** Not secrets: they sign URLs of a server that only this machine can reach. */
export const accessKeyId = 'LTAI-wan-emulator';
const accessKeySecret = 'wan-emulator';

export const resultPrefix = '/dashscope-result/';

/** Signs as OSS does (signature version 1): base64 of an HMAC-SHA1. */
export function signature(text: string): string {
  return createHmac('sha1', accessKeySecret).update(text).digest('base64');
}

/** Signs the right to download a file until `expires` (s since 1970). */
export function signResult(path: string, expires: number): string {
  return signature(`GET\n\n\n${expires}\n${path}`);
}

/**
 * Returns the URL of a task's video in the shape of the real ones (facts, "The video"). It expires 24 h after the end of the
 * task. The same task always has the same URL. `[[host=HOST]]` replaces the host.
 */
export function resultUrl(origin: string, task: Task, end: number): string {
  const hash = createHash('md5').update(task.task_id).digest('hex');
  const folder = `1d/${hash.slice(0, 2)}/${toWanDay(end)}/${hash.slice(2, 10)}`;
  const path = `${resultPrefix}${folder}/${task.task_id}.mp4`;
  const expires = Math.floor((end + linkRetention) / second);
  const query = new URLSearchParams({
    Expires: String(expires),
    OSSAccessKeyId: accessKeyId,
    Signature: signResult(path, expires),
  });
  return `${originOf(task, origin)}${path}?${query}`;
}

/** The origin of the emulator, or of the host of a directive. A loopback name without a port leads to the emulator. */
function originOf({ directives: { host } }: Task, origin: string): string {
  if (!host) return origin;
  if (!/^(localhost|127\.[\d.]+)(:|$)/i.test(host)) return `https://${host}`;
  return host.includes(':') ? `http://${host}` : `http://${host}:${new URL(origin).port}`;
}
