import type { S3Client } from '@aws-sdk/client-s3';
import type { Issue } from '../shared/issues.ts';
import { ProblemError } from '../shared/problem.ts';
import { extensionOf } from '../submissions/derive.ts';
import { copyUpload, type DerivedRequest } from '../submissions/uploads.ts';
import { isVideoId, sha256Hex } from '../video/keys.ts';
import type { RecordedMedia, StoredMedia, VideoRecord } from '../video/record.ts';
import { newVideo, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { explainEnding } from '../wan/failures.ts';
import type { Deployment } from '../wan/prices.ts';

/** The video that a sidecar extends, and by how many seconds. The image of the sidecar becomes the last frame. */
export interface DropExtension {
  id: string;
  seconds_to_add: number;
}

/** A video that a drop continues: its archived file as a medium, and the settings that follow from it. */
export interface ContinuedVideo extends Pick<DerivedRequest, 'derived_from' | 'warnings'> {
  clip: RecordedMedia & { file: StoredMedia };
  /** The model of the video. */
  model: string;
  /** With the duration of the whole. */
  parameters: Record<string, unknown>;
}

/**
 * Reads the video that a drop extends.
 * @param model the model that the settings name; undefined for that of the video
 * @returns the issues of the sidecar if that is not possible; another owner's video is answered like an unknown one (invariant 7)
 */
export async function readContinued(
  { table, deployment }: { table: Table; deployment: Deployment },
  owner: string,
  { id, seconds_to_add }: DropExtension,
  model: string | undefined,
): Promise<ContinuedVideo | { issues: Issue[] }> {
  const source = isVideoId(id) ? await readVideo(table, id) : undefined;
  if (source?.owner !== owner) {
    const message = 'There is no such video. Give the "id" of one of your videos, as in its result file.';
    return { issues: [{ pointer: '/extends', code: 'video_not_found', message }] };
  }
  try {
    const wanted = { prompt: '', seconds_to_add, ...(model === undefined ? {} : { model }) };
    const { body, derived_from, warnings } = extensionOf(source, wanted, { deployment, now: table.now() });
    const { bucket, key, version_id, content_type, bytes, duration_seconds, width, height, fps } = source.video!;
    const facts = { content_type, bytes, duration_seconds, width, height, fps };
    const file = { bucket, key, ...(version_id ? { version_id } : {}), ...facts };
    return {
      derived_from,
      warnings,
      clip: { type: 'first_clip', url: `s3://${bucket}/${key}`, file },
      ...(body as Pick<ContinuedVideo, 'model' | 'parameters'>),
    };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { code, detail, errors = [{ pointer: '', code, message: detail }] } = error.members;
    return { issues: errors.map((issue) => ({ ...issue, pointer: issue.pointer || '/extends' })) };
  }
}

/**
 * Copies the clip of a planned drop to the inputs of its video, so that its source can be deleted. Repeating it changes nothing.
 * @returns the video with the copy, or failed if the clip is gone
 */
export async function storeClip(
  { s3, table, uploadsBucket: bucket }: { s3: Pick<S3Client, 'send'>; table: Table; uploadsBucket: string },
  planned: VideoRecord,
): Promise<VideoRecord> {
  const clip = planned.input.media.find(({ type }) => type === 'first_clip');
  if (!planned.derived_from || !clip?.file || planned.status !== 'queued') return planned;
  const { bucket: from, key, version_id = '' } = clip.file;
  const sha256 = sha256Hex(`${from}/${key} ${version_id}`);
  const copied = await copyUpload(s3, { ...clip.file, version_id, sha256 }, { id: planned.id, bucket });
  if (!copied) return newVideo(planned, table.now(), explainEnding('image_gone'));
  const copy = { type: clip.type, url: `s3://${copied.bucket}/${copied.key}`, file: { ...clip.file, ...copied } };
  // The version of the source, where the copy exists already.
  if (!copied.version_id) delete copy.file.version_id;
  const media = planned.input.media.map((item) => (item === clip ? copy : item));
  return { ...planned, input: { ...planned.input, media } };
}
