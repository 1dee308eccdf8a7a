import type { ChecksumAlgorithm, StoredChecksum } from '../body/checksum.ts';

/** One rule of a bucket's CORS configuration, as in S3. `*` is a wildcard, at most one per origin or header. */
export interface CorsRule {
  allowed_origins: readonly string[];
  allowed_methods: readonly string[];
  /** Headers that a preflight may request. @default none */
  allowed_headers?: readonly string[];
  /** Response headers that a page may read. @default none */
  exposed_headers?: readonly string[];
  /** How long a browser may cache the preflight response. @default not sent */
  max_age_seconds?: number;
}

export interface BucketSettings {
  /**
   * `true` keeps every version. `false` after `true` suspends versioning; existing versions are kept. @default false
   */
  versioned?: boolean;
  /** @default no cross-origin access */
  cors?: readonly CorsRule[];
}

/** A change of an object, as S3 reports it to EventBridge. */
export interface ObjectEvent {
  name: 'ObjectCreated' | 'ObjectDeleted';
  reason: 'PutObject' | 'POST Object' | 'CopyObject' | 'CompleteMultipartUpload' | 'DeleteObject';
  /** Only with `ObjectDeleted`. */
  deletion_type?: 'Permanently Deleted' | 'Delete Marker Created';
  bucket: string;
  key: string;
  /** Undefined in a bucket that was never versioned. */
  version_id?: string;
  /** Bytes; 0 for a delete marker. */
  size: number;
  /** Without quotes. The MD5 of no bytes for a delete marker, as in S3. */
  etag: string;
  /** Hexadecimal with a fixed length. A later change of the same key compares greater. */
  sequencer: string;
  /** The access key id of the request. */
  requester?: string;
}

/** The attributes that a request sets on an object. */
export interface ObjectAttributes {
  /** Response headers that are returned as stored, by lower-case name: `content-type`, `cache-control`, … */
  headers: Record<string, string>;
  /** User metadata without the `x-amz-meta-` prefix, decoded. */
  metadata: Record<string, string>;
}

interface Version {
  key: string;
  /** `null` for a version that was written to an unversioned bucket. */
  version_id: string;
  /** Orders all changes of this server. Greater is later. */
  sequence: number;
  /** Milliseconds since 1970. */
  last_modified: number;
}

export interface StoredObject extends Version, ObjectAttributes {
  kind: 'object';
  size: number;
  /** Without quotes: the MD5, or `<MD5 of the parts' MD5s>-<number of parts>`. */
  etag: string;
  checksum: StoredChecksum;
  /** The file with the bytes. */
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
  /** The algorithm that the upload was created with. Undefined if it named none. */
  checksum_algorithm?: ChecksumAlgorithm;
}

/** One line of a bucket's log: an atomic change. */
export interface LogEntry {
  /** Adds a version, or replaces the one with the same id. */
  put?: ObjectVersion;
  remove?: { key: string; version_id: string };
  upload?: Upload;
  part?: { upload_id: string; part: UploadedPart };
  /** The id of an upload that was completed or aborted. */
  end?: string;
  /** The event of this change, on the same line, so that a crash cannot separate the two. */
  event?: ObjectEvent;
  /** The sequencer of an event that was published. */
  published?: string;
}
