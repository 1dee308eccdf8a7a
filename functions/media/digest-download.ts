import { createHash } from 'node:crypto';
import { openDownload } from './download.ts';

/**
 * The SHA-256 of what an address serves, in hexadecimal, without keeping any of it; undefined when it can't be had whole.
 * @param download as for `openDownload`
 */
export async function digestDownload(download: Parameters<typeof openDownload>[0]): Promise<string | undefined> {
  const opened = await openDownload(download);
  if (opened.outcome !== 'open') return undefined;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of opened.body) {
      bytes += chunk.byteLength;
      hash.update(chunk);
    }
  } catch {
    return undefined;
  }
  return bytes === opened.bytes ? hash.digest('hex') : undefined;
}
