import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { causeName } from '../media/download.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { ArchivedVideo, VideoRecord } from '../video/record.ts';
import { changeStatus, nextDownload, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { type VideoView, viewOf } from '../video/view.ts';
import { isModelName } from '../wan/catalogue.ts';
import type { WanClient } from '../wan/client/client.ts';
import { billedSeconds } from '../wan/client/query-task.ts';
import { type Price, priceOf } from '../wan/prices.ts';
import type { Region } from '../wan/regions.ts';
import type { ArchiveVideoOutput } from './step-handler.ts';
import type { VerifiedVideo } from './verify-video.ts';

export interface ArchiveServices {
  table: Table;
  s3: Pick<S3Client, 'send'>;
  bucket: string;
  wan: Pick<WanClient, 'queryTask'>;
  wanRegion: Region;
  /** Copies a video to a key and proves that it arrived whole. */
  copyAndVerify: (video: VideoRecord, videoUrl: string, key: string) => Promise<VerifiedVideo>;
}

/** An object of ours, in exactly the version that we wrote. */
interface Uploaded {
  key: string;
  version_id: string | undefined;
}

/**
 * Copies a finished video into our bucket, proves it, lays its metadata beside it, and writes it to its record. Only the download is
 * ever repeated; each has a key of its own, and the record names the one that was proven (invariants 3 and 4).
 * @throws WorkflowError by which the state machine tries again: archiveInterrupted, untrustedVideoHost, taskUnknown or trouble at Wan
 */
export async function archiveVideo(services: ArchiveServices, input: WorkflowInput): Promise<ArchiveVideoOutput> {
  const { table, bucket } = services;
  const video = await readVideo(table, input.id);
  const from = { id: input.id, run: input.run };
  const settled = { ...from, outcome: 'settled' } as const;
  if (!video?.task || video.run !== input.run) return settled;
  // An earlier invocation may have died between its success and its tidying up.
  if (video.status === 'succeeded' && video.video) await deleteOthers(services, video.id, video.video);
  if (video.status !== 'archiving') return settled;
  const key = `${video.id}/${video.run}-${await nextDownload(table, video.id)}.mp4`;
  const proof = await services.copyAndVerify(video, await currentUrl(services, video), key);
  const cost = costOf(video, services.wanRegion);
  const news = {
    video: { bucket, key, ...proof.video },
    warnings: [...video.warnings, ...proof.warnings],
    ...(cost ? { cost } : {}),
  };
  // One moment for both, so that the metadata says what the record will say.
  const now = table.now();
  const version_id = await storeMetadata(services, key, viewOf(asSucceeded({ ...video, ...news }, now), now));
  const succeeded = await changeStatus({ ...table, now: () => now }, video, 'succeeded', {
    set: news,
    remove: ['error'],
  });
  const standing = succeeded ?? (await readVideo(table, video.id));
  if (!standing) {
    // Deleted meanwhile, and whoever did that may have looked before these came.
    await deleteUploaded(services, { key, version_id: proof.video.version_id });
    await deleteUploaded(services, { key: metadataKey(key), version_id });
  }
  // Another invocation may have been faster; either way the record names the file that stays.
  if (standing?.video) await deleteOthers(services, video.id, standing.video);
  return succeeded ? { ...from, outcome: 'archived' } : settled;
}

/** A video as its record will be. @param now milliseconds since 1970 */
function asSucceeded({ error, ...video }: VideoRecord, now: number): VideoRecord {
  const at = new Date(now).toISOString();
  return {
    ...video,
    status: 'succeeded',
    updated_at: at,
    timeline: [...video.timeline, { status: 'succeeded', at }],
  };
}

/** Wan's link to the video, asked for anew at each download: it is signed and dies. */
async function currentUrl({ wan }: ArchiveServices, video: VideoRecord): Promise<string> {
  const answer = await wan.queryTask(video.task!.id);
  if (answer.outcome === 'throttled') {
    throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling: ${answer.code}`);
  }
  if (answer.outcome === 'task' && answer.status === 'UNKNOWN') {
    throw new WorkflowError(errorNames.taskUnknown, 'Wan does not know the task any more.');
  }
  if (answer.outcome !== 'task' || !answer.video_url) {
    const found = answer.outcome === 'task' ? `the task is ${answer.status}` : answer.outcome;
    throw new WorkflowError(errorNames.wanUnavailable, `Wan gave no link to the video (${found}).`);
  }
  return answer.video_url;
}

/** What the video cost: the seconds that Wan says it bills, at the price of the catalogue; undefined where no price is known. */
function costOf({ model, parameters, usage }: VideoRecord, region: Region): Price | undefined {
  const seconds = billedSeconds(usage) ?? parameters.duration;
  const { resolution } = parameters;
  return isModelName(model) && resolution && seconds !== undefined
    ? priceOf(model, resolution, seconds, region)
    : undefined;
}

/**
 * Deletes what other downloads of this video left, by version, so that nothing half-written or double stays: of the videos all but
 * the version that the record names, of the metadata all but the latest beside it.
 */
async function deleteOthers(services: ArchiveServices, id: string, kept: ArchivedVideo): Promise<void> {
  const list = new ListObjectVersionsCommand({ Bucket: services.bucket, Prefix: `${id}/` });
  for (const { Key = '', VersionId, IsLatest } of (await services.s3.send(list)).Versions ?? []) {
    const isKept =
      (Key === kept.key && (kept.version_id ?? VersionId) === VersionId) || (Key === metadataKey(kept.key) && IsLatest);
    if (downloads.test(Key) && !isKept) await deleteUploaded(services, { key: Key, version_id: VersionId });
  }
}

/** What `archiveVideo` writes, and nothing else that may lie beside it. */
const downloads = /\/\d+-\d+\.(mp4|json)$/;

const deleteUploaded = ({ s3, bucket }: ArchiveServices, { key, version_id }: Uploaded) =>
  s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id }));

/** Where what is known of an archived video lies: beside its MP4, under its name. */
export const metadataKey = (key: string): string => key.replace(/\.mp4$/, '.json');

/**
 * Writes a video as the API shows it beside its MP4, so that the bucket alone tells what lies in it.
 * @param video as it will be once it has succeeded
 * @returns the version that was written, in a versioned bucket
 * @throws WorkflowError archiveInterrupted when S3 does not take it
 */
async function storeMetadata(
  { s3, bucket }: { s3: Pick<S3Client, 'send'>; bucket: string },
  key: string,
  video: VideoView,
): Promise<string | undefined> {
  const object = new PutObjectCommand({
    Bucket: bucket,
    Key: metadataKey(key),
    Body: `${JSON.stringify(video, null, 2)}\n`,
    ContentType: 'application/json',
  });
  try {
    return (await s3.send(object)).VersionId;
  } catch (error) {
    throw new WorkflowError(errorNames.archiveInterrupted, `The metadata could not be stored: ${causeName(error)}.`);
  }
}
