import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { VideoView } from '../../functions/video/view.ts';

export interface Endpoint {
  url: string;
  api_key: string;
}

export interface DemoRequest {
  model: string;
  prompt: string;
  image: Buffer;
  content_type: string;
  idempotency_key?: string;
}

/** Larger images do not fit into the body of a request. */
const maxInlineBytes = 4 * 1024 * 1024;

/** Calls the API. @throws Error with the title and detail of the API's problem */
async function call({ url, api_key }: Endpoint, route: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${api_key}`, 'content-type': 'application/json', ...init.headers };
  const response = await fetch(`${url}${route}`, { ...init, headers });
  if (response.ok) return response;
  const { title, detail } = (await response.json()) as { title?: string; detail?: string };
  throw new Error([title ?? `The API answered ${response.status}.`, detail].filter(Boolean).join(' '));
}

/**
 * Requests a video and waits until it has ended, successfully or not.
 * @param onChange called with the video whenever its status or progress has changed
 */
export async function makeVideo(
  endpoint: Endpoint,
  request: DemoRequest,
  onChange: (video: VideoView) => void,
  sleep: (milliseconds: number) => Promise<unknown>,
): Promise<VideoView> {
  const { model, prompt, image, content_type, idempotency_key } = request;
  const img_url =
    image.length > maxInlineBytes
      ? await upload(endpoint, image, content_type)
      : `data:${content_type};base64,${image.toString('base64')}`;
  const body = JSON.stringify({ model, input: { prompt, img_url } });
  const headers: Record<string, string> = idempotency_key ? { 'idempotency-key': idempotency_key } : {};
  let video = (await (await call(endpoint, '/videos', { method: 'POST', body, headers })).json()) as VideoView;
  onChange(video);
  while (!['succeeded', 'failed', 'canceled'].includes(video.status)) {
    await sleep(300);
    const next = (await (await call(endpoint, `/videos/${video.id}`)).json()) as VideoView;
    if (next.status !== video.status || next.progress !== video.progress) onChange(next);
    video = next;
  }
  return video;
}

/** Uploads an image through `POST /uploads`. @returns the URL for `img_url` */
async function upload(endpoint: Endpoint, image: Buffer, content_type: string): Promise<string> {
  const body = JSON.stringify({ content_type, bytes: image.length });
  const response = await call(endpoint, '/uploads', { method: 'POST', body });
  const { upload_url, fields, media_url } = (await response.json()) as {
    upload_url: string;
    fields: Record<string, string>;
    media_url: string;
  };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(image)], { type: content_type }));
  const { ok, status } = await fetch(upload_url, { method: 'POST', body: form });
  if (!ok) throw new Error(`The upload of the image was answered with ${status}.`);
  return media_url;
}

/**
 * Saves a video and its record as `<id>.mp4` and `<id>.json`.
 * @returns the paths of both
 */
export async function save(
  endpoint: Endpoint,
  video: VideoView,
  folder: string,
): Promise<{ file: string; record: string }> {
  const answer = await call(endpoint, `/videos/${video.id}/content`, { headers: { accept: 'application/json' } });
  const { url } = (await answer.json()) as { url: string };
  const [file, record] = ['mp4', 'json'].map((extension) => path.join(folder, `${video.id}.${extension}`));
  await mkdir(folder, { recursive: true });
  const { body, ok, status } = await fetch(url);
  if (!ok || !body) throw new Error(`The download of the video was answered with ${status}.`);
  await pipeline(Readable.fromWeb(body), createWriteStream(file!));
  await writeFile(record!, `${JSON.stringify(video, null, 2)}\n`);
  return { file: file!, record: record! };
}
