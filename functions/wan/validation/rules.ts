import type { Issue, Warning } from '../../shared/issues.ts';
import { describeDurations, type Model, models, takesDuration } from '../catalogue.ts';
import { countCharacters } from '../prompt.ts';
import { brokenText, type FieldsOf } from './body.ts';
import { type inputFields, maxPromptCharacters, type parameterFields } from './schema.ts';

type Input = FieldsOf<typeof inputFields>;
type Parameters = FieldsOf<typeof parameterFields>;
type Findings = { issues: Issue[]; warnings: Warning[] };

/**
 * Checks the rules of a model. A value that Wan would refuse is an issue. One that Wan would ignore is an issue in strict mode; in tolerant
 * mode it is removed with a warning.
 * @param input changed in place in tolerant mode
 * @param parameters changed in place in tolerant mode
 */
export function applyModelRules(
  model: Model,
  input: Input,
  parameters: Parameters,
  mode: 'strict' | 'tolerant',
): Findings {
  const issues: Issue[] = [];
  const warnings: Warning[] = [];
  const ignored = (pointer: string, code: string, message: string, drop: () => void) => {
    if (mode === 'strict') {
      issues.push({ pointer, code, message });
      return;
    }
    drop();
    warnings.push({ pointer, code, message: `Ignored. ${message}` });
  };

  const { resolution, duration, shot_type, audio, prompt_extend } = parameters;
  if (resolution !== undefined && !model.resolutions.includes(resolution)) {
    issues.push({
      pointer: '/parameters/resolution',
      code: 'unsupported_resolution',
      message: `${model.name} does not offer ${resolution}. Use ${model.resolutions.join(' or ')}.`,
    });
  }
  if (duration !== undefined && !takesDuration(model.durations, duration)) {
    issues.push({
      pointer: '/parameters/duration',
      code: 'unsupported_duration',
      message: `${model.name} does not offer ${duration} s. Use ${describeDurations(model.durations)}.`,
    });
  }
  if (shot_type !== undefined && !model.shot_type) {
    const code = 'shot_type_not_supported';
    const message = `${model.name} does not accept shot_type. Leave it out, or use ${modelsWith((other) => other.shot_type)}.`;
    // Every model without the parameter makes a single shot.
    if (shot_type === 'single') ignored('/parameters/shot_type', code, message, () => delete parameters.shot_type);
    else issues.push({ pointer: '/parameters/shot_type', code, message });
  } else if (shot_type !== undefined && prompt_extend === false) {
    ignored(
      '/parameters/shot_type',
      'shot_type_needs_prompt_extend',
      'shot_type has an effect only when the prompt is rewritten. Set prompt_extend to true, or leave shot_type out.',
      () => delete parameters.shot_type,
    );
  }
  if (audio !== undefined && !model.audio_switch) {
    const audioRule = model.audio ? 'always generates audio' : 'makes silent videos only';
    ignored(
      '/parameters/audio',
      'audio_switch_not_supported',
      `${model.name} ${audioRule}. Leave "audio" out.`,
      () => delete parameters.audio,
    );
  }
  if (input.audio_url !== undefined && !model.audio) {
    issues.push({
      pointer: '/input/audio_url',
      code: 'audio_not_supported',
      message: `${model.name} makes silent videos only. Leave audio_url out, or use ${modelsWith((other) => other.audio)}.`,
    });
  }
  if (input.template !== undefined && input.prompt !== undefined) {
    ignored(
      '/input/prompt',
      'prompt_replaced_by_template',
      'A video effect (template) replaces the prompt. Leave one of the two out.',
      () => delete input.prompt,
    );
  }
  return { issues, warnings };
}

/**
 * Checks the lengths of prompts. Above the model's limit is a warning, because Wan cuts the rest off; above 20,000 characters is an issue.
 * Without a model only the latter is checked.
 */
export function checkPromptLengths(model: Model | undefined, input: Input): Findings {
  const issues: Issue[] = [];
  const warnings: Warning[] = [];
  for (const [name, limit] of [
    ['prompt', model?.prompt_limit],
    ['negative_prompt', model?.negative_prompt_limit],
  ] as const) {
    const characters = countCharacters(input[name] ?? '');
    const pointer = `/input/${name}`;
    if (characters > maxPromptCharacters) {
      issues.push({
        pointer,
        code: `${name}_too_long`,
        message: `The text has ${characters} characters; at most ${maxPromptCharacters} are accepted. Shorten it.`,
      });
    } else if (limit !== undefined && characters > limit) {
      warnings.push({
        pointer,
        code: `${name}_truncated`,
        message: `The text has ${characters} characters; Wan reads only the first ${limit}. Shorten it if the rest matters.`,
      });
    }
    issues.push(...brokenText(pointer, input[name] ?? ''));
  }
  return { issues, warnings };
}

function modelsWith(ability: (model: Model) => boolean): string {
  return models
    .filter((model) => !model.preview && ability(model))
    .map(({ name }) => name)
    .join(' or ');
}

/** Fills in the model's defaults for missing parameters (reference, "parameters"). */
export function withDefaults(model: Model, parameters: Parameters) {
  const promptExtend = parameters.prompt_extend ?? true;
  return {
    ...parameters,
    resolution: parameters.resolution ?? model.default_resolution,
    duration: parameters.duration ?? model.durations.default,
    prompt_extend: promptExtend,
    watermark: parameters.watermark ?? false,
    ...(model.shot_type && promptExtend ? { shot_type: parameters.shot_type ?? ('single' as const) } : {}),
  };
}
