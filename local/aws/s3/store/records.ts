import type { ChecksumAlgorithm, StoredChecksum } from '../body/checksum.ts';

/** One rule of a bucket's CORS configuration, with the meaning S3 gives it. `*` is a wildcard, at most one per origin or header. */
export interface CorsRule {
  allowed_origins: readonly string[];
  allowed_methods: readonly string[];
  /** Headers a preflight may ask for. @default none */
  allowed_headers?: readonly string[];
  /** Response headers a page may read. @default none */
  exposed_headers?: readonly string[];
  /** How long a browser may remember the preflight's answer. @default not said */
  max_age_seconds?: number;
}

export interface BucketSettings {
  /** `true`: every version is kept. `false` after `true` suspends versioning; kept versions stay. @default false */
  versioned?: boolean;
  /** @default no cross-origin access */
  cors?: readonly CorsRule[];
}

/** A change of a bucket's content, as EventBridge would be told about it. */
export interface ObjectEvent {
  name: 'ObjectCreated' | 'ObjectDeleted';
  reason: 'PutObject' | 'POST Object' | 'CopyObject' | 'CompleteMultipartUpload' | 'DeleteObject';
  /** Only with `ObjectDeleted`: whether data went or a delete marker came. */
  deletion_type?: 'Permanently Deleted' | 'Delete Marker Created';
  bucket: string;
  key: string;
  /** Absent in a bucket that was never versioned. */
  version_id?: string;
  /** Bytes; 0 for a delete marker. */
  size: number;
  /** Without quotes; the MD5 of nothing for a delete marker, as S3 reports it. */
  etag: string;
  /** Hexadecimal, of fixed length: a later change of the same key compares greater. */
  sequencer: string;
  /** The access key id that signed the request. */
  requester?: string;
}

/** What a writer says about an object beside its bytes. */
export interface ObjectAttributes {
  /** Response headers given back as they were stored, by lower-case name: `content-type`, `cache-control`, … */
  headers: Record<string, string>;
  /** User metadata without the `x-amz-meta-` prefix, decoded. */
  metadata: Record<string, string>;
}

interface Version {
  key: string;
  /** `null` for what was written while the bucket kept no versions. */
  version_id: string;
  /** Orders all changes of this server; greater is later. */
  sequence: number;
  /** Milliseconds. */
  last_modified: number;
}

export interface StoredObject extends Version, ObjectAttributes {
  kind: 'object';
  size: number;
  /** Without quotes: the MD5, or `<MD5 of the parts' MD5s>-<number of parts>`. */
  etag: string;
  checksum: StoredChecksum;
  /** The file that holds the bytes. */
  blob: string;
}

export interface DeleteMarker extends Version {
  kind: 'marker';
}

export type ObjectVersion = StoredObject | DeleteMarker;

export interface UploadedPart {
  number: number;
  size: number;
  etag: string;
  checksum: Omit<StoredChecksum, 'type'>;
  blob: string;
}

/** A multipart upload in progress. */
export interface Upload extends ObjectAttributes {
  upload_id: string;
  key: string;
  /** What the upload was created with; absent when it named no algorithm. */
  checksum_algorithm?: ChecksumAlgorithm;
}

/** One line of a bucket's log: a change that happens wholly or not at all. */
export interface LogEntry {
  /** Added, or put in the place of the version with the same id. */
  put?: ObjectVersion;
  remove?: { key: string; version_id: string };
  upload?: Upload;
  part?: { upload_id: string; part: UploadedPart };
  /** The id of an upload that was completed or aborted. */
  end?: string;
  /** What is to be told of this change: written with it, so that no crash can part the two. */
  event?: ObjectEvent;
  /** The sequencer of an event that was told. */
  told?: string;
}
