import type { S3ObjectCreatedNotificationEvent } from 'aws-lambda';
import { type DropOutcome, type DropServices, takeDrop } from './accept-drop.ts';
import { imageOfSidecar, kindOf } from './drop-key.ts';
import type { WaitedDrop } from './drop-wait.ts';
import { type DroppedObject, droppedObject } from './dropped-object.ts';

export interface DropEventServices extends DropServices {
  takeManifest: (object: DroppedObject) => Promise<void>;
}

/**
 * Sees to an object that came into the drop folder, or to an image that has waited for its sidecar. A sidecar's event is one more
 * look at its image: S3 reads what was written last, so whichever of the two comes second sees both.
 * @returns what became of the image that it is about, if there is one
 */
export async function takeEvent(
  services: DropEventServices,
  event: Pick<S3ObjectCreatedNotificationEvent, 'detail'> | WaitedDrop,
): Promise<DropOutcome | undefined> {
  if ('waited' in event) return takeDrop(services, event.object, { waited: true });
  const object = droppedObject(event);
  switch (kindOf(object.key)) {
    case 'image':
      return takeDrop(services, object);
    case 'sidecar': {
      const image = await services.findLatest({ bucket: object.bucket, key: imageOfSidecar(object.key)! });
      return image && takeDrop(services, image);
    }
    case 'manifest':
      await services.takeManifest(object);
      return undefined;
    case 'other':
      return undefined;
  }
}
