import type { Issue, Warning } from '../../shared/issues.ts';
import { type Model, models } from '../catalogue.ts';
import { kindOfMedia, type LocatedMedia } from '../media.ts';
import { AUTOMATIC_DURATION, describeDurations, takesDuration } from '../output.ts';
import { type Deployment, sum } from '../prices.ts';
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

  const { resolution, duration, shot_type, audio, prompt_extend, ratio } = parameters;
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
  if (prompt_extend !== undefined && !model.prompt_extend) {
    ignored(
      '/parameters/prompt_extend',
      'prompt_extend_not_supported',
      `It is not documented whether ${model.name} takes prompt_extend. Leave it out.`,
      () => delete parameters.prompt_extend,
    );
  }
  if (ratio !== undefined && !model.ratio) {
    ignored(
      '/parameters/ratio',
      'ratio_not_supported',
      `The proportions of a video of ${model.name} follow its first frame. Leave "ratio" out.`,
      () => delete parameters.ratio,
    );
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
  if (input.negative_prompt !== undefined && model.negative_prompt_limit === 0) {
    ignored(
      '/input/negative_prompt',
      'negative_prompt_not_supported',
      `It is not documented whether ${model.name} takes a negative prompt. Leave it out.`,
      () => delete input.negative_prompt,
    );
  }
  if (input.template !== undefined && !model.template) {
    issues.push({
      pointer: '/input/template',
      code: 'template_not_supported',
      message: `${model.name} has no video effects. Leave "template" out, or use another model.`,
    });
  }
  if (model.template && input.template !== undefined && input.prompt !== undefined) {
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
 * Sets the watermark in a deployment where every video has it. A request without one is an issue; in tolerant mode, whose clients often
 * send the default, it is changed with a warning.
 * @param parameters changed in place
 */
export function applyWatermarkRule(
  { deployment, mode }: { deployment: Pick<Deployment, 'watermark'>; mode: 'strict' | 'tolerant' },
  parameters: Parameters,
): Findings {
  const found: Findings = { issues: [], warnings: [] };
  if (deployment.watermark !== 'always') return found;
  const isRefused = parameters.watermark === false;
  parameters.watermark = true;
  if (!isRefused) return found;
  const pointer = '/parameters/watermark';
  const code = 'watermark_required';
  const message = 'In this deployment every video has a watermark. Leave "watermark" out, or set it to true.';
  if (mode === 'strict') found.issues.push({ pointer, code, message });
  else found.warnings.push({ pointer, code, message: `Set to true. ${message}` });
  return found;
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

/** What is known of an input: its length once it was inspected. */
export type MeasuredMedia = LocatedMedia & { readonly duration_seconds?: number | undefined };

/** How much longer than its limit a file may be: encoders pad it. */
const PADDING_SECONDS = 0.3;

/**
 * Checks how long the inputs of a request are together, and with its output. An input of unknown length counts as the shortest that is
 * accepted, so that only what Wan certainly refuses is refused.
 */
export function checkLengths(model: Model, duration: number, media: readonly MeasuredMedia[]): Issue[] {
  const issues: Issue[] = [];
  const secondsOf = (kind: 'audio' | 'video') => {
    const limits = kind === 'audio' ? model.audio_input : model.video_input;
    const items = media.filter(({ type }) => kindOfMedia(type) === kind);
    const total = sum(items.map(({ duration_seconds = limits?.min_seconds ?? 0 }) => duration_seconds));
    const most = limits?.max_total_seconds;
    if (most !== undefined && total > most + PADDING_SECONDS) {
      const message = `The ${kind} inputs last ${rounded(total)} s together; ${model.name} accepts ${most} s. Shorten them, or leave one out.`;
      issues.push({ pointer: '/input/media', code: `${kind}_duration`, message });
    }
    return total;
  };
  secondsOf('audio');
  const video = secondsOf('video');
  const { durations, max_total_seconds: most } = model;
  const output = duration === AUTOMATIC_DURATION && durations.kind === 'range' ? durations.min : duration;
  if (most !== undefined && video > 0 && video + output > most + PADDING_SECONDS) {
    const message = `Input video (${rounded(video)} s or more) and output (${output} s) may last ${most} s together. Use a shorter duration, or shorter videos.`;
    issues.push({ pointer: '/parameters/duration', code: 'unsupported_duration', message });
  }
  const clip = media.find(({ type }) => type === 'first_clip');
  if (clip?.duration_seconds !== undefined && duration <= clip.duration_seconds) {
    const message = `The duration of ${duration} s is that of the whole continuation, and its clip lasts ${rounded(clip.duration_seconds)} s. Use a longer one.`;
    issues.push({ pointer: '/parameters/duration', code: 'unsupported_duration', message });
  }
  return issues;
}

const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;

function modelsWith(ability: (model: Model) => boolean): string {
  return models
    .filter(ability)
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
    ...(model.prompt_extend ? { prompt_extend: promptExtend } : {}),
    watermark: parameters.watermark ?? false,
    ...(model.shot_type && promptExtend ? { shot_type: parameters.shot_type ?? ('single' as const) } : {}),
  };
}
