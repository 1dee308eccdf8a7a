import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { gather } from './byte-source.ts';
import { causeName, type DownloadRequest, type FailedDownload, measureDownload, openDownload } from './download.ts';

export type ArchiveOutcome =
  | {
      outcome: 'stored';
      bytes: number;
      /** Hexadecimal, ours and S3's alike. */
      sha256: string;
      content_type: string;
      version_id?: string;
      etag?: string;
      elapsed_ms: number;
    }
  | FailedDownload
  /** The download ended early; nothing was stored. */
  | { outcome: 'interrupted'; retryable: true; cause: string }
  /** S3 refused the object or could not be reached. */
  | { outcome: 'store_failed'; retryable: true; cause: string }
  /** S3 does not confirm the SHA-256 of what was sent: use another key, delete this version. */
  | { outcome: 'checksum_mismatch'; retryable: true; version_id?: string };

/** `url` is already trusted: see `trustedVideoUrl`. */
type Archiving = Pick<DownloadRequest, 'fetch' | 'url' | 'maxBytes' | 'follow'> & {
  readonly s3: S3Client;
  readonly bucket: string;
  /** One that no other download has used. */
  readonly key: string;
  /** The type of the object; the type that the download declares is ignored. */
  readonly content_type: string;
  /** Metadata of the object. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly now: () => number;
};

/**
 * Copies a file from a URL into a bucket as one streamed PutObject with a SHA-256, so that memory stays flat. Compares the digest of
 * what arrived with the one that S3 computed over what it stored. A download that ends early leaves no object, because its length
 * was announced to S3 and the request is aborted. `cause` is a short name, never an address.
 *
 * A response that does not prove the length of the file is downloaded twice: the first download measures it, and the second one, which
 * is stored, must have the same length and digest.
 */
export async function streamToS3(archiving: Archiving): Promise<ArchiveOutcome> {
  const { s3, bucket, key, content_type, metadata, signal, now } = archiving;
  const startedAt = now();
  const stop = new AbortController();
  const ended = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const request = { ...archiving, signal: ended };
  let download = await openDownload(request);
  if (download.outcome !== 'open') return download;
  let measuredBefore: { bytes: number; sha256: string } | undefined;
  if (download.bytes === undefined) {
    const measured = await measureDownload(request, download);
    if (measured.outcome !== 'measured') return measured;
    measuredBefore = measured;
    download = await openDownload(request);
    if (download.outcome !== 'open') return download;
  }

  const hash = createHash('sha256');
  const progress: { bytes: number; failure?: string } = { bytes: 0 };
  async function* measured(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        progress.bytes += chunk.byteLength;
        if (progress.bytes > expected) break;
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      progress.failure = signal?.aborted ? 'aborted' : causeName(error);
    }
    if (!progress.failure && progress.bytes !== expected) progress.failure = 'unexpected_length';
    if (!progress.failure && measuredBefore && hash.copy().digest('hex') !== measuredBefore.sha256)
      progress.failure = 'unexpected_bytes';
    // A failed stream does not end the SDK's request: without this, S3 would wait for the rest.
    if (progress.failure) stop.abort();
  }
  const expected = measuredBefore?.bytes ?? download.bytes ?? 0;
  try {
    const stored = await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: Readable.from(gather(measured(download.body)), { objectMode: false }),
        ContentLength: expected,
        ContentType: content_type,
        ...(metadata ? { Metadata: { ...metadata } } : {}),
        ChecksumAlgorithm: 'SHA256',
      }),
      { abortSignal: ended },
    );
    const sha256 = hash.digest();
    const versionId = stored.VersionId ? { version_id: stored.VersionId } : {};
    if (progress.failure) return { outcome: 'interrupted', retryable: true, cause: progress.failure };
    // Some S3-compatible storage returns the digest only on request.
    const confirmed =
      stored.ChecksumSHA256 ?? (await digestOf(s3, { Bucket: bucket, Key: key, VersionId: stored.VersionId }));
    if (confirmed !== sha256.toString('base64')) return { outcome: 'checksum_mismatch', retryable: true, ...versionId };
    return {
      outcome: 'stored',
      bytes: expected,
      sha256: sha256.toString('hex'),
      content_type,
      ...versionId,
      ...(stored.ETag ? { etag: stored.ETag } : {}),
      elapsed_ms: now() - startedAt,
    };
  } catch (error) {
    stop.abort();
    if (progress.failure) return { outcome: 'interrupted', retryable: true, cause: progress.failure };
    if (signal?.aborted) return { outcome: 'interrupted', retryable: true, cause: 'aborted' };
    return { outcome: 'store_failed', retryable: true, cause: causeName(error) };
  }
}

/** Returns the SHA-256 that S3 keeps of an object, in Base64; undefined if there is none. */
async function digestOf(s3: S3Client, object: { Bucket: string; Key: string; VersionId: string | undefined }) {
  const head = new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' });
  return s3.send(head).then(
    ({ ChecksumSHA256 }) => ChecksumSHA256,
    () => undefined,
  );
}
