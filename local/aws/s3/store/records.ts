import type { ChecksumAlgorithm, StoredChecksum } from '../checksum.ts';
import type { ObjectEvent } from '../object-event.ts';

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
  last_modified: number;
  blob: string;
}

/** A multipart upload in progress. */
export interface Upload extends ObjectAttributes {
  upload_id: string;
  key: string;
  initiated: number;
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
