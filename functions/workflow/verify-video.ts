import type { Logger } from '@aws-lambda-powertools/logger';
import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type ArchiveOutcome, streamToS3 } from '../media/copy-to-s3.ts';
import { type DownloadRequest, measureDownload } from '../media/download.ts';
import { type InspectedVideo, inspectMp4 } from '../media/mp4.ts';
import { type ErrorName, errorNames, WorkflowError } from '../shared/errors.ts';
import type { Warning } from '../shared/issues.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { readObjectRange } from '../shared/s3.ts';
import type { ArchivedVideo, VideoRecord } from '../video/record.ts';
import type { VideoView } from '../video/view.ts';
import { findModel } from '../wan/catalogue.ts';
import { billedSeconds, outputSeconds } from '../wan/client/query-task.ts';
import { AUTOMATIC_DURATION, outputSize } from '../wan/output.ts';
import { hostOfLink, type TrustedHosts, trustedVideoUrl } from '../wan/video-host.ts';

/** A 15 s video in 1080P has about 30 MB; a file more than ten times as large is not a video of Wan's. */
const MAX_VIDEO_BYTES = 512 * 1024 * 1024;
/** When this many downloads have the same bytes, the file is what Wan made, even if it is defective. */
const IDENTICAL_DOWNLOADS = 3;
/** The time limit of all downloads together. The Lambda's own timeout of 15 minutes would leave no error to log. */
const DOWNLOAD_MILLISECONDS = 10 * 60_000;
/** How much a video's duration may differ from the requested one, in seconds. */
const DURATION_TOLERANCE_SECONDS = 0.5;
/** Wan's videos have 30 frames per second (facts, "The video"); those of Wan 3.0, as many as its usage reports. */
const EXPECTED_FPS = 30;

interface CopyServices extends TrustedHosts {
  s3: S3Client;
  bucket: string;
  fetch: typeof fetch;
  now: () => number;
  recordMetric: RecordMetric;
  logger: Pick<Logger, 'error'>;
}

/** A complete video in our bucket. */
export interface VerifiedVideo {
  video: Omit<ArchivedVideo, 'bucket' | 'key'>;
  /** Differences from the request that do not justify losing a paid video. */
  warnings: Warning[];
}

/**
 * Copies a video from Wan to its own key and verifies that it is complete: length and SHA-256 as received, an MP4 whose boxes end
 * where the file ends, H.264, and the duration requested or billed (invariant 4). Deletes a copy that fails the verification.
 *
 * A complete MP4 of another duration was paid for and can be played. When repeated downloads have the same bytes, it is kept with a
 * warning.
 * @throws WorkflowError untrustedVideoHost for a link or redirect to such a host
 * @throws DownloadError archiveInterrupted for a failed download; videoBroken when every download has the same bytes and is not a
 * complete MP4
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
  let untrustedHost: string | undefined;
  const follow = (target: string): string | undefined => {
    const trusted = trustedVideoUrl(target, services);
    if (!trusted) untrustedHost = hostOfLink(target);
    return trusted;
  };
  const download = { fetch, url, maxBytes: MAX_VIDEO_BYTES, signal, follow };
  const copy = await streamToS3({
    ...download,
    s3,
    bucket,
    key,
    content_type: 'video/mp4',
    metadata: provenanceHeaders(video),
    now,
  });
  if (copy.outcome === 'checksum_mismatch') await discard(services, key, copy.version_id);
  if (copy.outcome === 'redirected' && untrustedHost !== undefined) throw untrusted(services, untrustedHost);
  if (copy.outcome !== 'stored') {
    const { outcome: kind, retryable } = copy;
    throw new DownloadError(errorNames.archiveInterrupted, { kind, reason: describeOutcome(copy), retryable });
  }
  const inspected = await inspectMp4({
    size: copy.bytes,
    read: (start, end) => readObjectRange(s3, { bucket, key, version_id: copy.version_id }, start, end),
  });
  const defect = inspected.ok ? durationMismatch(inspected.duration_seconds, video) : inspected.reason;
  const isStable = defect !== undefined && (await isReproducible(download, copy.sha256));
  if (!inspected.ok || (defect !== undefined && !isStable)) {
    await discard(services, key, copy.version_id);
    const kind = inspected.ok ? 'unexpected_duration' : inspected.reason;
    const name = isStable ? errorNames.videoBroken : errorNames.archiveInterrupted;
    throw new DownloadError(name, { kind, reason: defect ?? kind, retryable: !isStable });
  }
  const { duration_seconds, width, height, fps, codecs, c2pa, aigc_label } = inspected;
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
      provenance: { c2pa, aigc_label, watermark: video.parameters.watermark ?? false },
    },
    warnings: warningsFor(inspected, video, { isStable }),
  };
}

/** The metadata of the objects of a video in S3, which describe them without the table. */
export const provenanceHeaders = ({ model, task }: Pick<VideoView, 'model' | 'task'>): Record<string, string> => ({
  'ai-generated': 'true',
  model,
  ...(task ? { 'task-time': task.submit_time } : {}),
});

/** Reports the host at the first attempt, so that the operator can trust it before Wan deletes the video. */
function untrusted({ recordMetric, logger }: CopyServices, host: string): WorkflowError {
  recordMetric('UntrustedVideoHost', 1, { host });
  logger.error('Refused to download a video from an untrusted host', { host });
  return new WorkflowError(
    errorNames.untrustedVideoHost,
    `Wan's link points to the untrusted host ${host}. If it is Wan's, run: npm run catalogue -- host add ${host}`,
  );
}

/** A download that did not give a complete video. */
export class DownloadError extends WorkflowError {
  /** One of few short names, such as `partial` or `truncated`. */
  readonly kind: string;
  /** Whether another download may succeed. */
  readonly retryable: boolean;

  constructor(name: ErrorName, { kind, reason, retryable }: { kind: string; reason: string; retryable: boolean }) {
    super(name, `Wan's video could not be archived: ${reason}. The download will be repeated.`);
    this.kind = kind;
    this.retryable = retryable;
  }
}

/** Whether further downloads have the same bytes as the first one. */
async function isReproducible(download: DownloadRequest, sha256: string): Promise<boolean> {
  for (let downloads = 1; downloads < IDENTICAL_DOWNLOADS; downloads++) {
    const measured = await measureDownload(download);
    if (measured.outcome !== 'measured' || measured.sha256 !== sha256) return false;
  }
  return true;
}

const describeOutcome = (copy: Exclude<ArchiveOutcome, { outcome: 'stored' }>): string =>
  'cause' in copy ? `${copy.outcome} (${copy.cause})` : copy.outcome;

/** Describes a duration that is neither one that Wan reports nor the requested one. */
function durationMismatch(seconds: number, video: VideoRecord): string | undefined {
  const requested = requestedSeconds(video);
  const expected = [...(requested === undefined ? [] : [requested]), ...reportedSeconds(video)];
  if (expected.length === 0 || expected.some((each) => isSameDuration(seconds, each))) return undefined;
  return `${seconds} s long instead of ${expected[0]} s`;
}

const requestedSeconds = ({ parameters: { duration } }: VideoRecord): number | undefined =>
  duration === AUTOMATIC_DURATION ? undefined : duration;

/** The lengths that Wan reports: its output, and what it bills, which of a continuation is the length of the whole. */
const reportedSeconds = ({ usage }: VideoRecord): number[] =>
  [outputSeconds(usage), billedSeconds(usage)].filter((seconds) => seconds !== undefined);

const isSameDuration = (seconds: number, expected: number): boolean =>
  Math.abs(seconds - expected) <= DURATION_TOLERANCE_SECONDS;

/** Returns what differs from the request. It never fails a paid video: the expected size comes from an inferred formula. */
function warningsFor(
  inspected: InspectedVideo & { ok: true },
  video: VideoRecord,
  { isStable }: { isStable: boolean },
): Warning[] {
  const warnings: Warning[] = [];
  const { input, parameters, usage } = video;
  const { width, height, fps, duration_seconds } = inspected;
  const reported = reportedSeconds(video);
  const requested = requestedSeconds(video) ?? reported[0] ?? duration_seconds;
  const isReported = reported.length === 0 || reported.some((each) => isSameDuration(duration_seconds, each));
  if (!isSameDuration(duration_seconds, requested) || !isReported) {
    const billed = billedSeconds(usage) ?? requested;
    warnings.push({
      pointer: '/parameters/duration',
      code: 'unexpected_duration',
      message: `The video is ${duration_seconds} s long; ${requested} s were requested, and Wan bills ${billed} s.${isStable ? ' Wan made it so: every download had the same bytes.' : ''}`,
    });
  }
  const model = findModel(video.family ?? video.model);
  const frame = input.media.find(({ type }) => type === 'first_frame')?.file;
  const expected =
    model?.known_output_size && frame?.width && frame.height && parameters.resolution
      ? outputSize({ width: frame.width, height: frame.height }, parameters.resolution)
      : undefined;
  if (expected && (expected.width !== width || expected.height !== height)) {
    warnings.push({
      pointer: '/parameters/resolution',
      code: 'unexpected_size',
      message: `The video has ${width} × ${height} pixels; ${expected.width} × ${expected.height} were expected.`,
    });
  }
  const expectedFps = usage?.fps ?? (model?.usage_family === 'wan3.0' ? fps : EXPECTED_FPS);
  if (Math.abs(fps - expectedFps) > 0.1) {
    const message = `The video has ${fps} frames per second; ${expectedFps} were expected.`;
    warnings.push({ pointer: '', code: 'unexpected_frame_rate', message });
  }
  return warnings;
}

const discard = ({ s3, bucket }: CopyServices, key: string, versionId: string | undefined) =>
  s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
