import { randomUUID } from 'node:crypto';
import type { DropServices } from '../../../functions/drops/accept-drop.ts';
import { type DropEventServices, handleDropEvent } from '../../../functions/drops/drop-event.ts';
import { type DroppedObject, type ObjectCreated, objectCreated } from '../../../functions/drops/dropped-object.ts';
import { listVideos } from '../../../functions/video/list.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import type { Table } from '../../../functions/video/table.ts';
import eventOfS3 from '../../fixtures/events/object-created.json' with { type: 'json' };
import { aDeployment } from '../../support/videos.ts';
import { png } from '../media/support.ts';

export const imageBytes = png(400, 380);
export const bucket = 'firstframe-uploads';

interface Stored {
  version_id: string;
  bytes: Uint8Array;
  metadata: Record<string, string>;
  content_type: string;
  /** Milliseconds since 1970. */
  written: number;
}

/** A drop folder with versions and the services that handle its events, over a real table. No wait ends by itself. */
export function aDropFolder(
  table: Table,
  given: Partial<Pick<DropServices, 'rules' | 'defaults' | 'rotatedImages' | 'deployment'>> = {},
) {
  const versions = new Map<string, Stored[]>();
  const deleted = new Set<string>();
  const dispatched: string[] = [];
  const undispatched: string[] = [];
  const measured: unknown[] = [];
  const manifests: DroppedObject[] = [];
  const waits: DroppedObject[] = [];
  /** Ids of the videos whose results were written again. */
  const written: string[] = [];
  /** Results of uploads that have no record. */
  const outcomes: object[] = [];
  /** Seconds of each wait. */
  const delays: number[] = [];
  /** Keys of images whose bytes were read. */
  const read: string[] = [];
  const latest = (key: string): Stored | undefined => (deleted.has(key) ? undefined : versions.get(key)?.at(-1));

  const services: DropEventServices = {
    table,
    defaults: { owner: `drops-${randomUUID()}`, model: 'wan2.2-i2v-flash', prompt: 'It comes to life.' },
    rules: { sidecar_seconds: 10, owners: 'one' },
    trustedOrigins: [],
    deployment: aDeployment(),
    findLatest: async ({ bucket, key }) => {
      const found = latest(key);
      return found && { bucket, key, version_id: found.version_id, size: found.bytes.byteLength, last_modified: 1 };
    },
    readObject: async ({ key, version_id }) => {
      read.push(key);
      return versions.get(key)?.find((version) => version.version_id === version_id);
    },
    readFile: async ({ key }) => latest(key)?.bytes,
    async listFiles({ prefix }) {
      const keys = [...versions.keys()].filter((key) => {
        return key.startsWith(prefix) && !key.slice(prefix.length).includes('/') && latest(key) !== undefined;
      });
      return { files: keys.sort().map((key) => ({ key, written: latest(key)!.written })), isTruncated: false };
    },
    async startWait(object, seconds) {
      waits.push(object);
      delays.push(seconds);
    },
    storeClip: async (planned) => planned,
    writeResult: async ({ id }) => void written.push(id),
    writeOutcome: async ({ version_id }, at, result) => void outcomes.push({ version_id, at, ...result }),
    acceptManifest: async (object) => void manifests.push(object),
    dispatch: async ({ id }) => void dispatched.push(id),
    onDispatchError: ({ id }) => void undispatched.push(id),
    recordMetric: (...figure) => void measured.push(figure),
    ...given,
  };

  /** Puts an object and gives the event that EventBridge makes of it. */
  function put(
    key: string,
    body: Uint8Array | string | object = imageBytes,
    metadata: Record<string, string> = {},
    { content_type = '', written = 0 } = {},
  ): ObjectCreated {
    const bytes =
      body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const version_id = randomUUID();
    versions.set(key, [...(versions.get(key) ?? []), { version_id, bytes, metadata, content_type, written }]);
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
    undelete: (key: string) => void deleted.delete(key),
    wakeUp: () => Promise.all(waits.map(takeWaited)),
    videos: async () => (await listVideos(table, { owner: services.defaults.owner, limit: 100 })).videos,
    dispatched,
    undispatched,
    measured,
    manifests,
    waits,
    written,
    outcomes,
    delays,
    read,
  };
}
