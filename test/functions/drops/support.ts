import { randomUUID } from 'node:crypto';
import type { DropServices } from '../../../functions/drops/accept-drop.ts';
import { type DropEventServices, handleDropEvent } from '../../../functions/drops/drop-event.ts';
import { type DroppedObject, type ObjectCreated, objectCreated } from '../../../functions/drops/dropped-object.ts';
import { listVideos } from '../../../functions/video/list.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import type { Table } from '../../../functions/video/table.ts';
import eventOfS3 from '../../fixtures/events/object-created.json' with { type: 'json' };
import { png } from '../media/support.ts';

export const picture = png(400, 380);
export const bucket = 'firstframe-uploads';

interface Stored {
  version_id: string;
  bytes: Uint8Array;
  metadata: Record<string, string>;
}

/** A drop folder with versions, and everybody whom its events concern, over a real table; no waiting ends by itself. */
export function aDropFolder(
  table: Table,
  given: Partial<Pick<DropServices, 'rules' | 'defaults' | 'rotatedImages'>> = {},
) {
  const versions = new Map<string, Stored[]>();
  const deleted = new Set<string>();
  const dispatched: string[] = [];
  const undispatched: string[] = [];
  const measured: unknown[] = [];
  const manifests: DroppedObject[] = [];
  const waits: DroppedObject[] = [];
  /** Keys of images whose bytes were read. */
  const read: string[] = [];
  const latest = (key: string): Stored | undefined => (deleted.has(key) ? undefined : versions.get(key)?.at(-1));

  const services: DropEventServices = {
    table,
    defaults: { owner: `drops-${randomUUID()}`, model: 'wan2.2-i2v-flash', prompt: 'It comes to life.' },
    rules: { sidecar_seconds: 10, owners: 'one' },
    trustedOrigins: [],
    wanRegion: 'singapore',
    findLatest: async ({ bucket, key }) => {
      const found = latest(key);
      return found && { bucket, key, version_id: found.version_id, size: found.bytes.byteLength };
    },
    readObject: async ({ key, version_id }) => {
      read.push(key);
      return versions.get(key)?.find((version) => version.version_id === version_id);
    },
    readFile: async ({ key }) => latest(key)?.bytes,
    startWait: async (object) => void waits.push(object),
    acceptManifest: async (object) => void manifests.push(object),
    dispatch: async ({ id }) => void dispatched.push(id),
    onDispatchError: ({ id }) => void undispatched.push(id),
    recordMetric: (...figure) => void measured.push(figure),
    ...given,
  };

  /** Puts an object and gives the event that EventBridge makes of it. */
  function put(
    key: string,
    body: Uint8Array | string | object = picture,
    metadata: Record<string, string> = {},
  ): ObjectCreated {
    const bytes =
      body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const version_id = randomUUID();
    versions.set(key, [...(versions.get(key) ?? []), { version_id, bytes, metadata }]);
    deleted.delete(key);
    const { detail } = eventOfS3;
    const object = { ...detail.object, key, size: bytes.byteLength, 'version-id': version_id };
    return { detail: { ...detail, object } };
  }

  const take = (event: ObjectCreated) => handleDropEvent(services, event);
  const takeWaited = (object: DroppedObject) => handleDropEvent(services, objectCreated(object), { waited: true });
  return {
    services,
    put,
    take,
    takeWaited,
    drop: (...given: Parameters<typeof put>) => take(put(...given)),
    /** The image's own event and, if it has to wait, what comes when its time is over. */
    async taken(...given: Parameters<typeof put>): Promise<VideoRecord | undefined> {
      const first = await take(put(...given));
      const waiting = first?.outcome === 'waiting' ? waits.findLast(({ key }) => key === given[0]) : undefined;
      const last = waiting ? await takeWaited(waiting) : first;
      return last && 'video' in last ? last.video : undefined;
    },
    /** As S3 does where there are versions: all of them can still be read. */
    delete: (key: string) => void deleted.add(key),
    wakeUp: () => Promise.all(waits.map(takeWaited)),
    videos: async () => (await listVideos(table, { owner: services.defaults.owner, limit: 100 })).videos,
    dispatched,
    undispatched,
    measured,
    manifests,
    waits,
    read,
  };
}
