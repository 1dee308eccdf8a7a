import { DeleteObjectCommand, GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type ArchiveOutcome, streamToS3 } from '../media/archive.ts';
import { type InspectedVideo, inspectMp4 } from '../media/mp4.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { ArchivedVideo, VideoRecord } from '../video/record.ts';
import { outputSize } from '../wan/output-size.ts';
import { parseUrl } from '../wan/parse-url.ts';
import { billedSeconds } from '../wan/query-task.ts';
import { isTrustedVideoUrl } from '../wan/video-url.ts';
import type { Warning } from '../wan/violations.ts';

/** A 15 s video in 1080P has some 30 MB; ten times that is no video of Wan's. */
const MAX_VIDEO_BYTES = 512 * 1024 * 1024;
/** A download that takes longer has stalled; the Lambda itself is cut off at 15 minutes, which would leave no word of why. */
const DOWNLOAD_MILLISECONDS = 10 * 60_000;
/** How far a video's length may be from what was asked for, in seconds. */
const DURATION_TOLERANCE_SECONDS = 0.5;
/** Wan's videos have 30 frames a second (facts, "The video"). */
const EXPECTED_FPS = 30;

export interface CopyServices {
  s3: S3Client;
  bucket: string;
  fetch: typeof fetch;
  trustedOrigins: readonly string[];
  now: () => number;
}

/** What is known of a video that lies whole in our bucket. */
export interface Proof {
  video: Omit<ArchivedVideo, 'bucket' | 'key'>;
  /** What is other than expected, and no reason to lose a paid video. */
  warnings: Warning[];
}

/**
 * Copies a video from Wan to a key of its own and proves that it is whole: length and SHA-256 as they came, an MP4 whose boxes
 * end where the file ends, H.264, as long as asked for (invariant 4). A copy that fails the proof is deleted.
 * @throws WorkflowError untrustedVideoHost before anything is fetched; archiveInterrupted for everything another download may mend
 */
export async function copyAndProve(
  services: CopyServices,
  video: VideoRecord,
  videoUrl: string,
  key: string,
): Promise<Proof> {
  const { s3, bucket, fetch, now } = services;
  if (!isTrustedVideoUrl(videoUrl, services.trustedOrigins)) {
    throw new WorkflowError(
      errorNames.untrustedVideoHost,
      `Wan's link points to ${hostOf(videoUrl)}, which is not on the list.`,
    );
  }
  const copy = await streamToS3({
    s3,
    fetch,
    url: videoUrl,
    bucket,
    key,
    content_type: 'video/mp4',
    maxBytes: MAX_VIDEO_BYTES,
    signal: AbortSignal.timeout(DOWNLOAD_MILLISECONDS),
    now,
  });
  if (copy.outcome === 'checksum_mismatch') await discard(services, key, copy.version_id);
  if (copy.outcome !== 'stored') throw interrupted(describeOutcome(copy));
  const inspected = await inspectMp4({
    size: copy.bytes,
    read: (start, end) => readRange(services, { key, version_id: copy.version_id }, start, end),
  });
  const fault = faultOf(inspected, video);
  if (!inspected.ok || fault) {
    await discard(services, key, copy.version_id);
    throw interrupted(fault ?? 'unreadable');
  }
  const { duration_seconds, width, height, fps, codecs } = inspected;
  const { bytes, sha256, content_type, version_id } = copy;
  return {
    video: {
      ...(version_id ? { version_id } : {}),
      bytes,
      sha256,
      content_type,
      duration_seconds,
      width,
      height,
      fps,
      codecs,
    },
    warnings: unexpected(inspected, video),
  };
}

const interrupted = (what: string) =>
  new WorkflowError(errorNames.archiveInterrupted, `The video did not arrive whole: ${what}. It is fetched again.`);

const describeOutcome = (copy: Exclude<ArchiveOutcome, { outcome: 'stored' }>): string =>
  'cause' in copy ? `${copy.outcome} (${copy.cause})` : copy.outcome;

/** Why the file is not the video that was asked for, if so. */
function faultOf(inspected: InspectedVideo, { usage, parameters }: VideoRecord): string | undefined {
  if (!inspected.ok) return inspected.reason;
  const expected = billedSeconds(usage) ?? parameters.duration;
  if (expected === undefined) return undefined;
  const { duration_seconds } = inspected;
  const isAsLong = Math.abs(duration_seconds - expected) <= DURATION_TOLERANCE_SECONDS;
  return isAsLong ? undefined : `${duration_seconds} s long instead of ${expected} s`;
}

/** The size follows from a formula that is inferred, so a paid video never fails by it. */
function unexpected(inspected: InspectedVideo & { ok: true }, { image, parameters }: VideoRecord): Warning[] {
  const warnings: Warning[] = [];
  const { width, height, fps } = inspected;
  const expected = image && parameters.resolution ? outputSize(image, parameters.resolution) : undefined;
  if (expected && (expected.width !== width || expected.height !== height)) {
    warnings.push({
      pointer: '/parameters/resolution',
      code: 'unexpected_size',
      message: `The video has ${width} × ${height} pixels; ${expected.width} × ${expected.height} were expected.`,
    });
  }
  if (Math.abs(fps - EXPECTED_FPS) > 0.1) {
    const message = `The video has ${fps} frames a second; ${EXPECTED_FPS} were expected.`;
    warnings.push({ pointer: '', code: 'unexpected_frame_rate', message });
  }
  return warnings;
}

async function readRange(
  { s3, bucket }: CopyServices,
  object: { key: string; version_id: string | undefined },
  start: number,
  end: number,
): Promise<Uint8Array> {
  const { Body } = await s3.send(
    new GetObjectCommand({
      Bucket: bucket,
      Key: object.key,
      VersionId: object.version_id,
      Range: `bytes=${start}-${end - 1}`,
    }),
  );
  if (!Body) throw new Error('S3 answered a range without a body.');
  return Body.transformToByteArray();
}

const discard = ({ s3, bucket }: CopyServices, key: string, versionId: string | undefined) =>
  s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));

/** The host alone: the rest of the address is signed. */
const hostOf = (url: string): string => parseUrl(url)?.hostname ?? 'no address';
