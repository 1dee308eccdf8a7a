import type { RotatedImages } from '../media/image.ts';
import { type SafeDispatch, tryDispatch } from '../queue/dispatch.ts';
import type { DropDefaults, DropRules } from '../shared/environment.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { isTombstone } from '../video/deletion.ts';
import { deterministicId } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { createVideo, fromItem, newVideo } from '../video/store.ts';
import { readItem, type Table } from '../video/table.ts';
import type { Region } from '../wan/regions.ts';
import { checkDrop, isOfUse } from './check-drop.ts';
import { ownerOf, topFolder } from './drop-key.ts';
import type { DroppedObject } from './dropped-object.ts';
import {
  type GatheredSettings,
  gatherSettings,
  hasPromptOrTemplate,
  mergeSettings,
  type ReadFile,
} from './settings.ts';
import type { SettingsIssue } from './settings-file.ts';

export interface DropServices extends SafeDispatch {
  table: Table;
  defaults: DropDefaults;
  rules: DropRules;
  trustedOrigins: readonly string[];
  /** @default `accept` */
  rotatedImages?: RotatedImages;
  wanRegion: Region;
  /** The latest version of an object; undefined for one that is not there, or was deleted. */
  findLatest: (object: { bucket: string; key: string }) => Promise<DroppedObject | undefined>;
  /** The object's bytes (of one larger than an image may be, its head) and user metadata; undefined when that version is gone. */
  readObject: (object: DroppedObject) => Promise<{ bytes: Uint8Array; metadata: Record<string, string> } | undefined>;
  readFile: ReadFile;
  /** Has the image taken as one that `waited` when its time is over: once each time it is called. */
  startWait: (object: DroppedObject) => Promise<void>;
  recordMetric: RecordMetric;
}

/**
 * What became of a drop. `standing`: its video was there before. `waiting`: for its sidecar; after a while it is taken without one,
 * unless its folder requires one. `gone`: the image was deleted before it was taken. `deleted`: its video was.
 */
export type DropOutcome =
  | { outcome: 'created' | 'existing'; id: string; video: VideoRecord }
  | { outcome: 'waiting' | 'gone' | 'deleted'; id: string };

/** The id of the video of one version of one object. */
const dropId = ({ bucket, key, version_id }: Omit<DroppedObject, 'size'>): string =>
  deterministicId('drop', bucket, key, version_id ?? '');

/**
 * Makes a video of an image that was dropped. One version of one object is one video, however often, in whatever order and for
 * whatever reason it is looked at: for its own event, for its sidecar's, or since it waited long enough (invariant 2). An image
 * that can't be taken becomes a failed record that says why, so nothing is lost.
 * @param waited whether its time to wait for a sidecar is over
 */
export async function acceptDrop(
  services: DropServices,
  object: DroppedObject,
  { waited = false } = {},
): Promise<DropOutcome> {
  const id = dropId(object);
  const item = await readItem(services.table, id);
  if (item) return isTombstone(item) ? { outcome: 'deleted', id } : meet(services, fromItem(item));

  // A version can still be read when its object was deleted; but who deletes an image no longer wants its video.
  const found = (await services.findLatest(object)) && (await services.readObject(object));
  if (!found) return { outcome: 'gone', id };
  const gathered = await gatherSettings(services, object, found.metadata);
  const owner = ownerOf(object.key, services.rules, services.defaults);
  if (owner !== undefined && sidecarMayHelp(gathered) && isOfUse(found.bytes, object.size, services.rotatedImages)) {
    if (gathered.sidecarRequired) return { outcome: 'waiting', id };
    if (!waited && services.rules.sidecar_seconds > 0 && !hasPromptOrTemplate(gathered.levels.metadata)) {
      await services.startWait(object);
      return { outcome: 'waiting', id };
    }
  }

  const issues = [...(owner === undefined ? [noOwner(object.key)] : []), ...gathered.issues];
  const video = videoOf(services, object, { ...found, gathered, issues, owner: owner ?? services.defaults.owner });
  const creation = await createVideo(services.table, video);
  if (creation.outcome === 'deleted') return { outcome: 'deleted', id };
  if (creation.outcome === 'existing') return meet(services, creation.video);
  if (video.status === 'queued') {
    services.recordMetric('Submitted', 1, { model: video.model, source: 'drop' });
    await tryDispatch(services, video);
  }
  return { outcome: 'created', id, video };
}

/** A video that stands already. Whoever meets a waiting one has it dispatched, so a crash between record and start heals. */
async function meet(services: SafeDispatch, video: VideoRecord): Promise<DropOutcome> {
  if (video.status === 'queued') await tryDispatch(services, video);
  return { outcome: 'existing', id: video.id, video };
}

/** Whether a sidecar is missing and would be of use: none mends the folder's broken defaults. */
const sidecarMayHelp = ({ sidecar_key, issues }: GatheredSettings): boolean =>
  sidecar_key === undefined && issues.length === 0;

function noOwner(key: string): SettingsIssue {
  return {
    place: `the name of the folder drop/${topFolder(key)}/`,
    pointer: '',
    code: 'folder_names_no_owner',
    message:
      'Here the top folder names the owner: 1 to 64 of A-Z a-z 0-9 . _ @ -, more than dots, and not __proto__. Rename it.',
  };
}

function videoOf(
  services: DropServices,
  object: DroppedObject,
  given: {
    bytes: Uint8Array;
    gathered: GatheredSettings;
    issues: readonly SettingsIssue[];
    owner: string;
  },
): VideoRecord {
  const { bucket, key, version_id, size } = object;
  const { gathered, issues, bytes, owner } = given;
  const stored = { bucket, key, ...(version_id ? { version_id } : {}) };
  const merged = mergeSettings(`s3://${bucket}/${key}`, gathered.levels);
  const { places, defaults_key } = gathered;
  const { error, image, ...checked } = checkDrop({ merged, places, issues, bytes, size }, services);
  return newVideo(
    {
      id: dropId(object),
      owner,
      source: { type: 'drop', ...stored, settings: merged.settings, ...(defaults_key ? { defaults_key } : {}) },
      // Nobody repeats a drop under a key of their own choice: its id already means this version.
      request_hash: '',
      ...checked,
      ...(image ? { image: { ...stored, ...image } } : {}),
    },
    services.table.now(),
    error,
  );
}
