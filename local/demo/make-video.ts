import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { VideoView } from '../../functions/video/view.ts';

export interface Endpoint {
  url: string;
  api_key: string;
}

/** What the API answered instead of what was asked for, in its own words. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

async function call({ url, api_key }: Endpoint, route: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${api_key}`, 'content-type': 'application/json', ...init.headers };
  const response = await fetch(`${url}${route}`, { ...init, headers });
  if (response.ok) return response;
  const { title, detail } = (await response.json()) as { title?: string; detail?: string };
  throw new Refused([title ?? `The API answered ${response.status}.`, detail].filter(Boolean).join(' '));
}

/**
 * Asks for a video of an image and waits until it has ended, one way or the other.
 * @param onNews gets the video whenever its status or progress has changed
 * @throws Refused when the API does not take the request
 */
export async function makeVideo(
  endpoint: Endpoint,
  request: { model: string; prompt: string; image: Buffer; content_type: string; idempotency_key?: string },
  onNews: (video: VideoView) => void,
  sleep: (milliseconds: number) => Promise<unknown>,
): Promise<VideoView> {
  const img_url = `data:${request.content_type};base64,${request.image.toString('base64')}`;
  const body = JSON.stringify({ model: request.model, input: { prompt: request.prompt, img_url } });
  const headers: Record<string, string> = request.idempotency_key ? { 'idempotency-key': request.idempotency_key } : {};
  let video = (await (await call(endpoint, '/videos', { method: 'POST', body, headers })).json()) as VideoView;
  onNews(video);
  while (!['succeeded', 'failed', 'canceled'].includes(video.status)) {
    await sleep(300);
    const now = (await (await call(endpoint, `/videos/${video.id}`)).json()) as VideoView;
    if (now.status !== video.status || now.progress !== video.progress) onNews(now);
    video = now;
  }
  return video;
}

/** Downloads a video to a file of the folder, named by its id. @returns the file's path */
export async function download(endpoint: Endpoint, id: string, folder: string): Promise<string> {
  const answer = await call(endpoint, `/videos/${id}/content`, { headers: { accept: 'application/json' } });
  const { url } = (await answer.json()) as { url: string };
  const file = path.join(folder, `${id}.mp4`);
  await mkdir(folder, { recursive: true });
  const { body, ok, status } = await fetch(url);
  if (!ok || !body) throw new Error(`The video's address answered ${status}.`);
  await pipeline(Readable.fromWeb(body), createWriteStream(file));
  return file;
}
