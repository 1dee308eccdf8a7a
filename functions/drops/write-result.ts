import { CopyObjectCommand, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { idsInStatus } from '../queue/waiting.ts';
import { atMost, beginElsewhere } from '../shared/concurrency.ts';
import { type ArchivedVideo, isTerminal, type VideoRecord } from '../video/record.ts';
import { closeTold, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { isPossibleKey, originLabels, writeBeside } from './result-object.ts';

export interface ResultServices {
  table: Table;
  s3: Pick<S3Client, 'send'>;
  /** Whether a finished video is copied beside its image. */
  copyVideo: boolean;
}

/** The label by which an older outcome of the same image is told from a newer one: a retry gives it another. */
const toldLabel = 'outcome-of';

/**
 * Writes what became of a dropped image beside it, as `<key>.result.json`; with `copyVideo` the video too, as `<key>.mp4`, before the
 * result that names it. Does nothing for a video that is no drop, or has not ended.
 *
 * The record stands as `untold` until all is written, so that whatever dies or fails between two steps is done again by the next
 * call; telling twice is telling once. A newer outcome, after a retry, replaces an older one, never the other way round, and the
 * result of a later version of the image stays. An image that is gone changes nothing: the folder shows what was paid for.
 * @throws what S3 or the table throws; the video's own outcome stands in any case
 */
export async function tellResult(services: ResultServices, video: VideoRecord): Promise<void> {
  if (!isDrop(video) || !isTerminal(video.status)) return;
  const key = `${video.source.key}.result.json`;
  if (isPossibleKey(key)) await writeResult(services, video, key);
  await closeTold(services.table, video);
}

async function writeResult({ s3, copyVideo }: ResultServices, video: Drop, key: string): Promise<void> {
  const { source, updated_at } = video;
  await writeBeside(s3, key, source, async ({ condition, standing }) => {
    const told = standing?.[toldLabel];
    if (told && told >= updated_at) return;
    const copy = copyVideo ? await copyBeside(s3, video) : undefined;
    await s3.send(
      new PutObjectCommand({
        Bucket: source.bucket,
        Key: key,
        Body: `${JSON.stringify(resultOfDrop(video, copy), undefined, 2)}\n`,
        ContentType: 'application/json',
        Metadata: { ...originLabels(source), [toldLabel]: updated_at },
        ...condition,
      }),
    );
  });
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
export async function tellUntold(services: ResultServices): Promise<string[]> {
  const { table } = services;
  const begun = table.now();
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'untold')) ids.push(id);
  const told: string[] = [];
  const errors: unknown[] = [];
  await atMost(AT_ONCE, beginElsewhere(ids, begun), async (id) => {
    if (table.now() > begun + LONGEST) return;
    try {
      const video = await readVideo(table, id);
      if (!video) return;
      await tellResult(services, video).catch((error: unknown) => giveUp(table, video, error));
      told.push(id);
    } catch (error) {
      errors.push(error);
    }
  });
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} results of drops could not be written.`);
  return told;
}

/** Leaves it at the record, which tells the same, where a result has been tried for long enough. @throws the error, in any case */
async function giveUp(table: Table, video: VideoRecord, error: unknown): Promise<never> {
  const days = (table.now() - Date.parse(video.updated_at)) / (24 * 3600_000);
  if (isTerminal(video.status) && days > TRIED_DAYS) await closeTold(table, video);
  throw error;
}

/** A drop's record. */
type Drop = VideoRecord & { source: { type: 'drop' } };

export const isDrop = (video: VideoRecord): video is Drop => video.source.type === 'drop';

/** Where a copy of the video lies beside its image. */
export interface VideoCopy {
  bucket: string;
  key: string;
}

/**
 * What became of a dropped image, as its `….result.json` tells it: in the words of `GET /videos/{id}`, without its prompt and without
 * any link, which would be dead within the hour.
 */
export function resultOfDrop(video: Drop, copy?: VideoCopy): Record<string, unknown> {
  const { id, status, created_at, timeline, model, parameters, source, warnings, cost, error } = video;
  const { bucket, key, version_id, settings, defaults_key } = source;
  const started_at = timeline.findLast((entry) => entry.status === 'submitting')?.at;
  return {
    id,
    status,
    created_at,
    ...(started_at ? { started_at } : {}),
    finished_at: timeline.at(-1)?.at,
    image: { bucket, key, ...(version_id ? { version_id } : {}) },
    ...(video.video ? { video: { ...placeAndProof(video.video), ...(copy ? { copy } : {}) } } : {}),
    model,
    parameters,
    ...(cost ? { cost } : {}),
    ...(settings ? { settings } : {}),
    ...(defaults_key ? { defaults_key } : {}),
    warnings,
    ...(error ? { error } : {}),
  };
}

/** Where an archived video lies, and by what a copy of it can be proven. */
export const placeAndProof = (video: ArchivedVideo): Partial<ArchivedVideo> => {
  const { bucket, key, version_id, bytes, sha256, content_type, duration_seconds, width, height } = video;
  return {
    bucket,
    key,
    ...(version_id ? { version_id } : {}),
    bytes,
    sha256,
    content_type,
    duration_seconds,
    width,
    height,
  };
};

/** The label that names the archived file that a copy was made of. */
const archivedLabel = 'archived-as';

/**
 * Copies a drop's video beside its image, as `<key>.mp4`, within S3 and once: one CopyObject takes up to 5 GB, which no video of
 * Wan's comes near.
 * @returns where the copy lies; undefined when there is nothing to copy any more, or the copy of a later version of the image lies there
 */
export async function copyBeside(s3: Pick<S3Client, 'send'>, video: Drop): Promise<VideoCopy | undefined> {
  const { source, video: archived } = video;
  const key = `${source.key}.mp4`;
  if (!archived || !isPossibleKey(key)) return undefined;
  const label = archivedAs(archived);
  const outcome = await writeBeside(s3, key, source, async ({ condition, standing }) => {
    if (standing?.[archivedLabel] === label) return;
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
  }).catch(unlessGone);
  return outcome === 'written' ? { bucket: source.bucket, key } : undefined;
}

const archivedAs = ({ key, version_id = '' }: ArchivedVideo): string => `${key}#${version_id}`;

const copySource = ({ bucket, key, version_id }: ArchivedVideo): string =>
  `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}${version_id ? `?versionId=${encodeURIComponent(version_id)}` : ''}`;

/** Somebody deleted the archived file: its place is still told. */
function unlessGone(error: unknown): undefined {
  if (error instanceof S3ServiceException && ['NoSuchKey', 'NoSuchVersion'].includes(error.name)) return undefined;
  throw error;
}
