import type { SQSEvent } from 'aws-lambda';
import { fileKind } from '../media/file-kind.ts';
import { UnreadableObject } from '../shared/s3.ts';
import { acceptDrop, type DropServices, type Trigger } from './accept-drop.ts';
import { markHandled } from './drop-identity.ts';
import { kindOf } from './drop-key.ts';
import { type DropOutcome, misnamedResult, unreadableResult } from './drop-outcome.ts';
import { type DroppedObject, droppedObject, findImageOf, type ObjectCreated } from './dropped-object.ts';

export interface DropEventServices extends DropServices {
  acceptManifest: (object: DroppedObject) => Promise<void>;
}

/** What invokes the drop function: EventBridge, or the queue of images that wait for their sidecars. */
export type DropInvocation = ObjectCreated | { Records: readonly Pick<SQSEvent['Records'][number], 'body'>[] };

/** Returns the events of an invocation. When one of several messages fails, all are delivered again, which is harmless. */
export function eventsOf(invocation: DropInvocation): { event: ObjectCreated; waited: boolean }[] {
  if (!('Records' in invocation)) return [{ event: invocation, waited: false }];
  return invocation.Records.map(({ body }) => ({ event: JSON.parse(body) as ObjectCreated, waited: true }));
}

/**
 * Handles an object that was put into the drop folder, and records that, so that the sweep does not take its event for lost. A
 * sidecar's or a last frame's event handles its image again: S3 reads are strongly consistent, so the later of the two events finds both.
 * @param waited whether it is an image whose wait is over
 * @returns the outcome of the image that the event is about, if there is one
 */
export async function handleDropEvent(
  services: DropEventServices,
  event: ObjectCreated,
  { waited = false } = {},
): Promise<DropOutcome | undefined> {
  const object = droppedObject(event);
  if (kindOf(object.key) === 'other') return undefined;
  const outcome = await handle(services, object, waited);
  // An object that S3 does not return is not marked: the sweep finds its result.
  const latest = await services.findLatest(object).catch(ignoreUnreadable);
  if (latest?.last_modified !== undefined && latest.version_id === object.version_id)
    await markHandled(services.table, object, latest.last_modified);
  return outcome;
}

function ignoreUnreadable(error: unknown): undefined {
  if (!(error instanceof UnreadableObject)) throw error;
}

async function handle(
  services: DropEventServices,
  object: DroppedObject,
  waited: boolean,
): Promise<DropOutcome | undefined> {
  const writeOutcome = (result: object) =>
    services.writeOutcome(object, new Date(services.table.now()).toISOString(), result);
  switch (kindOf(object.key)) {
    case 'image':
    case 'unnamed':
      return acceptImage(services, object, { waited });
    case 'sidecar':
    case 'last_frame': {
      const image = await findImageOf(object, services.findLatest);
      return image && acceptImage(services, image, { sidecar: object });
    }
    case 'manifest':
      await services.acceptManifest(object).catch(async (error: unknown) => {
        if (!(error instanceof UnreadableObject)) throw error;
        await writeOutcome(unreadableResult(error));
      });
      return undefined;
    case 'misnamed_manifest':
      await writeOutcome(misnamedResult());
      return undefined;
    case 'other':
      return undefined;
  }
}

/** Accepts an image; a file without an ending only if its content type or its bytes say that it is one. */
async function acceptImage(
  services: DropEventServices,
  object: DroppedObject,
  trigger: Trigger,
): Promise<DropOutcome | undefined> {
  if (kindOf(object.key) === 'unnamed' && !(await isImage(services, object))) return undefined;
  return acceptDrop(services, object, trigger);
}

/** Kinds of images that Wan does not read: their result has a way to convert them. */
const otherImages: ReadonlySet<string> = new Set(['cgbi', 'gif', 'heic', 'avif', 'tif', 'jxl', 'jp2', 'psd']);

async function isImage({ readObject }: DropEventServices, object: DroppedObject): Promise<boolean> {
  if (object.size === 0) return false;
  try {
    const read = await readObject(object);
    const kind = read && fileKind(read.bytes);
    return [kind, read?.content_type].some((type) => type?.startsWith('image/')) || otherImages.has(kind ?? '');
  } catch (error) {
    if (error instanceof UnreadableObject) return false;
    throw error;
  }
}
