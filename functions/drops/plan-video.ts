import type { RotatedImages } from '../media/image.ts';
import { type DropDefaults, type DropRules, ownerNameRule } from '../shared/environment.ts';
import type { VideoRecord } from '../video/record.ts';
import { newVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import type { Deployment } from '../wan/prices.ts';
import { checkDrop, isOfUse, versionOf } from './check-drop.ts';
import { type DropContent, dropId } from './drop-identity.ts';
import { ownerOf, topFolder } from './drop-key.ts';
import type { DroppedObject, ReadObject } from './dropped-object.ts';
import { readContinued } from './extend-drop.ts';
import { type GatheredSettings, gatherSettings, hasPromptOrTemplate, mergeSettings } from './settings.ts';
import type { SettingsIssue } from './settings-file.ts';
import type { SettingsStore } from './settings-files.ts';

export interface PlanServices extends SettingsStore {
  /** The latest version of an object; undefined for one that does not exist or was deleted. */
  findLatest: (object: { bucket: string; key: string }) => Promise<DroppedObject | undefined>;
  /** An object's bytes (the first part of one larger than an image may be) and user metadata; undefined when that version is gone. */
  readObject: (object: DroppedObject) => Promise<ReadObject | undefined>;
  defaults: DropDefaults;
  rules: DropRules;
  trustedOrigins: readonly string[];
  deployment: Deployment;
  /** @default `accept` */
  rotatedImages?: RotatedImages;
  /** Whether webhooks may go to this computer. @default false */
  loopbackWebhooks?: boolean;
}

/** A version of an image in the drop folder, as it was read. */
export interface DropToPlan {
  object: DroppedObject;
  content: DropContent;
  /** Of an object larger than an image may be, the first part. */
  bytes: Uint8Array;
  metadata: Record<string, string>;
  /** Whether its time to wait for a sidecar is over. */
  waited?: boolean;
}

/**
 * Reads the settings of an image and returns the video that they ask for, with its id, not yet stored: queued, or failed with the
 * reason. @returns `wait` when a sidecar may still come, `wait_for_sidecar` when its folder requires one,
 * `wait_for_settings` when a settings file may be half-written
 */
export async function planVideo(
  services: PlanServices & { table: Table },
  drop: DropToPlan,
): Promise<VideoRecord | 'wait' | 'wait_for_sidecar' | 'wait_for_settings'> {
  const { object, bytes, metadata, waited = false } = drop;
  const { rules, defaults } = services;
  const gathered = await gatherSettings(services, object, metadata);
  if (gathered.isUnsettled) return 'wait_for_settings';
  const owner = ownerOf(object.key, rules, defaults);
  if (owner !== undefined && sidecarMayHelp(gathered) && isOfUse(bytes, object.size, services.rotatedImages)) {
    if (gathered.sidecarRequired) return 'wait_for_sidecar';
    if (!waited && rules.sidecar_seconds > 0 && !hasPromptOrTemplate(gathered.levels.metadata)) return 'wait';
  }

  const { bucket, key } = object;
  const { sidecar, deployment } = gathered.levels;
  const extension = sidecar?.extends;
  const named = [sidecar, gathered.levels.metadata, gathered.levels.defaults].find((body) => body?.model !== undefined);
  const model = named === undefined ? undefined : String(named.model);
  const read = extension && (await readContinued(services, drop.content.owner, extension, model));
  const continued = read && 'clip' in read ? read : undefined;
  // A continuation has the model of its source by default, to which the parameters of the deployment do not apply.
  const levels =
    continued && !named
      ? { ...gathered.levels, deployment: { ...deployment, model: continued.model, parameters: {} } }
      : gathered.levels;
  const merged = mergeSettings(`s3://${bucket}/${key}`, levels);
  const { places, warnings, defaults_key, last_frame_key } = gathered;
  const lastFrame = last_frame_key && (await readLastFrame(services, { bucket, key: last_frame_key }));
  const issues = [
    ...(owner === undefined ? [noOwner(key)] : []),
    ...gathered.issues,
    ...(read && 'issues' in read ? read.issues.map((issue) => ({ place: places.sidecar, ...issue })) : []),
  ];
  const files = [{ object, bytes }, ...(lastFrame ? [lastFrame] : [])];
  const { error, ...checked } = checkDrop({ merged, places, issues, warnings, files, continued }, services);
  return newVideo(
    {
      id: dropId(drop.content, merged.request, merged.take, lastFrame ? lastFrame.bytes : undefined, extension),
      owner: drop.content.owner,
      source: {
        type: 'drop',
        ...versionOf(object),
        settings: merged.settings,
        ...(defaults_key ? { defaults_key } : {}),
      },
      // The id of a drop's video already depends on its request.
      request_hash: '',
      ...(continued ? { derived_from: continued.derived_from } : {}),
      ...checked,
    },
    services.table.now(),
    error,
  );
}

async function readLastFrame({ findLatest, readObject }: PlanServices, at: { bucket: string; key: string }) {
  const object = await findLatest(at);
  const read = object && (await readObject(object));
  return read && { object, bytes: read.bytes };
}

/** Whether a sidecar is missing and would be of use: none repairs the folder's broken defaults. */
const sidecarMayHelp = ({ sidecar_key, issues }: GatheredSettings): boolean =>
  sidecar_key === undefined && issues.length === 0;

function noOwner(key: string): SettingsIssue {
  return {
    place: `the name of the folder drop/${topFolder(key)}/`,
    pointer: '',
    code: 'folder_names_no_owner',
    message: `Here the top folder names the owner: ${ownerNameRule}. Rename it.`,
  };
}
