import type { DropDefaults } from '../shared/environment.ts';
import type { SettingLevel } from '../video/record.ts';
import type { Fault } from './drop-fault.ts';
import { defaultsKeys, sidecarKeys } from './drop-key.ts';
import { type SettingsLevels, settingsOfDeployment } from './settings.ts';
import { readSettingsFile } from './settings-file.ts';
import { settingsOfMetadata } from './settings-metadata.ts';

/** Reads a small file beside a drop in its latest version; undefined when there is none. */
export type ReadFile = (file: { bucket: string; key: string }) => Promise<Uint8Array | undefined>;

/** What all levels say about an image at this moment. */
export interface GatheredSettings {
  levels: SettingsLevels;
  /** By what name a person knows each level. */
  places: Readonly<Record<SettingLevel, string>>;
  sidecar_key?: string;
  defaults_key?: string;
  sidecarRequired: boolean;
  /** What is wrong with the files; such a file says nothing else. */
  faults: Fault[];
}

/** Gathers what is said about an image. The sidecar is looked for last, so that one that comes meanwhile still counts. */
export async function gatherSettings(
  { readFile, defaults }: { readFile: ReadFile; defaults: DropDefaults },
  { bucket, key }: { bucket: string; key: string },
  metadata: Readonly<Record<string, string>>,
): Promise<GatheredSettings> {
  const nearest = await firstOf(readFile, bucket, defaultsKeys(key));
  const sidecar = await firstOf(readFile, bucket, sidecarKeys(key));
  const readDefaults = nearest && readSettingsFile(nearest.bytes, 'defaults');
  const readSidecar = sidecar && readSettingsFile(sidecar.bytes, 'sidecar');
  return {
    levels: {
      ...(readSidecar?.ok ? { sidecar: readSidecar.body } : {}),
      metadata: settingsOfMetadata(metadata),
      ...(readDefaults?.ok ? { defaults: readDefaults.body } : {}),
      deployment: settingsOfDeployment(defaults),
    },
    places: {
      sidecar: sidecar?.key ?? '',
      metadata: "the image's metadata",
      defaults: nearest?.key ?? '',
      deployment: "the deployment's defaults",
    },
    ...(sidecar ? { sidecar_key: sidecar.key } : {}),
    ...(nearest ? { defaults_key: nearest.key } : {}),
    sidecarRequired: readDefaults?.ok === true && readDefaults.sidecarRequired,
    faults: [
      ...(readSidecar?.ok === false ? readSidecar.violations.map((fault) => ({ place: sidecar!.key, ...fault })) : []),
      ...(readDefaults?.ok === false
        ? readDefaults.violations.map((fault) => ({ place: nearest!.key, ...fault }))
        : []),
    ],
  };
}

/** The first file that there is: as a rule one of the first, so they are asked for one after the other. */
async function firstOf(
  readFile: ReadFile,
  bucket: string,
  keys: readonly string[],
): Promise<{ key: string; bytes: Uint8Array } | undefined> {
  for (const key of keys) {
    const bytes = await readFile({ bucket, key });
    if (bytes) return { key, bytes };
  }
  return undefined;
}
