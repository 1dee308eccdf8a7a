import type { APIGatewayProxyResult } from 'aws-lambda';
import { newVideo } from '../video/new-video.ts';
import type { StoredImage, VideoRecord } from '../video/record.ts';
import { createVideo, readVideo, type Table } from '../video/store.ts';
import { checkRequest, type VideoRequest } from '../wan/request.ts';
import { isJsonObject } from '../wan/request-fields.ts';
import type { Violation, Warning } from '../wan/violations.ts';
import { dispatchQuietly, type QuietDispatch } from '../workflow/dispatch-quietly.ts';
import { type ApiRequest, type Caller, json } from './http.ts';
import { fingerprint, idempotencyConflict, identify } from './idempotency.ts';
import { type InlineImage, MAX_INLINE_IMAGE_BYTES, readInlineImage } from './inline-image.ts';
import { Problem, violationsProblem } from './problem.ts';
import { readJson } from './read-json.ts';
import { retryAfter } from './retry-after.ts';
import { viewOf } from './video-view.ts';

export interface SubmitServices extends QuietDispatch {
  table: Table;
  trustedOrigins: readonly string[];
  /** Stores an image that came inline, under the video's id. Storing it twice is storing it once. */
  storeImage: (
    id: string,
    image: { bytes: Uint8Array; content_type: string },
  ) => Promise<Pick<StoredImage, 'bucket' | 'key' | 'version_id'>>;
}

/**
 * `POST /videos`: checks the request, writes its record, lets the lane have it, and answers 202 with the video. The same
 * Idempotency-Key means the same video, however often and at once it comes (invariant 2): repetitions get it with 200.
 * @throws Problem 400 with all violations at once, 409 for a key that was used with another body, 413 for a large inline image
 */
export async function submit(
  services: SubmitServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const body = readJson(request);
  const { id, repeatable } = identify(request, caller);
  const { request: wanted, warnings, image } = check(body, services.trustedOrigins);
  const request_hash = fingerprint(body);
  const standing = repeatable ? await readVideo(services.table, id) : undefined;
  const { video, created } = standing
    ? { video: standing, created: false }
    : await create(services, { id, request_hash, wanted, warnings, image, caller });
  if (video.request_hash !== request_hash) throw idempotencyConflict();
  const current = video.status === 'queued' ? await dispatched(services, video) : video;
  return json(created ? 202 : 200, viewOf(current), {
    location: locationOf(id, request),
    ...retryAfter(current, services.table.now()),
  });
}

/** The request that a body stands for, and its picture if it is inline. @throws Problem 400, 413 */
function check(
  body: unknown,
  trustedOrigins: readonly string[],
): { request: VideoRequest; warnings: Warning[]; image: InlineImage | undefined } {
  const checked = checkRequest(body, {
    mode: 'strict',
    trustedOrigins,
    maxInlineImageBytes: MAX_INLINE_IMAGE_BYTES,
  });
  const unoffered = isJsonObject(body) && Object.hasOwn(body, 'webhook_url') ? [webhooksAreNotOffered] : [];
  if (!checked.ok) throw refusal([...checked.violations, ...unoffered]);
  if (unoffered.length > 0) throw refusal(unoffered);
  const image = readInlineImage(checked.request);
  if (Array.isArray(image)) throw refusal(image);
  return { request: checked.request, warnings: checked.warnings, image };
}

async function create(
  services: SubmitServices,
  given: {
    id: string;
    request_hash: string;
    wanted: VideoRequest;
    warnings: Warning[];
    image: InlineImage | undefined;
    caller: Caller;
  },
): Promise<{ video: VideoRecord; created: boolean }> {
  const { id, request_hash, warnings, caller } = given;
  const { model, input, parameters, metadata } = given.wanted;
  const image = given.image && (await keep(services, id, given.image));
  const video = newVideo(
    {
      id,
      owner: caller.owner,
      source: { type: 'api', key_id: caller.key_id },
      model,
      input: image ? { ...input, img_url: `s3://${image.bucket}/${image.key}` } : input,
      parameters,
      metadata,
      warnings,
      request_hash,
      ...(image ? { image } : {}),
    },
    services.table.now(),
  );
  return createVideo(services.table, video);
}

async function keep(services: SubmitServices, id: string, image: InlineImage): Promise<StoredImage> {
  const { bytes, content_type, width, height } = image;
  const stored = await services.storeImage(id, { bytes, content_type });
  return { ...stored, content_type, bytes: bytes.byteLength, width, height };
}

/** The video after its lane had a look at it. Its record stands: an error now would make a caller pay for a second one. */
async function dispatched(services: SubmitServices, video: VideoRecord): Promise<VideoRecord> {
  await dispatchQuietly(services, video);
  return (await readVideo(services.table, video.id).catch(() => undefined)) ?? video;
}

function refusal(errors: Violation[]): Problem {
  const tooLarge = errors.find(({ code }) => code === 'image_too_large');
  if (!tooLarge) return violationsProblem('invalid_request', 'The request can not be taken as it is.', errors);
  const { code, message: detail } = tooLarge;
  return new Problem(413, { code, title: 'The picture is too large to be sent inline.', detail, errors });
}

const webhooksAreNotOffered: Violation = {
  pointer: '/webhook_url',
  code: 'not_offered',
  message: 'Webhooks are not offered yet: leave it out and ask GET /videos/{id}.',
};

/** Relative to the request's own address: an API's stage or a domain's base path stands before `/videos`, and only the client sees it. */
const locationOf = (id: string, { path }: ApiRequest): string => (path.endsWith('/') ? id : `videos/${id}`);
