import { CopyObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { idsInStatus } from '../queue/waiting.ts';
import { rotate, settleAll, valuesOf } from '../shared/concurrency.ts';
import { copySource, ignoreNotFound } from '../shared/s3.ts';
import { type ArchivedVideo, isTerminal, type VideoRecord } from '../video/record.ts';
import { markResultWritten, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { type EndedLine, isNewest } from './manifest-item.ts';
import { endLines, writeLineResult } from './manifest-result.ts';
import { isPossibleKey, originLabels, placeOf, writeIfNewer, writeResult } from './result-object.ts';

export interface ResultServices {
  table: Table;
  s3: Pick<S3Client, 'send'>;
  /** Whether a finished video is copied beside its image. */
  copyVideo: boolean;
  /** Deletes what other downloads of a succeeded video left. @default nothing, in functions without access to the videos bucket */
  deleteLeftovers?: (id: string, archived: ArchivedVideo) => Promise<void>;
}

/**
 * Does what remains after a video has ended: deletes what other downloads left, and writes the result of a video from the drop folder, of
 * an image as `<key>.result.json`, with `copyVideo` after a copy of the video as `<key>.mp4`; of a line of a manifest among the
 * manifest's results. Does nothing for a video that has not ended.
 *
 * The record stays in the status index until all is written, so that whatever fails between two steps is repeated by the sweep;
 * writing twice is writing once. A newer outcome, after a retry, replaces an older one, never the other way round, and the result of a
 * later version of the image or manifest stays. An image that is gone changes nothing: the folder shows what was paid for.
 * @throws what S3 or the table throws; the video's own outcome stands in any case
 */
export async function writeVideoResult(services: ResultServices, video: VideoRecord): Promise<void> {
  if (!isTerminal(video.status)) return;
  const { deleteLeftovers } = services;
  const archived = video.status === 'succeeded' ? video.video : undefined;
  if (archived) await deleteLeftovers?.(video.id, archived);
  if (isFrom('drop', video)) await writeImageResult(services, video);
  else if (isFrom('manifest', video)) await endLineOf(services, video);
  else if (!archived || !deleteLeftovers) return;
  await markResultWritten(services.table, video);
}

const writeImageResult = ({ s3, copyVideo }: ResultServices, video: ImageVideo): Promise<void> =>
  writeResult(s3, `${video.source.key}.result.json`, video.source, video.updated_at, async () => {
    const copy = copyVideo ? await copyVideoToDrop(s3, video) : undefined;
    const { settings, defaults_key } = video.source;
    return {
      image: placeOf(video.source),
      ...resultOf(video, copy),
      ...(settings ? { settings } : {}),
      ...(defaults_key ? { defaults_key } : {}),
    };
  });

/** Writes the result of a line and counts the line, unless a newer upload of the manifest has taken its place. */
async function endLineOf(services: ResultServices, video: LineVideo): Promise<void> {
  const { table } = services;
  const { source, updated_at } = video;
  if (!(await isNewest(table, source))) return;
  const ended = await writeVideoLine(services, video);
  const isUnchanged = async () => (await readVideo(table, video.id))?.updated_at === updated_at;
  await endLines(services, source, [ended], isUnchanged);
}

/** Writes the result of a line whose video has ended. @returns the line, to be counted */
export async function writeVideoLine(
  services: Pick<ResultServices, 'table' | 's3'>,
  video: LineVideo,
): Promise<EndedLine> {
  const { source, updated_at: at, status, cost } = video;
  await writeLineResult(services, source, { line: source.line, at, result: resultOf(video) });
  return { line: source.line, ending: status as EndedLine['ending'], cost };
}

/** Results that are told at once. */
const AT_ONCE = 10;

/** No result is begun after this time, in milliseconds: the sweep has more to do. Those that are left have their turn in a later one. */
const LONGEST = 40_000;

/** After so many days a result that still can't be written is given up: its bucket is gone, or not ours to write to any more. */
const TRIED_DAYS = 14;

/**
 * Tells the results that a crash or a failure left untold. Whatever goes wrong with one keeps no other from its turn.
 * @returns ids of the videos whose result is told now
 * @throws AggregateError after all had their turn; the next call tries again
 */
export async function writePendingResults(services: ResultServices): Promise<string[]> {
  const { table } = services;
  const begun = table.now();
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'result_pending')) ids.push(id);
  const outcomes = await settleAll(AT_ONCE, rotate(ids, begun), async (id) => {
    const video = table.now() > begun + LONGEST ? undefined : await readVideo(table, id);
    if (!video) return [];
    await writeVideoResult(services, video).catch((error: unknown) => giveUp(table, video, error));
    return [id];
  });
  return valuesOf(outcomes, 'results of drops could not be written.').flat();
}

/** Leaves it at the record, which tells the same, where a result has been tried for long enough. @throws the error, in any case */
async function giveUp(table: Table, video: VideoRecord, error: unknown): Promise<never> {
  const days = (table.now() - Date.parse(video.updated_at)) / (24 * 3600_000);
  if (isTerminal(video.status) && days > TRIED_DAYS) await markResultWritten(table, video);
  throw error;
}

type VideoFrom<Type> = VideoRecord & { source: { type: Type } };
type ImageVideo = VideoFrom<'drop'>;
/** The video of a line of a manifest. */
export type LineVideo = VideoFrom<'manifest'>;

const isFrom = <Type extends 'drop' | 'manifest'>(type: Type, video: VideoRecord): video is VideoFrom<Type> =>
  video.source.type === type;

/** Where a copy of the video lies beside its image. */
interface VideoCopy {
  bucket: string;
  key: string;
}

/**
 * What became of an image or a line, in the words of `GET /videos/{id}`, without its prompt and without any link, which would expire
 * within the hour.
 */
function resultOf(video: VideoRecord, copy?: VideoCopy): object {
  const { id, status, created_at, timeline, model, parameters, metadata, warnings, cost, error } = video;
  const { fps: _, codecs: __, ...archived } = video.video ?? {};
  const started_at = timeline.findLast((entry) => entry.status === 'submitting')?.at;
  return {
    id,
    status,
    created_at,
    ...(started_at ? { started_at } : {}),
    finished_at: timeline.at(-1)?.at,
    ...(video.video ? { video: { ...archived, ...(copy ? { copy } : {}) } } : {}),
    model,
    parameters,
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(cost ? { cost } : {}),
    warnings,
    ...(error ? { error } : {}),
  };
}

/** The label that names the archived file that a copy was made of. */
const archivedLabel = 'archived-as';

/**
 * Copies a drop's video beside its image, as `<key>.mp4`, within S3 and once: one CopyObject takes up to 5 GB, which no video of
 * Wan's comes near.
 * @returns where the copy lies; undefined when there is nothing to copy any more, or the copy of a later version of the image lies there
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
    // Somebody deleted the archived file: its place is still reported.
  }).catch(ignoreNotFound);
  return outcome === 'written' ? { bucket: source.bucket, key } : undefined;
}

const archivedAs = ({ key, version_id = '' }: ArchivedVideo): string => `${key}#${version_id}`;
