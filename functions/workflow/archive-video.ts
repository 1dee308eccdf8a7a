import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { ArchivedVideo, VideoRecord } from '../video/record.ts';
import { changeStatus, nextDownload, readVideo, type Table } from '../video/store.ts';
import { isModelName } from '../wan/catalogue.ts';
import type { WanClient } from '../wan/client.ts';
import { type Price, priceOf } from '../wan/prices.ts';
import { billedSeconds } from '../wan/query-task.ts';
import type { Region } from '../wan/regions.ts';
import type { WorkflowInput } from './payload.ts';
import type { Proof } from './prove-video.ts';

export interface ArchiveServices {
  table: Table;
  s3: Pick<S3Client, 'send'>;
  bucket: string;
  wan: Pick<WanClient, 'queryTask'>;
  wanRegion: Region;
  /** Copies a video to a key and proves that it arrived whole. */
  copyAndProve: (video: VideoRecord, videoUrl: string, key: string) => Promise<Proof>;
}

/**
 * Copies a finished video into our bucket, proves it, and writes its metadata to its record. Only the download is ever
 * repeated; each has a key of its own, and the record names the one that was proven (invariants 3 and 4).
 * @throws WorkflowError by which the state machine tries again: archiveInterrupted, untrustedVideoHost, taskUnknown or trouble at Wan
 */
export async function archiveVideo(services: ArchiveServices, input: WorkflowInput): Promise<WorkflowInput> {
  const { table, bucket } = services;
  const video = await readVideo(table, input.id);
  if (!video?.task || video.run !== input.run) return input;
  // An earlier invocation may have died between its success and its tidying up.
  if (video.status === 'succeeded' && video.video) await deleteOthers(services, video.id, video.video);
  if (video.status !== 'archiving') return input;
  const key = `${video.id}/${video.run}-${await nextDownload(table, video.id)}.mp4`;
  const proof = await services.copyAndProve(video, await currentUrl(services, video), key);
  const cost = costOf(video, services.wanRegion);
  const succeeded = await changeStatus(table, video, 'succeeded', {
    set: {
      video: { bucket, key, ...proof.video },
      warnings: [...video.warnings, ...proof.warnings],
      progress: 100,
      ...(cost ? { cost } : {}),
    },
    remove: ['estimated_finish_at', 'error'],
  });
  // Another invocation may have been faster; either way the record names the file that stays.
  const kept = succeeded ?? (await readVideo(table, video.id));
  if (kept?.video) await deleteOthers(services, video.id, kept.video);
  return input;
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

/** Deletes what other downloads of this video left, by version, so that nothing half-written or double stays. */
async function deleteOthers({ s3, bucket }: ArchiveServices, id: string, kept: ArchivedVideo): Promise<void> {
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `${id}/` }));
  for (const { Key, VersionId } of Versions) {
    if (!Key?.endsWith('.mp4') || (Key === kept.key && (kept.version_id ?? VersionId) === VersionId)) continue;
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
  }
}
