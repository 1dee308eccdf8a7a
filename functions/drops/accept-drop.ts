import { type SafeDispatch, tryDispatch } from '../queue/dispatch.ts';
import { releaseResources } from '../queue/release.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { UnreadableObject } from '../shared/s3.ts';
import { failedUnbilled, requeueVideo } from '../submissions/restart.ts';
import { isTombstone, type Tombstone } from '../video/deletion.ts';
import { isTerminal, type VideoRecord } from '../video/record.ts';
import { changeVideo, createVideo, fromItem, readVideo } from '../video/store.ts';
import { readItem, type Table } from '../video/table.ts';
import { mayBeCutOff } from './cut-off-image.ts';
import { type Claim, contentOf, type DropItem, readDropItem, writeClaims } from './drop-identity.ts';
import { ownerOf } from './drop-key.ts';
import { type DropOutcome, deletedResult, unreadableResult } from './drop-outcome.ts';
import type { DroppedObject } from './dropped-object.ts';
import { type DropToPlan, type PlanServices, planVideo } from './plan-video.ts';
import { SETTLE_SECONDS } from './settings.ts';

export interface DropServices extends SafeDispatch, PlanServices {
  table: Table;
  /** Sends the image to this function again after a delay, as one that `waited`. */
  startWait: (object: DroppedObject, seconds: number) => Promise<void>;
  /** Writes the result of an ended video next to its image. */
  writeResult: (video: VideoRecord) => Promise<void>;
  /** Writes the result of an upload that has no record. @param at orders the results of one version: ISO 8601 UTC */
  writeOutcome: (object: DroppedObject, at: string, result: object) => Promise<void>;
  recordMetric: RecordMetric;
  /** Copies the clip that a video continues to its inputs. */
  storeClip: (planned: VideoRecord) => Promise<VideoRecord>;
}

/** Why an image is accepted, when not for its own event. */
export interface Trigger {
  /** Its wait is over. */
  waited?: boolean;
  /** This sidecar was uploaded. */
  sidecar?: DroppedObject;
}

interface Drop extends DropToPlan, Trigger {
  isLatest: boolean;
}

/** How often an acceptance that other events of the same image overtake is tried. */
const ATTEMPTS = 20;

/**
 * Creates the video of an uploaded image, unless a video of the same bytes and settings exists under this key (invariant 2). An image
 * that cannot be used becomes a failed record with the reason, so nothing is lost.
 *
 * Each upload is decided once: its claim on a video is written to the item of its content before that video is created or restarted, so
 * a repeated event follows the claim, even if the settings have changed. The upload of a sidecar alone asks for a video only where none
 * exists, or the last one failed without being billed.
 */
export async function acceptDrop(
  services: DropServices,
  object: DroppedObject,
  trigger: Trigger = {},
): Promise<DropOutcome> {
  try {
    // A version can still be read after its object was deleted; but a user who deletes an image no longer wants its video.
    const latest = await services.findLatest(object);
    const found = latest && (await services.readObject(object));
    if (!found) return { outcome: 'gone' };
    const isLatest = latest.version_id === object.version_id;
    // A drop of a folder that names no owner is a failed record of the default owner.
    const owner = ownerOf(object.key, services.rules, services.defaults) ?? services.defaults.owner;
    const drop: Drop = { ...trigger, ...found, object, isLatest, content: contentOf(object, owner, found.bytes) };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const outcome = await attemptDrop(services, drop);
      if (outcome) return outcome;
    }
    throw new Error('A drop could not be accepted: other events of it kept changing its item.');
  } catch (error) {
    if (!(error instanceof UnreadableObject)) throw error;
    await services.writeOutcome(object, new Date(services.table.now()).toISOString(), unreadableResult(error));
    return { outcome: 'unreadable' };
  }
}

/** @returns undefined when another event of the image was decided meanwhile */
async function attemptDrop(services: DropServices, drop: Drop): Promise<DropOutcome | undefined> {
  const { table } = services;
  const { object, sidecar } = drop;
  const item = await readDropItem(table, drop.content);
  if (!item && mayBeCutOff(drop.bytes, object.size)) {
    if (!drop.waited) return wait(services, object, CUT_OFF_SECONDS);
    if (!drop.isLatest) return { outcome: 'superseded' };
  }

  const own = claimOf(item, sidecar ?? object);
  const claim = own ?? (sidecar && item?.claims.at(-1));
  const decided = claim && (await readDecided(table, claim));
  if (decided && (own || !mayRestart(table, decided))) return conclude(services, object, decided);
  if (claim && !own && !decided && !isStale(table, claim)) return { outcome: 'claimed' };

  const planned = await planVideo(services, drop);
  if (planned === 'wait') return wait(services, object);
  if (planned === 'wait_for_settings') {
    await services.startWait(object, SETTLE_SECONDS);
    return { outcome: 'waiting' };
  }
  if (planned === 'wait_for_sidecar') return { outcome: 'waiting' };
  if (own?.id === planned.id) return finish(services, drop, own, planned);
  if (own && !isStale(table, own)) {
    throw new Error('The settings of a drop changed while another process was creating its video.');
  }
  const written = await claimVideo(table, drop, item, planned.id);
  return written && finish(services, drop, written, planned);
}

/** How long an image that may be cut off waits for the rest of its bytes. */
const CUT_OFF_SECONDS = 10;

async function wait({ startWait, rules }: DropServices, object: DroppedObject, seconds = 0): Promise<DropOutcome> {
  await startWait(object, Math.max(seconds, rules.sidecar_seconds));
  return { outcome: 'waiting' };
}

/** In a bucket without versions every event counts as an upload of its own. */
const claimOf = (item: DropItem | undefined, { version_id }: DroppedObject): Claim | undefined =>
  version_id === 'null' ? undefined : item?.claims.find(({ upload }) => upload === version_id);

/** A record or a tombstone. */
type Stored = { video: VideoRecord } | { tombstone: Tombstone };

async function readStored(table: Table, id: string): Promise<Stored | undefined> {
  const item = await readItem(table, id);
  return item && (isTombstone(item) ? item : { video: fromItem(item) });
}

/** What a claim led to; undefined while its video is not yet created or restarted. */
async function readDecided(table: Table, { id, restarts }: Claim): Promise<Stored | undefined> {
  const stored = await readStored(table, id);
  return stored && 'video' in stored && stored.video.updated_at === restarts ? undefined : stored;
}

const mayRestart = (table: Table, stored: Stored): boolean =>
  'video' in stored && failedUnbilled(stored.video, table.now());

/**
 * After this time no process can still be following a claim: it makes at most seven calls to the table, and the client of the drop
 * function gives each at most three attempts of 7 s.
 */
const STALE_SECONDS = 150;

const isStale = (table: Table, { at }: Claim): boolean => table.now() - Date.parse(at) > STALE_SECONDS * 1000;

/** @returns undefined when the item has changed since it was read */
async function claimVideo(
  table: Table,
  { content, object, sidecar }: Drop,
  item: DropItem | undefined,
  id: string,
): Promise<Claim | undefined> {
  const stored = await readStored(table, id);
  const at = new Date(table.now()).toISOString();
  const claim: Claim = {
    upload: (sidecar ?? object).version_id ?? '',
    id,
    at,
    ...(stored && 'video' in stored && mayRestart(table, stored) ? { restarts: stored.video.updated_at } : {}),
  };
  // The image's own event may come after its sidecar's, and find other settings by then.
  const ofImage = sidecar && !claimOf(item, object) ? [{ upload: object.version_id ?? '', id, at }] : [];
  return (await writeClaims(table, content, item, [...ofImage, claim])) ? claim : undefined;
}

/** Creates or restarts the video of a claim. Repeating it changes nothing. */
async function finish(
  services: DropServices,
  { object }: Drop,
  { restarts }: Claim,
  requested: VideoRecord,
): Promise<DropOutcome> {
  const { table } = services;
  const planned = await services.storeClip(requested);
  const creation = await createVideo(table, planned);
  if (creation.outcome === 'created') {
    if (planned.status === 'queued') {
      services.recordMetric('Submitted', 1, { model: planned.model, source: 'drop' });
      await tryDispatch(services, planned);
    }
    return { outcome: 'created', id: planned.id, video: planned };
  }
  if (creation.outcome === 'existing' && creation.video.updated_at === restarts) {
    const video = await restart(table, creation.video, planned);
    if (video?.status === 'queued') await tryDispatch(services, video);
    if (video?.status === 'queued') return { outcome: 'restarted', id: video.id, video };
  }
  return conclude(services, object, (await readStored(table, planned.id))!);
}

/**
 * Replaces the failed attempt of a video by what is planned now: the bytes and the request are the same, but the image is the version
 * that was uploaded last, and a broken settings file may have been repaired.
 * @returns undefined when the video has changed since it was read
 */
async function restart(table: Table, video: VideoRecord, planned: VideoRecord): Promise<VideoRecord | undefined> {
  const { model, input, parameters, metadata, webhook, warnings, source, derived_from, estimated_cost, error } =
    planned;
  const set = { model, input, parameters, metadata, webhook, warnings, source, derived_from, estimated_cost };
  const unchanged = { expression: 'updated_at = :read', values: { ':read': video.updated_at } };
  if (error)
    return changeVideo(table, video, { set: { ...set, error }, remove: webhook ? [] : ['webhook'] }, unchanged);
  await releaseResources(table, video, video);
  return requeueVideo(table, video, set, unchanged);
}

/** Ends the handling of an upload whose video exists, or was deleted: the result next to the image is that of this upload. */
async function conclude(services: DropServices, object: DroppedObject, stored: Stored): Promise<DropOutcome> {
  if ('tombstone' in stored) {
    const { tombstone } = stored;
    await services.writeOutcome(object, tombstone.deleted_at, deletedResult(tombstone));
    return { outcome: 'deleted', id: tombstone.id };
  }
  const video = await followUpload(services, stored.video, object);
  if (video?.status === 'queued') await tryDispatch(services, video);
  else if (video && isTerminal(video.status)) await services.writeResult(video);
  return { outcome: 'existing', id: stored.video.id, video: video ?? stored.video };
}

/**
 * Makes a video that of a later upload of its image, so that its result names that version. The latest version is looked up between the
 * read and the write of the record, so an older event never moves a video back.
 * @returns undefined for a video that was deleted meanwhile
 */
async function followUpload(
  { table, findLatest }: DropServices,
  video: VideoRecord,
  object: DroppedObject,
): Promise<VideoRecord | undefined> {
  const { version_id } = object;
  let current: VideoRecord | undefined = video;
  for (let attempt = 0; current && attempt < ATTEMPTS; attempt++) {
    const found: VideoRecord = current;
    const { source, input } = found;
    if (version_id === undefined || source.type !== 'drop' || source.version_id === version_id) return found;
    if ((await findLatest(object))?.version_id !== version_id) return found;
    const media = input.media.map(({ file, ...item }) => {
      const isImage = file?.key === source.key && file.bucket === source.bucket;
      return { ...item, ...(file ? { file: isImage ? { ...file, version_id } : file } : {}) };
    });
    const set = { source: { ...source, version_id }, input: { ...input, media } };
    const unchanged = { expression: 'updated_at = :read', values: { ':read': found.updated_at } };
    current = (await changeVideo(table, found, { set }, unchanged)) ?? (await readVideo(table, video.id));
  }
  return current;
}
