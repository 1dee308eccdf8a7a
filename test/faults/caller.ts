import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import { png } from '../support/png.ts';
import { defaultsOf, dropKeyOf, metadataOf, owners, requestOf, type WantedVideo } from './wanted-videos.ts';

/** The final response to a caller. */
export interface CallResult {
  status: number;
  body: Record<string, unknown>;
  /** Number of attempts that may have taken effect: those without a response, with a 5xx or with success. */
  possible_effects: number;
}

/** How long a client retries. */
const timeout = 300_000;

/**
 * A client as the README recommends: retries without a response, or after a 429 or 5xx, until a final response.
 * @throws Error after 5 minutes
 */
export async function ask(
  api: () => string,
  owner: string,
  route: string,
  init: RequestInit = {},
): Promise<CallResult> {
  const key = Object.keys(owners).find((key) => owners[key] === owner)!;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers };
  const began = Date.now();
  for (let possible_effects = 0; Date.now() - began < timeout; ) {
    const answer = await fetch(`${api()}${route}`, { ...init, headers }).then(
      async (response) => ({ status: response.status, text: await response.text() }),
      () => undefined,
    );
    const isFinal = answer && answer.status !== 429 && answer.status < 500;
    if (!answer || answer.status >= 500 || answer.status < 300) possible_effects++;
    if (isFinal) return { status: answer.status, body: read(answer.text), possible_effects };
    await sleep(answer ? 500 : 250);
  }
  throw new Error(`${init.method ?? 'GET'} ${route} got no final response for ${timeout / 1000} s.`);
}

function read(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Submits a video. @param receiver the URL of the receiver of webhooks. @returns its id */
export async function submit(api: () => string, receiver: string, video: WantedVideo): Promise<string> {
  const result = await ask(api, video.owner, '/videos', {
    method: 'POST',
    headers: { 'idempotency-key': `video-${video.index}` },
    body: JSON.stringify(requestOf(video, receiver)),
  });
  if (result.status !== 202 && result.status !== 200)
    throw new Error(`POST /videos for video ${video.index} answered ${result.status}: ${JSON.stringify(result.body)}`);
  return String(result.body.id);
}

/** Uploads an image to the drop folder exactly once, with retries. */
export async function drop(s3: S3Client, bucket: string, receiver: string, video: WantedVideo): Promise<void> {
  if (video.channel === 'wait') {
    const { key, body } = defaultsOf(video, receiver);
    await put(s3, { Bucket: bucket, Key: key, Body: body });
  }
  await put(s3, {
    Bucket: bucket,
    Key: dropKeyOf(video),
    Body: png(360, 360),
    Metadata: metadataOf(video),
    // A second version would create a second video.
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
