import { posix } from 'node:path';
import { readJson } from '../shared/json-body.ts';
import { Problem } from '../shared/problem.ts';
import { type IntakeServices, takeRequest } from '../submissions/accept-request.ts';
import { isJsonObject } from '../wan/validation/body.ts';
import { uploadNotFound } from '../wan/validation/urls.ts';
import { lineId, type Manifest } from './manifest-item.ts';
import { type ManifestRow, refusedRow, rowOf } from './manifest-row.ts';

/** Bytes of a line: a request to the API has no more either. */
const MAX_LINE_BYTES = 6 * 1024 * 1024;

export interface LineServices extends IntakeServices {
  /** Whose an object in the drop folder is; undefined for nobody's. */
  ownerOf: (key: string) => string | undefined;
}

/**
 * Takes a line of a manifest as `POST /videos` takes its body. `img_url` may also name a picture of the same owner in the drop folder, by a
 * path that begins at the manifest's folder or by its `s3://` address; it is copied, as an upload is, so that it may be tidied away.
 * @returns what became of it: a line that can't be taken is refused, and is no other's concern
 * @throws what S3 or the table throws: the line must be taken again
 */
export async function takeLine(
  services: LineServices,
  manifest: Manifest,
  { line, bytes }: ManifestLine,
): Promise<ManifestRow> {
  const { owner, bucket, key, version_id } = manifest;
  const id = lineId(manifest, line);
  let picture: Picture | undefined;
  try {
    const body = readBody(bytes);
    picture = pictureOf(services, manifest, body);
    const { video } = await takeRequest(services, {
      body: picture ? picture.body : body,
      mode: 'strict',
      identity: { id, repeatable: true },
      caller: { owner, key_id: '' },
      source: { type: 'manifest', bucket, key, ...(version_id ? { version_id } : {}), line },
      ...(picture ? { s3Prefixes: { img_url: `s3://${bucket}/drop/` } } : {}),
    });
    return rowOf(line, id, video);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 410) return rowOf(line, id, undefined);
    return refusedRow(explain(error, picture), line);
  }
}

/** @throws Problem */
function readBody(bytes: Uint8Array): unknown {
  if (bytes.byteLength > MAX_LINE_BYTES) {
    const detail = `The line has ${bytes.byteLength} bytes; at most ${MAX_LINE_BYTES} are read. Give the picture's URL or key.`;
    throw new Problem(413, { code: 'line_too_long', title: 'The line is too long.', detail });
  }
  return readJson({ body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true });
}

/** A picture in the drop folder that a line names by its key, and the line with the picture's address instead. */
interface Picture {
  key: string;
  body: unknown;
}

/** @returns undefined for a line that names its picture by a URL, or not at all */
function pictureOf({ ownerOf }: LineServices, manifest: Manifest, body: unknown): Picture | undefined {
  if (!isJsonObject(body) || !isJsonObject(body.input)) return undefined;
  const { img_url: written } = body.input;
  if (typeof written !== 'string') return undefined;
  const bucket = `s3://${manifest.bucket}/`;
  const isAddress = written.startsWith(`${bucket}drop/`);
  if (!isAddress && /^(?:[a-z][a-z0-9+.-]*:\/\/|data:)/i.test(written)) return undefined;
  const key = posix.normalize(isAddress ? written.slice(bucket.length) : `${posix.dirname(manifest.key)}/${written}`);
  // Another's picture is answered as one that is not there.
  const isOwn = key.startsWith('drop/') && ownerOf(key) === manifest.owner;
  return { key, body: { ...body, input: { ...body.input, img_url: `s3://${manifest.bucket}/${isOwn ? key : ''}` } } };
}

/** What is wrong with a line, and how to mend it. */
function explain({ members: { code, detail, errors = [] } }: Problem, picture: Picture | undefined) {
  const hint =
    'Mend the line, and put it alone into a new manifest: a new version of a manifest makes all of its lines anew.';
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

/** A line that asks for something. */
export interface ManifestLine {
  /** From 1; empty lines count. */
  line: number;
  /** Without its end. */
  bytes: Uint8Array;
}
