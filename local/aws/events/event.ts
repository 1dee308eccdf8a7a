import { randomUUID } from 'node:crypto';
import { account, region } from '../account.ts';

/** An event as EventBridge delivers it. */
export interface BusEvent {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** ISO 8601 in whole seconds. */
  time: string;
  region: string;
  resources: string[];
  detail: unknown;
}

export function busEvent(
  given: Pick<BusEvent, 'source' | 'detail-type' | 'detail' | 'resources'>,
  milliseconds: number,
): BusEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': given['detail-type'],
    source: given.source,
    account,
    time: new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: given.resources,
    detail: given.detail,
  };
}
