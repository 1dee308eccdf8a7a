import type { StatusChangeDetail } from '../step-functions/step-functions.ts';
import { type BusEvent, busEvent } from './event.ts';

/** What Step Functions tells EventBridge about an execution. */
export function statusChangeEvent(detail: StatusChangeDetail, milliseconds: number): BusEvent {
  return busEvent(
    {
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      resources: [detail.executionArn],
      detail,
    },
    milliseconds,
  );
}
