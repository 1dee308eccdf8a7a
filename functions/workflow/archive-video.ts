import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { causeName } from '../media/download.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import { type ArchivedVideo, expiryOf, type VideoRecord } from '../video/record.ts';
import { changeStatus, changeVideo, nextDownload, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { type VideoView, viewOf } from '../video/view.ts';
import type { WanClient } from '../wan/client/client.ts';
import { billedSeconds } from '../wan/client/query-task.ts';
import { type Deployment, type Price, priceOf } from '../wan/prices.ts';
import type { ArchiveVideoOutput } from './step-handler.ts';
import { DownloadError, provenanceHeaders, type VerifiedVideo } from './verify-video.ts';

export interface ArchiveServices {
  table: Table;
  s3: Pick<S3Client, 'send'>;
  bucket: string;
  wan: Pick<WanClient, 'queryTask'>;
  deployment: Deployment;
  /** Copies a video to a key and verifies that it is complete. */
  copyAndVerify: (video: VideoRecord, videoUrl: string, key: string) => Promise<VerifiedVideo>;
  /**
   * Called with each failed download.
   * @param failure `persists`: repetition is not expected to help
   */
  onDownloadFailed: (failure: { kind: string; reason: string; downloads: number; persists: boolean }) => void;
}

/** After this many downloads, which take half an hour, a cause that could have passed has not. */
const PERSISTENT_DOWNLOADS = 12;

/** The exact version of an object that this invocation wrote. */
interface Uploaded {
  key: string;
  version_id: string | undefined;
}

/**
 * Copies a finished video into our bucket, verifies it, stores its metadata next to it, and updates the record. A failure repeats only
 * the download. Each download has its own key; the record names the verified one (invariants 3 and 4).
 * @throws WorkflowError that the state machine retries: archiveInterrupted, videoBroken, untrustedVideoHost, taskUnknown,
 * wanThrottled, wanUnavailable
 */
export async function archiveVideo(services: ArchiveServices, input: WorkflowInput): Promise<ArchiveVideoOutput> {
  const { table, bucket } = services;
  const video = await readVideo(table, input.id);
  const ids = { id: input.id, run: input.run };
  const settled = { ...ids, outcome: 'settled' } as const;
  if (!video?.task || video.run !== input.run) return settled;
  if (video.status !== 'archiving') return settled;
  const downloads = await nextDownload(table, video.id);
  const key = `${video.id}/${video.run}-${downloads}.mp4`;
  const verified = await services.copyAndVerify(video, await currentUrl(services, video), key).catch(async (error) => {
    if (error instanceof DownloadError) await reportFailure(services, video, error, downloads);
    throw error;
  });
  const cost = actualCost(video, services.deployment);
  const result = {
    video: { bucket, key, ...verified.video },
    warnings: [...video.warnings.filter(({ code }) => code !== downloadFailing), ...verified.warnings],
    ...(cost ? { cost } : {}),
  };
  // One timestamp for both: the metadata must equal the record.
  const now = table.now();
  const version_id = await writeMetadata(services, key, viewOf(asSucceeded(table, { ...video, ...result }, now), now));
  const succeeded = await changeStatus({ ...table, now: () => now }, video, 'succeeded', {
    set: result,
    remove: ['error'],
  });
  const current = succeeded ?? (await readVideo(table, video.id));
  if (!current) {
    // The video was deleted meanwhile; the deletion may have listed the objects before these were written.
    await deleteUploaded(services, { key, version_id: verified.video.version_id });
    await deleteUploaded(services, { key: metadataKey(key), version_id });
  }
  // Another invocation finished first, and the record names its file. Its cleanup may have listed the objects before these were written.
  if (!succeeded && current?.video) await deleteLeftovers(services.s3, video.id, current.video);
  return succeeded ? { ...ids, outcome: 'archived' } : settled;
}

/**
 * Reports a failed download. When repetition is not expected to help, the record explains it too, long before Wan deletes the video. The
 * message has the kind only, since the record leaves through the API.
 */
async function reportFailure(
  { table, onDownloadFailed }: ArchiveServices,
  video: VideoRecord,
  { kind, message: reason, retryable }: DownloadError,
  downloads: number,
): Promise<void> {
  const persists = !retryable || downloads >= PERSISTENT_DOWNLOADS;
  onDownloadFailed({ kind, reason, downloads, persists });
  const warning = {
    pointer: '',
    code: downloadFailing,
    message: `Wan has made the video, but it could not be archived so far (${kind}). The download is repeated until Wan deletes the video, and the operator is notified.`,
  };
  if (!persists || video.warnings.some(({ message }) => message === warning.message)) return;
  const others = video.warnings.filter(({ code }) => code !== downloadFailing);
  // Only information: the error of the download counts.
  await changeVideo(table, video, { set: { warnings: [...others, warning] } }).catch(() => undefined);
}

const downloadFailing = 'download_failing';

/** Returns the video as its record will be after `succeeded`. @param now milliseconds since 1970 */
function asSucceeded(table: Table, { error, ...video }: VideoRecord, now: number): VideoRecord {
  const at = new Date(now).toISOString();
  const status = 'succeeded';
  const { expires_at } = expiryOf({ ...table, now: () => now }, { ...video, status });
  return {
    ...video,
    status,
    ...(expires_at ? { expires_at } : {}),
    updated_at: at,
    timeline: [...video.timeline, { status, at }],
  };
}

/** Returns Wan's link to the video. The link is signed and expires, so each download queries it again. */
async function currentUrl({ wan }: ArchiveServices, video: VideoRecord): Promise<string> {
  const response = await wan.queryTask(video.task!.id);
  if (response.outcome === 'throttled') {
    throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling: ${response.code}`);
  }
  if (response.outcome === 'task' && response.status === 'UNKNOWN') {
    throw new WorkflowError(errorNames.taskUnknown, 'Wan no longer knows the task.');
  }
  if (response.outcome !== 'task' || !response.video_url) {
    const problem = response.outcome === 'task' ? `task status ${response.status}` : response.outcome;
    throw new WorkflowError(errorNames.wanUnavailable, `Wan returned no link to the video (${problem}).`);
  }
  return response.video_url;
}

/** Returns the cost: the seconds that Wan bills, or the most that it may bill, at the deployment's price. Undefined for an unknown price. */
function actualCost(
  { model, parameters, usage, estimated_cost }: VideoRecord,
  deployment: Deployment,
): Price | undefined {
  const seconds = billedSeconds(usage) ?? estimated_cost?.seconds ?? parameters.duration;
  const { resolution } = parameters;
  return resolution && seconds !== undefined ? priceOf(model, resolution, seconds, deployment) : undefined;
}

/**
 * Deletes what other downloads of an archived video left, version by version. Keeps the video version that the record names and the latest
 * version of its metadata. Runs when the video has succeeded (`onStatusChanged`), and again in the sweep if that was interrupted.
 */
export async function deleteLeftovers(s3: Pick<S3Client, 'send'>, id: string, kept: ArchivedVideo): Promise<void> {
  const { bucket } = kept;
  const list = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `${id}/` });
  for (const { Key = '', VersionId, IsLatest } of (await s3.send(list)).Versions ?? []) {
    const isKept =
      (Key === kept.key && (kept.version_id ?? VersionId) === VersionId) || (Key === metadataKey(kept.key) && IsLatest);
    if (downloadedFile.test(Key) && !isKept) await deleteUploaded({ s3, bucket }, { key: Key, version_id: VersionId });
  }
}

/** Matches the keys that `archiveVideo` writes, and no other object under the video's prefix. */
const downloadedFile = /\/\d+-\d+\.(mp4|json)$/;

const deleteUploaded = ({ s3, bucket }: Pick<ArchiveServices, 's3' | 'bucket'>, { key, version_id }: Uploaded) =>
  s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id }));

/** Returns the key of an archived video's metadata: that of its MP4, with the extension `.json`. */
export const metadataKey = (key: string): string => key.replace(/\.mp4$/, '.json');

/**
 * Stores the API's view of a video next to its MP4, so that the bucket is understandable without the table.
 * @param video the video after `succeeded`
 * @returns the version id, in a versioned bucket
 * @throws WorkflowError archiveInterrupted when the write to S3 fails
 */
async function writeMetadata(
  { s3, bucket }: { s3: Pick<S3Client, 'send'>; bucket: string },
  key: string,
  video: VideoView,
): Promise<string | undefined> {
  const object = new PutObjectCommand({
    Bucket: bucket,
    Key: metadataKey(key),
    Body: `${JSON.stringify({ ai_generated: true, ...video }, null, 2)}\n`,
    ContentType: 'application/json',
    Metadata: provenanceHeaders(video),
  });
  try {
    return (await s3.send(object)).VersionId;
  } catch (error) {
    throw new WorkflowError(errorNames.archiveInterrupted, `Could not store the metadata: ${causeName(error)}.`);
  }
}
