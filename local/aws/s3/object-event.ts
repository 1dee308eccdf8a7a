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
