import { posix } from 'node:path';
import { S3ServiceException } from '@aws-sdk/client-s3';
import { readJson } from '../shared/json-body.ts';
import { ProblemError } from '../shared/problem.ts';
import { UnreadableObject } from '../shared/s3.ts';
import { type AcceptServices, acceptRequest, videoDeleted } from '../submissions/accept-request.ts';
import { fingerprint } from '../submissions/identity.ts';
import { deterministicId } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { changeVideo, readVideo } from '../video/store.ts';
import { isJsonObject } from '../wan/validation/body.ts';
import { rawBase64ToDataUrl, uploadNotFound } from '../wan/validation/urls.ts';
import { unicodeForms } from './drop-key.ts';
import { unreadableResult } from './drop-outcome.ts';
import { isNewest, isSameUpload } from './manifest-item.ts';
import { requestOfLine } from './manifest-text.ts';
import { type Origin, placeOf } from './result-object.ts';
import type { LineVideo } from './write-result.ts';

/** The maximum size of a line in bytes, as of a request to the API. */
const MAX_LINE_BYTES = 6 * 1024 * 1024;

export interface LineServices extends AcceptServices {
  /** Returns the owner of an object in the drop folder; undefined when its folder names none. */
  ownerOf: (key: string) => string | undefined;
}

/** An upload of a manifest, and its owner. */
export interface OwnedUpload extends Origin {
  owner: string;
}

/** A line that was read: a request and the id of its video, or why it cannot be read. */
export type ManifestLine = { line: number } & ({ id: string; body: unknown } | { problem: ProblemError });

/**
 * Reads the lines. A line's identity is the manifest's owner, bucket and key, the line's canonical JSON, and its occurrence among equal
 * lines. Neither its line number nor the upload is part of it, so an unchanged line in a new upload keeps its video (invariant 2).
 */
export function identifyLines(
  { owner, bucket, key }: OwnedUpload,
  lines: readonly { line: number; bytes: Uint8Array }[],
): ManifestLine[] {
  const occurrences = new Map<string, number>();
  return lines.map(({ line, bytes }) => {
    try {
      const body = readBody(bytes);
      const json = fingerprint(body);
      const occurrence = (occurrences.get(json) ?? 0) + 1;
      occurrences.set(json, occurrence);
      return { line, body, id: deterministicId('manifest', owner, bucket, key, json, String(occurrence)) };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return { line, problem: error };
    }
  });
}

/** @throws ProblemError */
function readBody(bytes: Uint8Array): unknown {
  if (bytes.byteLength > MAX_LINE_BYTES) {
    const detail = `The line has ${bytes.byteLength} bytes; at most ${MAX_LINE_BYTES} are read. Give the image's URL or key.`;
    throw new ProblemError(413, { code: 'line_too_long', title: 'The line is too long.', detail });
  }
  return readJson({ body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true });
}

/**
 * Accepts a line as `POST /videos` accepts its body. `img_url` may also name an image of the same owner in the drop folder, by a path
 * relative to the manifest's folder or by its `s3://` address. Like an upload, the image is copied, so it may be deleted later.
 * @returns the line's video; undefined when a newer upload of the manifest has it
 * @throws Problem for a line that is refused, 410 for one whose video was deleted; what S3 or the table throws: the line must be
 *   accepted again
 */
export async function acceptLine(
  services: LineServices,
  upload: OwnedUpload,
  line: ManifestLine,
): Promise<LineVideo | undefined> {
  if ('problem' in line) throw line.problem;
  const { id } = line;
  const { body, settings } = requestOfLine(line.body);
  const source: LineVideo['source'] = { type: 'manifest', ...placeOf(upload), line: line.line, settings };
  const caller = { owner: upload.owner, key_id: '' };
  const request = { body, mode: 'strict', identity: { id, repeatable: true }, caller, source } as const;
  const [image, ...otherForms] = imagesOf(services, upload, body);
  const s3Prefixes = { img_url: `s3://${upload.bucket}/drop/` };
  const accept = ({ body }: NamedImage) => acceptRequest(services, { ...request, body, s3Prefixes });
  const { video } = await (image ? acceptFirst(accept, image, otherForms) : acceptRequest(services, request));
  return moveToUpload(services, video as LineVideo, source);
}

/** How often a write is tried while others change the video: more often than a video changes. */
const ATTEMPTS = 20;

/**
 * Moves the video of an earlier upload to this one, so that its result is written for the line that asks for it now. The newest upload
 * is looked up between the read and the write, so an older one that is accepted concurrently never moves a video back.
 */
async function moveToUpload(
  { table }: LineServices,
  video: LineVideo,
  source: LineVideo['source'],
): Promise<LineVideo | undefined> {
  let current: VideoRecord | undefined = video;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (!current) throw videoDeleted();
    const found = current as LineVideo;
    if (isSameUpload(found.source, source) && found.source.line === source.line) return found;
    if (!(await isNewest(table, source))) return undefined;
    const unchanged = { expression: 'updated_at = :read', values: { ':read': found.updated_at } };
    current = (await changeVideo(table, found, { set: { source } }, unchanged)) ?? (await readVideo(table, video.id));
  }
  throw new Error(`The video ${video.id} changed at each attempt to move it to a new upload of its manifest.`);
}

/** An image in the drop folder that a line names by its key, and the line with the image's address instead. */
interface NamedImage {
  key: string;
  body: unknown;
}

/** Accepts a line with the first form of its image's name that exists, or with which its video was created. */
async function acceptFirst<Accepted>(
  accept: (image: NamedImage) => Promise<Accepted>,
  image: NamedImage,
  [other, ...others]: readonly NamedImage[],
): Promise<Accepted> {
  try {
    return await accept(image);
  } catch (error) {
    const hasOtherBody = error instanceof ProblemError && error.status === 409;
    if (other && (isAbsent(error) || hasOtherBody)) return acceptFirst(accept, other, others);
    throw explainImage(image, error);
  }
}

/** Returns the image in each Unicode form of its name, first as written; none for a line that names it by a URL, or has none. */
function imagesOf({ ownerOf }: LineServices, upload: OwnedUpload, body: unknown): NamedImage[] {
  if (!isJsonObject(body) || !isJsonObject(body.input)) return [];
  const { input } = body;
  const { img_url: written } = input;
  if (typeof written !== 'string' || rawBase64ToDataUrl(written)) return [];
  const bucket = `s3://${upload.bucket}/`;
  const isAddress = written.startsWith(`${bucket}drop/`);
  if (!isAddress && /^(?:[a-z][a-z0-9+.-]*:\/\/|\s*data:)/i.test(written)) return [];
  const key = posix.normalize(isAddress ? written.slice(bucket.length) : `${posix.dirname(upload.key)}/${written}`);
  return unicodeForms(key).map((key) => {
    // An image of another owner is answered like a missing one.
    const isOwn = key.startsWith('drop/') && ownerOf(key) === upload.owner;
    return { key, body: { ...body, input: { ...input, img_url: `${bucket}${isOwn ? key : ''}` } } };
  });
}

const isAbsent = (error: unknown): boolean =>
  error instanceof ProblemError &&
  error.members.errors?.some(({ pointer, code }) => pointer === '/input/img_url' && code === uploadNotFound.code) ===
    true;

/** The error of a line whose image cannot be read. One that another attempt may read is named for the dead letter. */
function explainImage(image: NamedImage, error: unknown): unknown {
  if (isAbsent(error)) return imageNotFound(image);
  if (error instanceof UnreadableObject) {
    const detail = `/input/img_url: ${unreadableResult({ ...error, key: JSON.stringify(image.key) }).error.message}`;
    return new ProblemError(400, { code: 'object_unreadable', title: 'The image cannot be read.', detail });
  }
  if (!(error instanceof S3ServiceException)) return error;
  return new Error(`The image ${image.key} could not be read: ${error.name}.`, { cause: error });
}

function imageNotFound({ key }: NamedImage): ProblemError {
  const detail = `/input/img_url: You have no image at ${JSON.stringify(key)}. Upload images before the manifest. A path is relative to the manifest's folder.`;
  return new ProblemError(400, { code: 'image_not_found', title: 'The image does not exist.', detail });
}
