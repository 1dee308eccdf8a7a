import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import { png } from '../support/png.ts';
import { defaultsOf, dropKeyOf, metadataOf, owners, requestOf, type WantedVideo } from './wanted-videos.ts';

/** What a caller was told in the end. */
export interface Told {
  status: number;
  body: Record<string, unknown>;
  /** Requests that may have been carried out: those without an answer, and those answered well. */
  perhaps: number;
}

/** Nobody waits longer for an answer that means something. */
const patience = 300_000;

/**
 * A client as the README wants one: it repeats what got no answer, or one that says "later", until it is told something.
 * @throws Error when that takes minutes
 */
export async function ask(api: () => string, owner: string, route: string, init: RequestInit = {}): Promise<Told> {
  const key = Object.keys(owners).find((key) => owners[key] === owner)!;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers };
  const began = Date.now();
  for (let perhaps = 0; Date.now() - began < patience; ) {
    const answer = await fetch(`${api()}${route}`, { ...init, headers }).then(
      async (response) => ({ status: response.status, text: await response.text() }),
      () => undefined,
    );
    const isFinal = answer && answer.status !== 429 && answer.status < 500;
    if (!answer || answer.status >= 500 || answer.status < 300) perhaps++;
    if (isFinal) return { status: answer.status, body: read(answer.text), perhaps };
    await sleep(answer ? 500 : 250);
  }
  throw new Error(`${init.method ?? 'GET'} ${route} got no answer that means something for ${patience / 1000} s.`);
}

function read(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** @returns the id of the video that was made */
export async function submit(api: () => string, video: WantedVideo): Promise<string> {
  const told = await ask(api, video.owner, '/videos', {
    method: 'POST',
    headers: { 'idempotency-key': `video-${video.index}` },
    body: JSON.stringify(requestOf(video)),
  });
  if (told.status !== 202 && told.status !== 200)
    throw new Error(`POST /videos for video ${video.index} answered ${told.status}: ${JSON.stringify(told.body)}`);
  return String(told.body.id);
}

/** Puts an image into the drop folder, once, however often it takes. */
export async function drop(s3: S3Client, bucket: string, video: WantedVideo): Promise<void> {
  if (video.way === 'wait') {
    const { key, body } = defaultsOf(video);
    await put(s3, { Bucket: bucket, Key: key, Body: body });
  }
  await put(s3, {
    Bucket: bucket,
    Key: dropKeyOf(video),
    Body: png(360, 360),
    Metadata: metadataOf(video),
    // Another version would be another video.
    IfNoneMatch: '*',
  });
}

async function put(s3: S3Client, object: PutObjectCommandInput): Promise<void> {
  for (;;) {
    const isThere = await s3.send(new PutObjectCommand(object)).then(
      () => true,
      (error: Error) => error.name === 'PreconditionFailed',
    );
    if (isThere) return;
    await sleep(250);
  }
}
