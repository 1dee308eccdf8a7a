import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { atMost, valuesOf } from '../shared/concurrency.ts';
import type { VideoRecord } from '../video/record.ts';
import type { DroppedObject } from './dropped-object.ts';
import { type Manifest, manifestId, markTaken, openManifest, readManifest } from './manifest-item.ts';
import { type LineServices, type ManifestLine, takeLine } from './manifest-line.ts';
import { putResult, resultKey } from './manifest-result.ts';
import { type ManifestRow, refusedRow } from './manifest-row.ts';
import { isPossibleKey, type Origin, writeBeside } from './result-object.ts';

export interface ManifestServices extends LineServices {
  s3: Pick<S3Client, 'send'>;
}

/** Lines that are taken at once: each may hold a picture of 10 MB in memory. */
const LINES_AT_ONCE = 10;

/** So many lines of a model are dispatched right away. Those behind them have to wait for permits, and for the dispatch of each minute. */
const DISPATCHED_AT_ONCE = 20;

/**
 * Takes a manifest: each line that is not empty is a request for a video, and `<key>.result.jsonl` tells what became of each, for the
 * first time when all are taken. `refreshManifests` tells the rest.
 *
 * A line's id is determined by the manifest's version and its number, so that the same event again, or a call that died in the
 * middle, makes nothing twice and takes what is left. A line that can't be taken spoils only itself.
 * @throws AggregateError when lines could not be looked at, after all had their turn: the event must come again
 */
export async function takeManifest(services: ManifestServices, object: DroppedObject): Promise<void> {
  const { table, s3 } = services;
  const id = manifestId(object);
  if ((await readManifest(table, id))?.taken_at) return;
  const read = await readWhole(services, object);
  if (!read) return;
  if ('fault' in read)
    return tell(s3, object, [refusedRow({ ...read.fault, hint: 'Mend the manifest and upload it again.' })]);

  const { bucket, key, version_id } = object;
  const manifest: Manifest = {
    id,
    owner: read.owner,
    bucket,
    key,
    ...(version_id ? { version_id } : {}),
    created_at: new Date(table.now()).toISOString(),
    lines: read.lines.at(-1)!.line,
  };
  await openManifest(table, manifest);
  const taking = { ...services, dispatch: dispatchFirst(services) };
  const outcomes = await atMost(LINES_AT_ONCE, read.lines, (line) => takeLine(taking, manifest, line));
  await tell(s3, object, valuesOf(outcomes, 'lines of a manifest could not be looked at.'));
  await markTaken(table, id);
}

/** Lets the lanes look at the first lines alone: none has permits for thousands. */
function dispatchFirst({ dispatch }: ManifestServices): ManifestServices['dispatch'] {
  const counts = new Map<string, number>();
  return async (video: VideoRecord) => {
    const count = counts.get(video.model) ?? 0;
    counts.set(video.model, count + 1);
    if (count < DISPATCHED_AT_ONCE) await dispatch(video);
  };
}

/** Writes the result unless one of this version or of a later one stands: whoever wrote it had taken all lines too. */
async function tell(s3: ManifestServices['s3'], origin: Origin, rows: readonly ManifestRow[]): Promise<void> {
  const key = resultKey(origin);
  if (!isPossibleKey(key)) return;
  await writeBeside(s3, key, origin, async ({ condition, standing }) => {
    if (!standing) await putResult(s3, origin, rows, condition);
  });
}

/** Whose a manifest is and what it asks for, or what is wrong with it as a whole; undefined when that version is gone. */
async function readWhole({ s3, ownerOf }: ManifestServices, { bucket, key, version_id, size }: DroppedObject) {
  const fault = (code: string, message: string) => ({ fault: { code, message } });
  const owner = ownerOf(key);
  if (owner === undefined) {
    return fault(
      'folder_names_no_owner',
      'Here the top folder of the drop folder names the owner, and this name is none.',
    );
  }
  if (size > MAX_MANIFEST_BYTES) {
    return fault(
      'manifest_too_large',
      `The manifest has ${size} bytes; at most ${MAX_MANIFEST_BYTES} are taken. Split it.`,
    );
  }
  const get = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id });
  const found = await s3.send(get).catch(unlessGone);
  if (!found) return undefined;
  const lines = readLines((await found.Body?.transformToByteArray()) ?? new Uint8Array());
  if (lines === 'too_many_lines') {
    return fault('too_many_lines', `The manifest has more than ${MAX_MANIFEST_LINES} lines. Split it.`);
  }
  if (lines.length === 0) {
    return fault(
      'manifest_empty',
      'The manifest has no line that asks for anything. Write the body of POST /videos on each.',
    );
  }
  return { owner, lines };
}

function unlessGone(error: unknown): undefined {
  if (error instanceof Error && ['NoSuchKey', 'NoSuchVersion'].includes(error.name)) return undefined;
  throw error;
}

/** Bytes that a manifest may have. */
const MAX_MANIFEST_BYTES = 10 * 1024 * 1024;
/** Lines that it may have, empty ones included. */
export const MAX_MANIFEST_LINES = 10_000;

const [lineFeed, carriageReturn] = [0x0a, 0x0d];
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The lines of a manifest that are not empty, whether they end with LF or CRLF, and with or without a byte order mark before them.
 * @returns `too_many_lines` for more than `MAX_MANIFEST_LINES`
 */
export function readLines(manifest: Uint8Array): ManifestLine[] | 'too_many_lines' {
  const lines: ManifestLine[] = [];
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
