import { posix } from 'node:path';
import { S3ServiceException } from '@aws-sdk/client-s3';
import { isJsonObject, readJson } from '../shared/json-body.ts';
import { ProblemError } from '../shared/problem.ts';
import { UnreadableObject } from '../shared/s3.ts';
import { type AcceptServices, acceptRequest, videoDeleted } from '../submissions/accept-request.ts';
import { fingerprint, withoutWebhook } from '../submissions/identity.ts';
import { deterministicId } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { changeVideo, readVideo } from '../video/store.ts';
import { shorthandNames } from '../wan/media.ts';
import { rawBase64ToDataUrl, uploadNotFound } from '../wan/validation/urls.ts';
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
 * lines. Neither its line number, its webhook nor the upload is part of it, so an unchanged line in a new upload keeps its video (invariant 2).
 */
export function identifyLines(
  { owner, bucket, key }: OwnedUpload,
  lines: readonly { line: number; bytes: Uint8Array }[],
): ManifestLine[] {
  const occurrences = new Map<string, number>();
  return lines.map(({ line, bytes }) => {
    try {
      const body = readBody(bytes);
      const json = fingerprint(withoutWebhook(body));
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
 * Accepts a line as `POST /videos` accepts its body. Its media may also name files of the same owner in the drop folder, by a path
 * relative to the manifest's folder or by their `s3://` address. Like an upload, a file is copied, so it may be deleted later.
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
  const [files, ...otherForms] = filesOf(services, upload, body);
  const s3Prefix = `s3://${upload.bucket}/drop/`;
  const accept = ({ body }: NamedFiles) => acceptRequest(services, { ...request, body, s3Prefix });
  const { video } = await (files ? acceptFirst(accept, files, otherForms) : acceptRequest(services, request));
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

/** Files in the drop folder that a line names, by the pointer to their URL, and the line with their addresses instead. */
interface NamedFiles {
  keys: ReadonlyMap<string, string>;
  body: unknown;
}

/** Accepts a line with the first form of its files' names that exists, or with which its video was created. */
async function acceptFirst<Accepted>(
  accept: (files: NamedFiles) => Promise<Accepted>,
  files: NamedFiles,
  [other, ...others]: readonly NamedFiles[],
): Promise<Accepted> {
  try {
    return await accept(files);
  } catch (error) {
    const hasOtherBody = error instanceof ProblemError && error.status === 409;
    if (other && (absentKeys(files, error).length > 0 || hasOtherBody)) return acceptFirst(accept, other, others);
    throw explainFiles(files, error);
  }
}

/** Returns the named files in each Unicode form of their names, first as written; none for a line that names only URLs. */
function filesOf({ ownerOf }: LineServices, upload: OwnedUpload, body: unknown): NamedFiles[] {
  if (!isJsonObject(body) || !isJsonObject(body.input)) return [];
  const bucket = `s3://${upload.bucket}/`;
  const keyOf = (written: unknown): string | undefined => {
    if (typeof written !== 'string' || rawBase64ToDataUrl(written)) return undefined;
    const isAddress = written.startsWith(`${bucket}drop/`);
    if (!isAddress && /^(?:[a-z][a-z0-9+.-]*:\/\/|\s*data:)/i.test(written)) return undefined;
    return posix.normalize(isAddress ? written.slice(bucket.length) : `${posix.dirname(upload.key)}/${written}`);
  };
  const { input } = body;
  const inForm = (formOf: (key: string) => string): NamedFiles => {
    const keys = new Map<string, string>();
    const address = (written: unknown, pointer: string): unknown => {
      const named = keyOf(written);
      if (named === undefined) return written;
      const key = formOf(named);
      keys.set(pointer, key);
      // A file of another owner is answered like a missing one.
      const isOwn = key.startsWith('drop/') && ownerOf(key) === upload.owner;
      return `${bucket}${isOwn ? key : ''}`;
    };
    const short = shorthandNames.filter((name) => Object.hasOwn(input, name));
    const media = Array.isArray(input.media)
      ? input.media.map((item: unknown, index) =>
          isJsonObject(item) ? { ...item, url: address(item.url, `/input/media/${index}/url`) } : item,
        )
      : input.media;
    const named = Object.fromEntries(short.map((name) => [name, address(input[name], `/input/${name}`)]));
    return { keys, body: { ...body, input: { ...input, ...named, ...(media === undefined ? {} : { media }) } } };
  };
  const forms = [inForm((key) => key), inForm((key) => key.normalize('NFC')), inForm((key) => key.normalize('NFD'))];
  if (forms[0]!.keys.size === 0) return [];
  const texts = forms.map(({ keys }) => [...keys.values()].join('\n'));
  return forms.filter((_, index) => texts.indexOf(texts[index]!) === index);
}

/** The keys of named files that do not exist, by the error of a line. */
const absentKeys = ({ keys }: NamedFiles, error: unknown): string[] =>
  error instanceof ProblemError
    ? (error.members.errors ?? []).flatMap(({ pointer, code }) => {
        const key = code === uploadNotFound.code ? keys.get(pointer) : undefined;
        return key === undefined ? [] : [`${pointer}: ${JSON.stringify(key)}`];
      })
    : [];

/** The error of a line whose files cannot be read. One that another attempt may read is named for the dead letter. */
function explainFiles(files: NamedFiles, error: unknown): unknown {
  const absent = absentKeys(files, error);
  if (absent.length > 0) return filesNotFound(absent);
  if (error instanceof UnreadableObject) {
    const [pointer] = [...files.keys].find(([, key]) => key === error.key) ?? ['/input'];
    const detail = `${pointer}: ${unreadableResult({ ...error, key: JSON.stringify(error.key) }).error.message}`;
    return new ProblemError(400, { code: 'object_unreadable', title: 'The file cannot be read.', detail });
  }
  if (!(error instanceof S3ServiceException)) return error;
  const names = [...files.keys.values()].join(', ');
  return new Error(`The image ${names} could not be read: ${error.name}.`, { cause: error });
}

function filesNotFound(absent: readonly string[]): ProblemError {
  const detail = `You have no file at ${absent.join(', ')}. Upload files before the manifest. A path is relative to the manifest's folder.`;
  return new ProblemError(400, { code: 'image_not_found', title: 'The file does not exist.', detail });
}
