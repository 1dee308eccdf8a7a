import { randomUUID } from 'node:crypto';
import { account } from '../account.ts';
import type { ObjectEvent } from '../s3/index.ts';
import { type BusEvent, busEvent } from './event.ts';

/** What S3 tells EventBridge about a change in a bucket. */
export function objectEvent(change: ObjectEvent, milliseconds: number): BusEvent {
  const created = change.name === 'ObjectCreated';
  return busEvent(
    {
      source: 'aws.s3',
      'detail-type': created ? 'Object Created' : 'Object Deleted',
      resources: [`arn:aws:s3:::${change.bucket}`],
      detail: {
        version: '0',
        bucket: { name: change.bucket },
        object: {
          key: change.key,
          ...(created ? { size: change.size } : {}),
          etag: change.etag,
          ...(change.version_id === undefined ? {} : { 'version-id': change.version_id }),
          sequencer: change.sequencer,
        },
        'request-id': randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase(),
        requester: account,
        'source-ip-address': '127.0.0.1',
        reason: change.reason,
        ...(change.deletion_type === undefined ? {} : { 'deletion-type': change.deletion_type }),
      },
    },
    milliseconds,
  );
}
