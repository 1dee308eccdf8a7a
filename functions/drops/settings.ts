import type { DropDefaults } from '../shared/environment.ts';
import { pointerTo, type Warning } from '../shared/issues.ts';
import { type SettingLevel, settingLevels } from '../video/record.ts';
import { nameOf } from './drop-key.ts';
import { readSettingsFile, type SettingsBody, type SettingsIssue } from './settings-file.ts';
import { findSettingsFiles, type SettingsStore } from './settings-files.ts';
import { settingsOfMetadata } from './settings-metadata.ts';

/** The settings of each level; the deployment always has some. */
type SettingsLevels = Partial<Record<SettingLevel, SettingsBody>> & {
  deployment: SettingsBody & { model: string };
};

/** The body of `POST /videos` that a drop asks for, not yet checked. */
export interface DropRequest {
  model: unknown;
  /** `img_url` is the dropped image. */
  input: { img_url: string } & Record<string, unknown>;
  parameters: Record<string, unknown>;
  metadata: Record<string, string>;
  webhook_url?: unknown;
  webhook_events?: unknown;
}

/** A request, and the level of each of its values, by JSON pointer. */
export interface MergedSettings {
  request: DropRequest;
  /** Distinguishes videos of the same image and request. */
  take: number;
  settings: Record<string, SettingLevel>;
}

const sections = ['input', 'parameters', 'metadata'] as const;
const webhookNames = ['webhook_url', 'webhook_events'] as const;

/**
 * Returns the request of a dropped image: the strongest level that names a value decides it, field by field. Prompt and template are
 * decided together, since an effect replaces a prompt: by the strongest level that names either. The deployment's parameters apply to
 * its own model only; another model may not accept them.
 */
export function mergeSettings(imageUrl: string, levels: SettingsLevels): MergedSettings {
  const settings: Record<string, SettingLevel> = {};
  const levelOf = (has: (body: SettingsBody | undefined) => boolean) =>
    settingLevels.find((level) => has(levels[level]));
  const promptLevel = levelOf(hasPromptOrTemplate);
  const modelLevel = levelOf((body) => body?.model !== undefined) ?? 'deployment';
  const takeLevel = levelOf((body) => body?.take !== undefined);
  const model = levels[modelLevel]?.model;
  settings['/model'] = modelLevel;
  if (takeLevel) settings['/take'] = takeLevel;

  const merged: Record<(typeof sections)[number], Record<string, unknown>> = {
    input: {},
    parameters: {},
    metadata: {},
  };
  for (const level of settingLevels.toReversed()) {
    for (const section of sections) {
      if (level === 'deployment' && section === 'parameters' && model !== levels.deployment.model) continue;
      for (const [name, value] of Object.entries(levels[level]?.[section] ?? {})) {
        if (section === 'input' && promptFields.has(name) && level !== promptLevel) continue;
        merged[section][name] = value;
        settings[pointerTo(`/${section}`, name)] = level;
      }
    }
  }
  const { input, parameters, metadata } = merged;
  const webhook: Record<string, unknown> = {};
  for (const name of webhookNames) {
    const level = levelOf((body) => body?.[name] !== undefined);
    if (!level) continue;
    webhook[name] = levels[level]?.[name];
    settings[pointerTo('', name)] = level;
  }
  return {
    request: {
      model,
      input: { ...input, img_url: imageUrl },
      parameters,
      metadata: metadata as Record<string, string>,
      ...webhook,
    },
    take: (takeLevel && levels[takeLevel]?.take) ?? 1,
    settings,
  };
}

const promptFields: ReadonlySet<string> = new Set(['prompt', 'template']);

/** Whether a level has a prompt or a template. */
export const hasPromptOrTemplate = (body: SettingsBody | undefined): boolean =>
  Object.keys(body?.input ?? {}).some((name) => promptFields.has(name));

/** The deployment's default as a level. */
export const settingsOfDeployment = ({ model, prompt, parameters }: DropDefaults): SettingsLevels['deployment'] => ({
  model,
  ...(prompt ? { input: { prompt } } : {}),
  ...(parameters ? { parameters } : {}),
});

/** The settings of an image at this moment, by level. */
export interface GatheredSettings {
  levels: SettingsLevels;
  /** The name by which a person knows each level. */
  places: Readonly<Record<SettingLevel, string>>;
  sidecar_key?: string;
  defaults_key?: string;
  /** The image next to this one that the video is to end with. */
  last_frame_key?: string;
  sidecarRequired: boolean;
  /** What is wrong with the files, of which no other setting counts then, and with the metadata. */
  issues: SettingsIssue[];
  warnings: Warning[];
  /** Whether a file was written so recently that it may not be complete, or not yet have its final name. */
  isUnsettled: boolean;
}

/** How long after its last write a settings file that is broken or misnamed is read again. */
export const SETTLE_SECONDS = 5;

/** Gathers the settings of an image. */
export async function gatherSettings(
  { table, defaults, ...store }: SettingsStore & { table: { now: () => number }; defaults: DropDefaults },
  image: { bucket: string; key: string },
  metadata: Readonly<Record<string, string>>,
): Promise<GatheredSettings> {
  const found = await findSettingsFiles(store, image);
  const [lastFrame, ...otherLastFrames] = found.lastFrames;
  const readDefaults = found.defaults && readSettingsFile(found.defaults.bytes, 'defaults');
  const readSidecar = found.sidecar && readSettingsFile(found.sidecar.bytes, 'sidecar');
  const ofMetadata = settingsOfMetadata(metadata);
  const unreadable = [
    ...(readSidecar?.ok === false ? [{ file: found.sidecar!, ...readSidecar }] : []),
    ...(readDefaults?.ok === false ? [{ file: found.defaults!, ...readDefaults }] : []),
  ];
  const mayBeHalfWritten = [
    ...found.misnamed,
    ...unreadable.filter(({ issues: [first] }) => first?.code === 'invalid_json').map(({ file }) => file),
  ];
  // A timestamp of the future is a clock's fault, and would have the image wait for long.
  const age = ({ written }: { written: number }) => Math.abs(table.now() - written);
  return {
    levels: {
      ...(readSidecar?.ok ? { sidecar: readSidecar.body } : {}),
      metadata: ofMetadata.body,
      ...(readDefaults?.ok ? { defaults: readDefaults.body } : {}),
      deployment: settingsOfDeployment(defaults),
    },
    places: {
      sidecar: found.sidecar?.key ?? '',
      metadata: METADATA,
      defaults: found.defaults?.key ?? '',
      deployment: "the deployment's defaults",
    },
    ...(found.sidecar ? { sidecar_key: found.sidecar.key } : {}),
    ...(found.defaults ? { defaults_key: found.defaults.key } : {}),
    ...(lastFrame ? { last_frame_key: lastFrame.key } : {}),
    sidecarRequired: readDefaults?.ok === true && readDefaults.sidecarRequired,
    issues: [
      ...unreadable.flatMap(({ file, issues }) => issues.map((issue) => ({ place: file.key, ...issue }))),
      ...found.misnamed.map(misnamed),
      ...otherLastFrames.map(surplusLastFrame),
      ...ofMetadata.issues.map((issue) => ({ place: METADATA, ...issue })),
    ],
    warnings: ofMetadata.warnings,
    isUnsettled: mayBeHalfWritten.some((file) => age(file) < SETTLE_SECONDS * 1000),
  };
}

const surplusLastFrame = ({ key }: { key: string }): SettingsIssue => ({
  place: key,
  pointer: '',
  code: 'too_many_media',
  message: 'Another file is the last frame of the same image. Delete one of the two.',
});

const METADATA = "the image's metadata";

const misnamed = ({ key, name }: { key: string; name: string }): SettingsIssue => ({
  place: key,
  pointer: '',
  code: 'settings_misnamed',
  message: `Only the name ${JSON.stringify(name)} is read here, and this one is ${JSON.stringify(nameOf(key))}. Rename the file, or move it away.`,
});
