import type { DropDefaults } from '../shared/environment.ts';
import { pointerTo } from '../shared/issues.ts';
import { type SettingLevel, settingLevels } from '../video/record.ts';
import { defaultsKeys, sidecarKeys } from './drop-key.ts';
import type { SettingsIssue } from './settings-file.ts';
import { readSettingsFile, type SettingsBody } from './settings-file.ts';
import { settingsOfMetadata } from './settings-metadata.ts';

/** What each level says; the deployment always says something. */
type SettingsLevels = Partial<Record<SettingLevel, SettingsBody>> & {
  deployment: SettingsBody & { model: string };
};

/** The body of `POST /videos` that a drop stands for, not yet checked. */
export interface DropRequest {
  model: unknown;
  input: { img_url: string } & Record<string, unknown>;
  parameters: Record<string, unknown>;
  metadata: Record<string, string>;
}

/** A request, and which level each of its values came from, by JSON pointer. */
export interface MergedSettings {
  request: DropRequest;
  settings: Record<string, SettingLevel>;
}

const sections = ['input', 'parameters', 'metadata'] as const;

/**
 * The request that a dropped image stands for: the strongest level that names a value decides it, field by field. Prompt and
 * template are one wish, since an effect takes the place of a prompt: the strongest level that names either decides both. The
 * deployment's parameters are made for its model; another model may not take them.
 */
export function mergeSettings(imageUrl: string, levels: SettingsLevels): MergedSettings {
  const settings: Record<string, SettingLevel> = {};
  const wishLevel = settingLevels.find((level) => hasPromptOrTemplate(levels[level]));
  const modelLevel = settingLevels.find((level) => levels[level]?.model !== undefined) ?? 'deployment';
  const model = levels[modelLevel]?.model;
  settings['/model'] = modelLevel;

  const merged: Record<(typeof sections)[number], Record<string, unknown>> = {
    input: {},
    parameters: {},
    metadata: {},
  };
  for (const level of settingLevels.toReversed()) {
    for (const section of sections) {
      if (level === 'deployment' && section === 'parameters' && model !== levels.deployment.model) continue;
      for (const [name, value] of Object.entries(levels[level]?.[section] ?? {})) {
        if (section === 'input' && wishes.has(name) && level !== wishLevel) continue;
        merged[section][name] = value;
        settings[pointerTo(`/${section}`, name)] = level;
      }
    }
  }
  const { input, parameters, metadata } = merged;
  return {
    request: {
      model,
      input: { ...input, img_url: imageUrl },
      parameters,
      metadata: metadata as Record<string, string>,
    },
    settings,
  };
}

const wishes: ReadonlySet<string> = new Set(['prompt', 'template']);

/** Whether a level says what shall happen in the video. */
export const hasPromptOrTemplate = (body: SettingsBody | undefined): boolean =>
  Object.keys(body?.input ?? {}).some((name) => wishes.has(name));

/** The deployment's default as a level. */
export const settingsOfDeployment = ({ model, prompt, parameters }: DropDefaults): SettingsLevels['deployment'] => ({
  model,
  ...(prompt ? { input: { prompt } } : {}),
  ...(parameters ? { parameters } : {}),
});

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
  issues: SettingsIssue[];
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
    issues: [
      ...(readSidecar?.ok === false ? readSidecar.issues.map((fault) => ({ place: sidecar!.key, ...fault })) : []),
      ...(readDefaults?.ok === false ? readDefaults.issues.map((fault) => ({ place: nearest!.key, ...fault })) : []),
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
