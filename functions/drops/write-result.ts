import { CopyObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { idsInStatus } from '../queue/waiting.ts';
import { rotate, settleAll, valuesOf } from '../shared/concurrency.ts';
import { copySource, ignoreNotFound } from '../shared/s3.ts';
import { type ArchivedVideo, isTerminal, type VideoRecord } from '../video/record.ts';
import { markFinished, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { type EndedLine, isNewest } from './manifest-item.ts';
import { endLines, writeLineResult } from './manifest-result.ts';
import { isPossibleKey, originLabels, placeOf, resultKey, writeIfNewer, writeResult } from './result-object.ts';

export interface FinishServices {
  table: Table;
  s3: Pick<S3Client, 'send'>;
  /** Whether a finished video is copied next to its image. */
  copyVideo: boolean;
  /** Deletes what other downloads of a succeeded video left. @default nothing, in functions without access to the videos bucket */
  deleteLeftovers?: (id: string, archived: ArchivedVideo) => Promise<void>;
  /** Publishes the events of a video that are not published yet. */
  publish: (video: VideoRecord) => Promise<void>;
}

type ImageResultServices = Pick<FinishServices, 's3' | 'copyVideo'>;

/**
 * Does what remains after a video has ended: publishes its last event, deletes what other downloads left, and writes the result of a video
 * from the drop folder, of an image as `<key>.result.json`, with `copyVideo` after a copy of the video as `<key>.mp4`; of a line of a
 * manifest among the manifest's results. Does nothing for a video that has not ended.
 *
 * The record stays in the status index until all is done, so that the sweep repeats what failed. Idempotent. A newer outcome, after a
 * retry, replaces an older one, never the reverse, and the result of a later version of the image or manifest is kept. The result is
 * written even when the image was deleted: the folder shows what was paid for.
 * @throws what S3, EventBridge or the table throws; the video's own outcome is not changed
 */
export async function finishVideo(services: FinishServices, video: VideoRecord): Promise<void> {
  if (!isTerminal(video.status)) return;
  const { deleteLeftovers, publish } = services;
  const outcomes = await Promise.allSettled([publish(video), writeVideoResult(services, video)]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  const archived = video.status === 'succeeded' ? video.video : undefined;
  if (archived && !deleteLeftovers) return;
  if (archived) await deleteLeftovers?.(video.id, archived);
  await markFinished(services.table, video);
}

async function writeVideoResult(services: FinishServices, video: VideoRecord): Promise<void> {
  if (isFrom('drop', video)) await writeImageResult(services, video);
  else if (isFrom('manifest', video)) await endLineOf(services, video);
}

/** Writes the result of an ended video for a later upload of its image. What else remains to be done for the video stays to be done. */
export async function rewriteResult(services: ImageResultServices, video: VideoRecord): Promise<void> {
  if (isFrom('drop', video)) await writeImageResult(services, video);
}

const writeImageResult = ({ s3, copyVideo }: ImageResultServices, video: ImageVideo): Promise<void> =>
  writeResult(s3, resultKey(video.source.key), video.source, video.updated_at, async () => {
    const copy = copyVideo ? await copyVideoToDrop(s3, video) : undefined;
    const { defaults_key } = video.source;
    return {
      image: placeOf(video.source),
      ...resultOf(video, copy),
      ...(defaults_key ? { defaults_key } : {}),
    };
  });

/** Writes the result of a line and counts the line, unless a newer upload of the manifest has replaced it. */
async function endLineOf(services: FinishServices, video: LineVideo): Promise<void> {
  const { table } = services;
  const { source, updated_at } = video;
  if (!(await isNewest(table, source))) return;
  const ended = await writeVideoLine(services, video);
  const isUnchanged = async () => (await readVideo(table, video.id))?.updated_at === updated_at;
  await endLines(services, source, [ended], isUnchanged);
}

/** Writes the result of a line whose video has ended. @returns the line, to be counted */
export async function writeVideoLine(
  services: Pick<FinishServices, 'table' | 's3'>,
  video: LineVideo,
): Promise<EndedLine> {
  const { source, updated_at: at, status, cost } = video;
  await writeLineResult(services, source, { line: source.line, at, result: resultOf(video) });
  return { line: source.line, ending: status as EndedLine['ending'], cost };
}

/** Results that are written concurrently. */
const CONCURRENCY = 10;

/** Milliseconds after which no further result is begun: the sweep has more to do. A later sweep writes the others. */
const MAX_MILLISECONDS = 40_000;

/** After this many days a result that still cannot be written is given up: its bucket was deleted, or access to it was removed. */
const MAX_DAYS = 14;

/**
 * Writes the results that a crash or a failure left out. An error with one does not stop the others.
 * @returns ids of the videos whose result was written
 * @throws AggregateError after all were tried; the next call tries again
 */
export async function finishVideos(services: FinishServices): Promise<string[]> {
  const { table } = services;
  const begun = table.now();
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'unfinished')) ids.push(id);
  const outcomes = await settleAll(CONCURRENCY, rotate(ids, begun), async (id) => {
    const video = table.now() > begun + MAX_MILLISECONDS ? undefined : await readVideo(table, id);
    if (!video) return [];
    await finishVideo(services, video).catch((error: unknown) => giveUp(table, video, error));
    return [id];
  });
  return valuesOf(outcomes, 'results of drops could not be written.').flat();
}

/** Stops retrying a result after `MAX_DAYS`; the record has the same facts. @throws the error, in any case */
async function giveUp(table: Table, video: VideoRecord, error: unknown): Promise<never> {
  const days = (table.now() - Date.parse(video.updated_at)) / (24 * 3600_000);
  if (isTerminal(video.status) && days > MAX_DAYS) await markFinished(table, video);
  throw error;
}

type VideoFrom<Type> = VideoRecord & { source: { type: Type } };
type ImageVideo = VideoFrom<'drop'>;
/** The video of a line of a manifest. */
export type LineVideo = VideoFrom<'manifest'>;

const isFrom = <Type extends 'drop' | 'manifest'>(type: Type, video: VideoRecord): video is VideoFrom<Type> =>
  video.source.type === type;

/** Where a copy of the video next to its image is. */
interface VideoCopy {
  bucket: string;
  key: string;
}

/**
 * The result of an image or a line, in the words of `GET /videos/{id}`, without links: those of the API expire within the hour, and
 * those of the request may be signed.
 */
function resultOf(video: ImageVideo | LineVideo, copy?: VideoCopy): object {
  const { id, status, created_at, timeline, model, input, parameters, metadata, warnings, cost, error } = video;
  const { media: _media, ...prompts } = input;
  const { settings } = video.source;
  const { fps: _fps, codecs: _codecs, ...archived } = video.video ?? {};
  const started_at = timeline.findLast((entry) => entry.status === 'submitting')?.at;
  return {
    id,
    status,
    created_at,
    ...(started_at ? { started_at } : {}),
    finished_at: timeline.at(-1)?.at,
    ...(video.video ? { video: { ...archived, ...(copy ? { copy } : {}) } } : {}),
    model,
    input: prompts,
    parameters,
    ...(settings ? { settings } : {}),
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(cost ? { cost } : {}),
    warnings,
    ...(error ? { error } : {}),
  };
}

/** The label that names the archived file that a copy was made of. */
const archivedLabel = 'archived-as';

/**
 * Copies a drop's video next to its image, as `<key>.mp4`, within S3 and once. One CopyObject copies up to 5 GB; Wan's videos are far
 * smaller.
 * @returns where the copy is; undefined when the archived file was deleted, or the copy of a later version of the image exists
 */
async function copyVideoToDrop(s3: Pick<S3Client, 'send'>, video: ImageVideo): Promise<VideoCopy | undefined> {
  const { source, video: archived } = video;
  const key = `${source.key}.mp4`;
  if (!archived || !isPossibleKey(key)) return undefined;
  const label = archivedAs(archived);
  const outcome = await writeIfNewer(s3, key, source, async ({ condition, current }) => {
    if (current?.[archivedLabel] === label) return;
    await s3.send(
      new CopyObjectCommand({
        Bucket: source.bucket,
        Key: key,
        CopySource: copySource(archived),
        MetadataDirective: 'REPLACE',
        TaggingDirective: 'REPLACE',
        ContentType: archived.content_type,
        Metadata: { ...originLabels(source), [archivedLabel]: label },
        ...condition,
      }),
    );
    // The archived file was deleted: the result still names its place.
  }).catch(ignoreNotFound);
  return outcome === 'written' ? { bucket: source.bucket, key } : undefined;
}

const archivedAs = ({ key, version_id = '' }: ArchivedVideo): string => `${key}#${version_id}`;
