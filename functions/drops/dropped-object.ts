import type { S3ObjectCreatedNotificationEvent } from 'aws-lambda';

/** A dropped object as EventBridge tells of it (S3 "Object Created"). */
export interface DroppedObject {
  bucket: string;
  /** As it is, not percent-encoded. */
  key: string;
  version_id?: string;
  /** Bytes. */
  size: number;
}

/** The object of an S3 "Object Created" event. EventBridge gives its key as it is; a bucket without versions gives no version. */
export function droppedObject({
  detail: { bucket, object },
}: Pick<S3ObjectCreatedNotificationEvent, 'detail'>): DroppedObject {
  const { key, size, 'version-id': version_id } = object;
  return { bucket: bucket.name, key, size, ...(version_id ? { version_id } : {}) };
}
