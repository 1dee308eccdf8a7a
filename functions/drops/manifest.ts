import type { S3Client } from '@aws-sdk/client-s3';
import { maxImageBytes } from '../media/image.ts';
import { settleAll, valuesOf } from '../shared/concurrency.ts';
import { ProblemError } from '../shared/problem.ts';
import { isTerminal, type VideoRecord } from '../video/record.ts';
import { type DroppedObject, findLatest, readObject } from './dropped-object.ts';
import { beginManifest, type EndedLine, isOpen, isSameUpload, readManifest } from './manifest-item.ts';
import { acceptLine, identifyLines, type LineServices, type ManifestLine, type OwnedUpload } from './manifest-line.ts';
import { endLines, lineFailure, writeLineResult, writeSummary } from './manifest-result.ts';
import { writeVideoLine } from './write-result.ts';

export interface ManifestServices extends LineServices {
  s3: Pick<S3Client, 'send'>;
}

/** Lines that are accepted at once: each may hold a picture of 10 MB in memory. */
const LINES_AT_ONCE = 10;

/** How many lines of a model are dispatched right away. Those behind them have to wait for permits anyway. */
const DISPATCHED_AT_ONCE = 20;

/**
 * Accepts the newest upload of a manifest: each line that is not empty is a request for a video, and its result is written as
 * `<key>.results/<six digits>.json` when it has ended; `summary.json` follows when all have. An upload that is not the newest any more
 * makes nothing.
 *
 * Everything that is done here can be done again: the same event, or a call after one that died, makes no video twice and accepts what
 * is left. A line that is refused spoils only itself.
 * @throws AggregateError when lines could not be accepted, after all others were: the event must come again
 */
export async function acceptManifest(services: ManifestServices, object: DroppedObject): Promise<void> {
  const { table, s3 } = services;
  const before = await readManifest(table, object);
  const begun = before && isSameUpload(before, object) ? before : undefined;
  const latest = await findLatest(s3, object.bucket, object.key);
  // A deleted manifest asks for nothing; but one of which lines may have been accepted is accepted as a whole.
  if (latest ? !isSameUpload(latest, object) : !begun) return;
  const read = await readWhole(services, object);
  if (!read) return;
  const numbers = 'lines' in read ? read.lines.map(({ line }) => line) : [];
  const manifest = begun ?? (await beginManifest(table, object, numbers, before));
  // Another call was faster, for this upload or for another.
  if (!manifest) return acceptManifest(services, object);
  if ('fault' in read) {
    const error = { ...read.fault, hint: 'Fix the manifest and upload it again.' };
    return writeSummary(services, manifest, lineFailure(error));
  }
  const taking = { ...services, dispatch: dispatchFirst(services) };
  // After a repeated event, lines that have ended stay as they are.
  const open = read.lines.filter(({ line }) => manifest.open?.has(line));
  const outcomes = await settleAll(LINES_AT_ONCE, open, (line) => acceptManifestLine(taking, read.upload, line));
  const ended = valuesOf(outcomes, 'lines of a manifest could not be accepted.').filter((line) => line !== undefined);
  await endLines(services, object, ended);
}

/** @returns the line if it has ended, with its result written; undefined while its video is under way, which ends it */
async function acceptManifestLine(
  services: ManifestServices,
  upload: OwnedUpload,
  line: ManifestLine,
): Promise<EndedLine | undefined> {
  try {
    const video = await acceptLine(services, upload, line);
    return video && isTerminal(video.status) ? await writeVideoLine(services, video) : undefined;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const isDeleted = error.status === 410 && 'id' in line;
    // A line of this upload ends before its video is deleted: by another call meanwhile, which has written its result.
    if (isDeleted && !(await isOpen(services.table, upload, line.line))) return undefined;
    const { errors = [], code, detail } = error.members;
    const refusal = lineFailure({ code: errors[0]?.code ?? code, message: detail, hint: HINT });
    const result = isDeleted ? { id: line.id, status: 'deleted' } : refusal;
    const at = new Date(services.table.now()).toISOString();
    await writeLineResult(services, upload, { line: line.line, at, result });
    return { line: line.line, ending: isDeleted ? 'deleted' : 'refused' };
  }
}

const HINT = 'Fix it and upload the whole manifest again: lines that have not changed keep their videos.';

/** Lets the lanes look at the first lines alone: none has permits for thousands. */
function dispatchFirst({ dispatch }: ManifestServices): ManifestServices['dispatch'] {
  const counts = new Map<string, number>();
  return async (video: VideoRecord) => {
    const count = counts.get(video.model) ?? 0;
    counts.set(video.model, count + 1);
    if (count < DISPATCHED_AT_ONCE) await dispatch(video);
  };
}

/** Whose a manifest is and what it asks for, or what is wrong with it as a whole; undefined when that version is gone. */
async function readWhole({ s3, ownerOf }: ManifestServices, object: DroppedObject) {
  const fault = (code: string, message: string) => ({ fault: { code, message } });
  const owner = ownerOf(object.key);
  if (owner === undefined) {
    return fault(
      'folder_names_no_owner',
      'Here the top folder of the drop folder names the owner, and this name is none.',
    );
  }
  if (object.size > MAX_MANIFEST_BYTES) {
    return fault(
      'manifest_too_large',
      `The manifest has ${object.size} bytes; at most ${MAX_MANIFEST_BYTES} are taken. Split it.`,
    );
  }
  const found = await readObject(s3, object);
  if (!found) return undefined;
  const raw = splitLines(found.bytes);
  if (raw === 'too_many_lines') {
    return fault('too_many_lines', `The manifest has more than ${MAX_MANIFEST_LINES} lines. Split it.`);
  }
  if (raw.length === 0) {
    return fault(
      'manifest_empty',
      'The manifest has no line that asks for anything. Write the body of POST /videos on each.',
    );
  }
  const upload: OwnedUpload = { ...object, owner };
  const lines = identifyLines(upload, raw);
  if (lines.every((line) => 'problem' in line && line.problem.members.code === 'invalid_json')) {
    return fault(
      'manifest_not_jsonl',
      'No line of the manifest is JSON. Write the body of POST /videos on each line, without a line break in it, as UTF-8.',
    );
  }
  return { upload, lines };
}

/** Bytes that a manifest may have: as many as are read of any object. */
const MAX_MANIFEST_BYTES = maxImageBytes;
/** Lines that it may have, empty ones included. */
const MAX_MANIFEST_LINES = 10_000;

const [lineFeed, carriageReturn] = [0x0a, 0x0d];
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** A line without its end, by its number from 1; empty lines count. */
interface RawLine {
  line: number;
  bytes: Uint8Array;
}

/**
 * The lines of a manifest that are not empty, whether they end with LF or CRLF, and with or without a byte order mark before them.
 * @returns `too_many_lines` for more than `MAX_MANIFEST_LINES`
 */
function splitLines(manifest: Uint8Array): RawLine[] | 'too_many_lines' {
  const lines: RawLine[] = [];
  const start = byteOrderMark.equals(manifest.subarray(0, 3)) ? byteOrderMark.length : 0;
  for (let from = start, line = 1; from < manifest.length; line++) {
    if (line > MAX_MANIFEST_LINES) return 'too_many_lines';
    const found = manifest.indexOf(lineFeed, from);
    const end = found === -1 ? manifest.length : found;
    const bytes = manifest.subarray(from, manifest[end - 1] === carriageReturn ? end - 1 : end);
    if (!isBlank(bytes)) lines.push({ line, bytes });
    from = end + 1;
  }
  return lines;
}

/** Spaces and tabs alone, or nothing. */
const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0x20 || byte === 0x09);
