import type { Logger } from '@aws-lambda-powertools/logger';
import { DeleteObjectCommand, GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type ArchiveOutcome, streamToS3 } from '../media/copy-to-s3.ts';
import { digestDownload } from '../media/download.ts';
import { type InspectedVideo, inspectMp4 } from '../media/mp4.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { Warning } from '../shared/issues.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import type { ArchivedVideo, VideoRecord } from '../video/record.ts';
import { billedSeconds } from '../wan/client/query-task.ts';
import { outputSize } from '../wan/output-size.ts';
import { hostOfLink, type TrustedHosts, trustedVideoUrl } from '../wan/video-host.ts';

/** A 15 s video in 1080P has some 30 MB; ten times that is no video of Wan's. */
const MAX_VIDEO_BYTES = 512 * 1024 * 1024;
/** So many downloads of one file that all come out the same are what Wan has, however odd. */
const SAME_DOWNLOADS = 3;
/** Downloads that together take longer have stalled; the Lambda itself is cut off at 15 minutes, which would leave no word of why. */
const DOWNLOAD_MILLISECONDS = 10 * 60_000;
/** How far a video's length may be from what was asked for, in seconds. */
const DURATION_TOLERANCE_SECONDS = 0.5;
/** Wan's videos have 30 frames a second (facts, "The video"). */
const EXPECTED_FPS = 30;

interface CopyServices extends TrustedHosts {
  s3: S3Client;
  bucket: string;
  fetch: typeof fetch;
  now: () => number;
  recordMetric: RecordMetric;
  logger: Pick<Logger, 'error'>;
}

/** What is known of a video that lies whole in our bucket. */
export interface VerifiedVideo {
  video: Omit<ArchivedVideo, 'bucket' | 'key'>;
  /** What is other than expected, and no reason to lose a paid video. */
  warnings: Warning[];
}

/**
 * Copies a video from Wan to a key of its own and proves that it is whole: length and SHA-256 as they came, an MP4 whose boxes
 * end where the file ends, H.264, as long as asked for or billed (invariant 4). A copy that fails the proof is deleted.
 *
 * A whole MP4 of another length was paid for and can be watched: where Wan serves the same bytes again and again, it is what Wan
 * made, and is kept with a warning.
 * @throws WorkflowError untrustedVideoHost before anything is fetched; archiveInterrupted for everything another download may mend;
 * videoBroken for a file that is no whole MP4 each time
 */
export async function copyAndVerify(
  services: CopyServices,
  video: VideoRecord,
  link: string,
  key: string,
): Promise<VerifiedVideo> {
  const { s3, bucket, fetch, now } = services;
  const url = trustedVideoUrl(link, services);
  if (!url) throw untrusted(services, hostOfLink(link));
  const signal = AbortSignal.timeout(DOWNLOAD_MILLISECONDS);
  const download = { fetch, url, maxBytes: MAX_VIDEO_BYTES, signal };
  const copy = await streamToS3({ ...download, s3, bucket, key, content_type: 'video/mp4', now });
  if (copy.outcome === 'checksum_mismatch') await discard(services, key, copy.version_id);
  if (copy.outcome !== 'stored') throw interrupted(describeOutcome(copy));
  const inspected = await inspectMp4({
    size: copy.bytes,
    read: (start, end) => readRange(services, { key, version_id: copy.version_id }, start, end),
  });
  const doubt = inspected.ok ? durationMismatch(inspected.duration_seconds, video) : inspected.reason;
  const isStable = doubt !== undefined && (await isReproducible(download, copy.sha256));
  if (!inspected.ok || (doubt !== undefined && !isStable)) {
    await discard(services, key, copy.version_id);
    throw isStable ? broken(doubt) : interrupted(doubt ?? 'unreadable');
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
    warnings: unexpected(inspected, video, { isStable }),
  };
}

/** Reported at the first attempt, so that there is time to add the host to the setting before Wan deletes the video. */
function untrusted({ recordMetric, logger }: CopyServices, host: string): WorkflowError {
  recordMetric('UntrustedVideoHost', 1, { host });
  logger.error('Refused to download a video from an untrusted host', { host });
  return new WorkflowError(
    errorNames.untrustedVideoHost,
    `Wan's link points to the untrusted host ${host}. If it is Wan's, add it to the setting videoHosts and deploy.`,
  );
}

const interrupted = (what: string) =>
  new WorkflowError(errorNames.archiveInterrupted, `The video did not arrive whole: ${what}. It is fetched again.`);

const broken = (what: string) =>
  new WorkflowError(errorNames.videoBroken, `What Wan serves is no whole video: ${what}. It is fetched again.`);

/** Whether further downloads bring the very bytes that the first one did. */
async function isReproducible(download: Parameters<typeof digestDownload>[0], sha256: string): Promise<boolean> {
  for (let downloads = 1; downloads < SAME_DOWNLOADS; downloads++) {
    if ((await digestDownload(download)) !== sha256) return false;
  }
  return true;
}

const describeOutcome = (copy: Exclude<ArchiveOutcome, { outcome: 'stored' }>): string =>
  'cause' in copy ? `${copy.outcome} (${copy.cause})` : copy.outcome;

/** Why a length makes one doubt that this is the video that was made: it is neither what Wan bills nor what was asked for. */
function durationMismatch(seconds: number, video: VideoRecord): string | undefined {
  const expected = [billedSeconds(video.usage), video.parameters.duration].filter((each) => each !== undefined);
  if (expected.length === 0 || expected.some((each) => isAsLong(seconds, each))) return undefined;
  return `${seconds} s long instead of ${expected[0]} s`;
}

const isAsLong = (seconds: number, expected: number): boolean =>
  Math.abs(seconds - expected) <= DURATION_TOLERANCE_SECONDS;

/** What a paid video never fails by: the size follows from a formula that is inferred. */
function unexpected(
  inspected: InspectedVideo & { ok: true },
  { image, parameters, usage }: VideoRecord,
  { isStable }: { isStable: boolean },
): Warning[] {
  const warnings: Warning[] = [];
  const { width, height, fps, duration_seconds } = inspected;
  const { duration = duration_seconds } = parameters;
  const billed = billedSeconds(usage) ?? duration;
  if (!isAsLong(duration_seconds, duration) || !isAsLong(duration_seconds, billed)) {
    warnings.push({
      pointer: '/parameters/duration',
      code: 'unexpected_duration',
      message: `The video is ${duration_seconds} s long; ${duration} s were asked for, and Wan bills ${billed} s.${isStable ? ' This is how Wan made it: every download of it was the same.' : ''}`,
    });
  }
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
