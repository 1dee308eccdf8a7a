import type { DropDefaults } from '../shared/environment.ts';
import { type SettingLevel, settingLevels } from '../video/record.ts';
import { pointerTo } from '../wan/violations.ts';

/** What one level says: a part of the body of `POST /videos`. */
export interface SettingsBody {
  model?: unknown;
  input?: Readonly<Record<string, unknown>>;
  parameters?: Readonly<Record<string, unknown>>;
  metadata?: Readonly<Record<string, string>>;
}

/** What each level says; the deployment always says something. */
export type SettingsLevels = Partial<Record<SettingLevel, SettingsBody>> & {
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
  const wishLevel = settingLevels.find((level) => hasWish(levels[level]));
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
export const hasWish = (body: SettingsBody | undefined): boolean =>
  Object.keys(body?.input ?? {}).some((name) => wishes.has(name));

/** The deployment's default as a level. */
export const settingsOfDeployment = ({ model, prompt, parameters }: DropDefaults): SettingsLevels['deployment'] => ({
  model,
  ...(prompt ? { input: { prompt } } : {}),
  ...(parameters ? { parameters } : {}),
});
