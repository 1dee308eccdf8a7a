import type { DropDefaults } from '../shared/environment.ts';
import { deterministicId } from '../video/keys.ts';
import { newVideo } from '../video/new-video.ts';
import type { VideoRecord } from '../video/record.ts';
import { createVideo, type Table } from '../video/store.ts';
import type { Region } from '../wan/regions.ts';
import { dispatchQuietly, type QuietDispatch } from '../workflow/dispatch-quietly.ts';
import { checkDrop } from './check-drop.ts';
import { requestOf } from './settings.ts';

/** A dropped object as EventBridge tells of it (S3 "Object Created"). */
export interface DroppedObject {
  bucket: string;
  /** As it is, not percent-encoded. */
  key: string;
  version_id?: string;
  /** Bytes. */
  size: number;
}

export interface DropServices extends QuietDispatch {
  table: Table;
  defaults: DropDefaults;
  trustedOrigins: readonly string[];
  wanRegion: Region;
  /** The object's bytes (of one larger than an image may be, its head) and user metadata; undefined when that version is gone. */
  readObject: (object: DroppedObject) => Promise<{ bytes: Uint8Array; metadata: Record<string, string> } | undefined>;
}

/** What starts a video: an image by its name, in the drop folder. What it is inside is told by its bytes. */
const isImageName = (key: string): boolean => key.startsWith('drop/') && /\.(jpe?g|png|bmp|webp)$/i.test(key);

/**
 * Makes a video of an image that was dropped. One version of one object is one video, however often its event comes
 * (invariant 2); an image that can't be taken becomes a failed record that says why, so nothing is lost.
 * @returns the video, or undefined for an object that is no image by its name, or that is gone, or whose video was deleted
 */
export async function takeDrop(services: DropServices, object: DroppedObject): Promise<VideoRecord | undefined> {
  if (!isImageName(object.key)) return undefined;
  const found = await services.readObject(object);
  if (!found) return undefined;
  const creation = await createVideo(services.table, videoOf(services, object, found));
  if (creation.outcome === 'deleted') return undefined;
  const { video } = creation;
  if (video.status === 'queued') await dispatchQuietly(services, video);
  return video;
}

function videoOf(
  { table, defaults, trustedOrigins, wanRegion }: DropServices,
  object: DroppedObject,
  { bytes, metadata }: { bytes: Uint8Array; metadata: Record<string, string> },
): VideoRecord {
  const { bucket, key, version_id, size } = object;
  const stored = { bucket, key, ...(version_id ? { version_id } : {}) };
  const request = requestOf(`s3://${bucket}/${key}`, metadata, defaults);
  const { error, image, ...checked } = checkDrop(request, { bytes, size, trustedOrigins, wanRegion });
  return newVideo(
    {
      id: deterministicId('drop', bucket, key, version_id ?? ''),
      owner: defaults.owner,
      source: { type: 'drop', ...stored },
      metadata: {},
      // Nobody repeats a drop under a key of their own choice: its id already means this version.
      request_hash: '',
      ...checked,
      ...(image ? { image: { ...stored, ...image } } : {}),
    },
    table.now(),
    error,
  );
}
