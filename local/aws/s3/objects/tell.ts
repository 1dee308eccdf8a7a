import type { ObjectEvent } from '../object-event.ts';
import type { Services } from '../services.ts';
import type { Bucket } from '../store/bucket.ts';

/** Tells of a committed change. Until that has settled the event stays in the bucket's log, and is told after the next start. */
export async function tell(
  { onObjectEvent }: Pick<Services, 'onObjectEvent'>,
  bucket: Bucket,
  event: ObjectEvent,
): Promise<void> {
  await onObjectEvent(event);
  bucket.markTold(event);
}
