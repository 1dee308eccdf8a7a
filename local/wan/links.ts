import { createHash, createHmac } from 'node:crypto';
import type { Task } from './task.ts';
import { linkRetention, second, toWanDay } from './time.ts';

/** Not secrets: they make signatures that can be wrong, on a server that only this machine reaches. */
export const accessKeyId = 'LTAI-wan-emulator';
const accessKeySecret = 'wan-emulator';

export const resultPrefix = '/dashscope-result/';

/** Base64 of an HMAC-SHA1, as the object storage signs (its signature version 1). */
export function signature(text: string): string {
  return createHmac('sha1', accessKeySecret).update(text).digest('base64');
}

/** What a result URL's signature stands for: the file may be got until `expires` (s since 1970). */
export function signResult(path: string, expires: number): string {
  return signature(`GET\n\n\n${expires}\n${path}`);
}

/**
 * The URL of a task's video, of the shape of the real ones (facts, "The video"); it works for 24 h from the task's end.
 * The same task gives the same URL each time.
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
  return `${origin}${path}?${query}`;
}
