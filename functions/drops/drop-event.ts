import type { SQSEvent } from 'aws-lambda';
import { acceptDrop, type DropServices } from './accept-drop.ts';
import { markHandled } from './drop-item.ts';
import { imageOfSidecar, kindOf } from './drop-key.ts';
import type { DropOutcome } from './drop-outcome.ts';
import { type DroppedObject, droppedObject, type ObjectCreated } from './dropped-object.ts';

export interface DropEventServices extends DropServices {
  acceptManifest: (object: DroppedObject) => Promise<void>;
}

/** What invokes the drop function: EventBridge, or the queue of images that wait for their sidecars. */
export type DropInvocation = ObjectCreated | { Records: readonly Pick<SQSEvent['Records'][number], 'body'>[] };

/** The events in an invocation. Should one of several messages fail, all are delivered again, which is harmless. */
export function eventsOf(invocation: DropInvocation): { event: ObjectCreated; waited: boolean }[] {
  if (!('Records' in invocation)) return [{ event: invocation, waited: false }];
  return invocation.Records.map(({ body }) => ({ event: JSON.parse(body) as ObjectCreated, waited: true }));
}

/**
 * Sees to an object that came into the drop folder. A sidecar's event is one more look at its image: S3 reads what was written last,
 * so whichever of the two comes second sees both.
 * @param waited whether it is an image whose time to wait for a sidecar is over
 * @returns what became of the image that it is about, if there is one
 */
export async function handleDropEvent(
  services: DropEventServices,
  event: ObjectCreated,
  { waited = false } = {},
): Promise<DropOutcome | undefined> {
  const object = droppedObject(event);
  const kind = kindOf(object.key);
  if (kind === 'other') return undefined;
  const outcome = await handle(services, object, waited);
  const latest = await services.findLatest(object);
  if (latest?.last_modified !== undefined && latest.version_id === object.version_id)
    await markHandled(services.table, object, latest.last_modified);
  return outcome;
}

async function handle(
  services: DropEventServices,
  object: DroppedObject,
  waited: boolean,
): Promise<DropOutcome | undefined> {
  const { bucket, key } = object;
  switch (kindOf(key)) {
    case 'image':
      return acceptDrop(services, object, { waited });
    case 'sidecar': {
      const image = await services.findLatest({ bucket, key: imageOfSidecar(key)! });
      return image && acceptDrop(services, image, { sidecar: object });
    }
    case 'manifest':
      await services.acceptManifest(object);
      return undefined;
    case 'other':
      return undefined;
  }
}
