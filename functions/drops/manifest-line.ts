import { posix } from 'node:path';
import { readJson } from '../shared/json-body.ts';
import { Problem } from '../shared/problem.ts';
import { type IntakeServices, takeRequest } from '../submissions/accept-request.ts';
import { fingerprint } from '../submissions/identity.ts';
import { deterministicId } from '../video/keys.ts';
import type { Source, VideoRecord } from '../video/record.ts';
import { changeVideo, readVideo } from '../video/store.ts';
import { isJsonObject } from '../wan/validation/body.ts';
import { uploadNotFound } from '../wan/validation/urls.ts';
import { isNewest, isSameUpload } from './manifest-item.ts';
import { type Origin, placeOf } from './result-object.ts';

/** Bytes of a line: a request to the API has no more either. */
const MAX_LINE_BYTES = 6 * 1024 * 1024;

export interface LineServices extends IntakeServices {
  /** Whose an object in the drop folder is; undefined for nobody's. */
  ownerOf: (key: string) => string | undefined;
}

/** An upload of a manifest, and whose it is. */
export interface OwnedUpload extends Origin {
  owner: string;
}

/** A line as it was read: a request and the id of its video, or why it cannot be read. */
export type ManifestLine = { line: number } & ({ id: string; body: unknown } | { problem: Problem });

/**
 * Reads the lines. A line's video is determined by the manifest's owner, bucket and key, the line's JSON, and which of the lines with
 * this JSON it is: neither its place nor the upload counts, so an unchanged line in a new upload keeps its video (invariant 2).
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
      if (!(error instanceof Problem)) throw error;
      return { line, problem: error };
    }
  });
}

/** @throws Problem */
function readBody(bytes: Uint8Array): unknown {
  if (bytes.byteLength > MAX_LINE_BYTES) {
    const detail = `The line has ${bytes.byteLength} bytes; at most ${MAX_LINE_BYTES} are read. Give the picture's URL or key.`;
    throw new Problem(413, { code: 'line_too_long', title: 'The line is too long.', detail });
  }
  return readJson({ body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true });
}

/** `superseded`: a newer upload of the manifest has the line's video. */
export type AcceptedLine =
  | { outcome: 'accepted'; video: VideoRecord }
  | { outcome: 'refused'; error: ReturnType<typeof explain> }
  | { outcome: 'deleted' | 'superseded' };

/**
 * Accepts a line as `POST /videos` accepts its body. `img_url` may also name a picture of the same owner in the drop folder, by a
 * path that begins at the manifest's folder or by its `s3://` address; it is copied, as an upload is, so that it may be tidied away.
 * @throws what S3 or the table throws: the line must be accepted again
 */
export async function acceptLine(
  services: LineServices,
  upload: OwnedUpload,
  line: ManifestLine,
): Promise<AcceptedLine> {
  if ('problem' in line) return { outcome: 'refused', error: explain(line.problem) };
  const { id, body } = line;
  const picture = pictureOf(services, upload, body);
  const source: LineSource = { type: 'manifest', ...placeOf(upload), line: line.line };
  try {
    const { video } = await takeRequest(services, {
      body: picture ? picture.body : body,
      mode: 'strict',
      identity: { id, repeatable: true },
      caller: { owner: upload.owner, key_id: '' },
      source,
      ...(picture ? { s3Prefixes: { img_url: `s3://${upload.bucket}/drop/` } } : {}),
    });
    return await keepVideo(services, video, source);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.status === 410 ? { outcome: 'deleted' } : { outcome: 'refused', error: explain(error, picture) };
  }
}

type LineSource = Source & { type: 'manifest' };

/** How often a write that others keep overtaking is tried: more than a video's life has steps. */
const ATTEMPTS = 20;

/**
 * Makes the video of an earlier upload this one's, so that its result is written for the line that asks for it now. The newest upload
 * is looked up between the read and the write, so that an older one, accepted at the same time, never takes a video back.
 */
async function keepVideo({ table }: LineServices, video: VideoRecord, source: LineSource): Promise<AcceptedLine> {
  let current: VideoRecord | undefined = video;
  for (let attempt = 0; current && attempt < ATTEMPTS; attempt++) {
    const now = current.source as LineSource;
    if (isSameUpload(now, source) && now.line === source.line) return { outcome: 'accepted', video: current };
    if (!(await isNewest(table, source))) return { outcome: 'superseded' };
    const unchanged = { expression: 'updated_at = :read', values: { ':read': current.updated_at } };
    const kept = await changeVideo(table, current, { set: { source } }, unchanged);
    if (kept) return { outcome: 'accepted', video: kept };
    current = await readVideo(table, video.id);
  }
  if (current) throw new Error(`The video ${video.id} changed each time that it was about to be kept.`);
  return { outcome: 'deleted' };
}

/** A picture in the drop folder that a line names by its key, and the line with the picture's address instead. */
interface Picture {
  key: string;
  body: unknown;
}

/** @returns undefined for a line that names its picture by a URL, or not at all */
function pictureOf({ ownerOf }: LineServices, upload: OwnedUpload, body: unknown): Picture | undefined {
  if (!isJsonObject(body) || !isJsonObject(body.input)) return undefined;
  const { img_url: written } = body.input;
  if (typeof written !== 'string') return undefined;
  const bucket = `s3://${upload.bucket}/`;
  const isAddress = written.startsWith(`${bucket}drop/`);
  if (!isAddress && /^(?:[a-z][a-z0-9+.-]*:\/\/|data:)/i.test(written)) return undefined;
  const key = posix.normalize(isAddress ? written.slice(bucket.length) : `${posix.dirname(upload.key)}/${written}`);
  // Another's picture is answered as one that is not there.
  const isOwn = key.startsWith('drop/') && ownerOf(key) === upload.owner;
  return { key, body: { ...body, input: { ...body.input, img_url: `s3://${upload.bucket}/${isOwn ? key : ''}` } } };
}

/** What is wrong with a line, and how to fix it. */
function explain({ members: { code, detail, errors = [] } }: Problem, picture?: Picture) {
  const hint = 'Fix it and upload the whole manifest again: lines that have not changed keep their videos.';
  const isAbsent = errors.some((each) => each.pointer === '/input/img_url' && each.code === uploadNotFound.code);
  if (picture && isAbsent) {
    return {
      code: 'image_not_found',
      message: `/input/img_url: There is no picture of yours at ${JSON.stringify(picture.key)}. Pictures must be there before the manifest; a path begins at the manifest's folder.`,
      hint,
    };
  }
  return { code: errors[0]?.code ?? code, message: detail, hint };
}
