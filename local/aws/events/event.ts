import { randomUUID } from 'node:crypto';
import { account, region } from '../account.ts';
import type { ObjectEvent } from '../s3/s3.ts';
import type { StatusChangeDetail } from '../step-functions/step-functions.ts';

/** An event in the format that EventBridge delivers. */
export interface BusEvent {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** ISO 8601, whole seconds. */
  time: string;
  region: string;
  resources: string[];
  detail: unknown;
}

/** @param time milliseconds since 1970 */
export function busEvent(
  fields: Pick<BusEvent, 'source' | 'detail-type' | 'detail' | 'resources'>,
  time: number,
): BusEvent {
  const isoTime = new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
  return { version: '0', id: randomUUID(), account, region, time: isoTime, ...fields };
}

/** The event that S3 sends to EventBridge when an object changes. */
export function objectEvent(change: ObjectEvent, time: number): BusEvent {
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
    time,
  );
}

/** The event that Step Functions sends to EventBridge when an execution starts or ends. */
export function statusChangeEvent(detail: StatusChangeDetail, time: number): BusEvent {
  const detailType = 'Step Functions Execution Status Change';
  return busEvent({ source: 'aws.states', 'detail-type': detailType, resources: [detail.executionArn], detail }, time);
}
