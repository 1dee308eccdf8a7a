import type { S3Client } from '@aws-sdk/client-s3';
import { settleAll } from '../shared/concurrency.ts';
import { ProblemError } from '../shared/problem.ts';
import { isTerminal, type VideoRecord } from '../video/record.ts';
import { type DroppedObject, findLatest, readObject } from './dropped-object.ts';
import { beginManifest, type EndedLine, isOpen, isSameUpload, readManifest } from './manifest-item.ts';
import { acceptLine, identifyLines, type LineServices, type ManifestLine, type OwnedUpload } from './manifest-line.ts';
import { endLines, lineFailure, writeLineResult, writeSummary } from './manifest-result.ts';
import { explainLine, MAX_MANIFEST_BYTES, readManifestText } from './manifest-text.ts';
import { writeVideoLine } from './write-result.ts';

export interface ManifestServices extends LineServices {
  s3: Pick<S3Client, 'send'>;
}

/** Lines that are accepted concurrently: each may hold an image of 10 MB in memory. */
const CONCURRENT_LINES = 10;

/** How many lines of a model are dispatched here. The others wait for permits anyway. */
const DISPATCHED_LINES = 20;

/**
 * Accepts the newest upload of a manifest: each line that is not empty is a request for a video. Its result is written to
 * `<key>.results/<six digits>.json` when it has ended, and `summary.json` follows after the last one. An older upload is ignored.
 *
 * Idempotent: a repeated event, or a call after a crash, creates no video twice and accepts the lines that are left. A line that is
 * refused does not affect the others.
 * @throws AggregateError when lines could not be accepted, after all others were: the event must be delivered again. Its message names
 *   the images that could not be read
 */
export async function acceptManifest(services: ManifestServices, object: DroppedObject): Promise<void> {
  const { table, s3 } = services;
  const before = await readManifest(table, object);
  const begun = before && isSameUpload(before, object) ? before : undefined;
  const latest = await findLatest(s3, object.bucket, object.key);
  // A deleted manifest is ignored, unless some of its lines may have been accepted already.
  if (latest ? !isSameUpload(latest, object) : !begun) return;
  const read = await readWhole(services, object);
  if (!read) return;
  const numbers = 'lines' in read ? read.lines.map(({ line }) => line) : [];
  const manifest = begun ?? (await beginManifest(table, object, numbers, before));
  // Another call has begun this upload or another one.
  if (!manifest) return acceptManifest(services, object);
  if ('issue' in read) {
    const error = { ...read.issue, hint: 'Fix the manifest and upload it again.' };
    return writeSummary(services, manifest, lineFailure(error));
  }
  const limited = { ...services, dispatch: dispatchFirst(services) };
  // A repeated event does not change lines that have ended.
  const open = read.lines.filter(({ line }) => manifest.open?.has(line));
  const outcomes = await settleAll(CONCURRENT_LINES, open, (line) => acceptManifestLine(limited, read.upload, line));
  const ended = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' && outcome.value ? [outcome.value] : []));
  await endLines(services, object, ended);
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  // A dead letter has the message alone.
  const messages = [...new Set(errors.map(({ message }) => message))].slice(0, 3).join(' ');
  if (errors.length > 0) {
    throw new AggregateError(errors, `${errors.length} lines of a manifest could not be accepted. ${messages}`);
  }
}

/** Accepts a line and, if it has ended, writes its result. @returns undefined while its video is under way: its end ends the line */
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
    // Deleting a video ends its line first. Another call has done so meanwhile, and has written the result.
    if (isDeleted && !(await isOpen(services.table, upload, line.line))) return undefined;
    const { errors = [], code } = error.members;
    const refusal = lineFailure({ code: errors[0]?.code ?? code, message: explainLine(error), hint: HINT });
    const result = isDeleted ? { id: line.id, status: 'deleted' } : refusal;
    const at = new Date(services.table.now()).toISOString();
    await writeLineResult(services, upload, { line: line.line, at, result });
    return { line: line.line, ending: isDeleted ? 'deleted' : 'refused' };
  }
}

const HINT = 'Fix it and upload the whole manifest again: lines that have not changed keep their videos.';

/** Dispatches only the first lines of each model: no model has permits for thousands. */
function dispatchFirst({ dispatch }: ManifestServices): ManifestServices['dispatch'] {
  const counts = new Map<string, number>();
  return async (video: VideoRecord) => {
    const count = counts.get(video.model) ?? 0;
    counts.set(video.model, count + 1);
    if (count < DISPATCHED_LINES) await dispatch(video);
  };
}

/** Returns the owner and lines of a manifest, or what is wrong with it as a whole; undefined when that version is gone. */
async function readWhole({ s3, ownerOf }: ManifestServices, object: DroppedObject) {
  const issue = (code: string, message: string) => ({ issue: { code, message } });
  const owner = ownerOf(object.key);
  if (owner === undefined) {
    return issue(
      'folder_names_no_owner',
      'The top folder in the drop folder names the owner, and this name cannot be one. Rename the folder.',
    );
  }
  if (object.size > MAX_MANIFEST_BYTES) {
    return issue(
      'manifest_too_large',
      `The manifest has ${object.size} bytes; the maximum is ${MAX_MANIFEST_BYTES}. Split it.`,
    );
  }
  const found = await readObject(s3, object);
  if (!found) return undefined;
  const text = readManifestText(found.bytes);
  if ('issue' in text) return text;
  const upload: OwnedUpload = { ...object, owner };
  const lines = identifyLines(upload, text.lines);
  if (lines.every((line) => 'problem' in line && line.problem.members.code === 'invalid_json')) {
    return issue(
      'manifest_not_jsonl',
      'No line of the manifest is JSON. Write the body of POST /videos on each line, without a line break in it, as UTF-8.',
    );
  }
  return { upload, lines };
}
