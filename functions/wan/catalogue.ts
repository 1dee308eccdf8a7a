import type { ImageLimits } from '../media/image.ts';

/**
 * The models as data: a new model is a new row here, in the prices, and in the emulator's own table. The first six rows follow the reference ("Request body"); the preview rows follow later
 * documentation and are not offered yet.
 */

export const resolutionNames = ['480P', '720P', '1080P'] as const;
/** A tier of the output's number of pixels, not of its height. */
export type Resolution = (typeof resolutionNames)[number];

/** Whole seconds of video: a set of values, or every whole number of a range. */
export type Durations =
  | { readonly kind: 'set'; readonly values: readonly number[]; readonly default: number }
  | { readonly kind: 'range'; readonly min: number; readonly max: number; readonly default: number };

export type Model = {
  readonly name: string;
  /** True for a model that is not offered yet. */
  readonly preview: boolean;
  readonly resolutions: readonly Resolution[];
  readonly default_resolution: Resolution;
  readonly durations: Durations;
  /** Characters (code points) after which Wan cuts the prompt off. */
  readonly prompt_limit: number;
  readonly negative_prompt_limit: number;
  /** Whether the video has audio and `input.audio_url` is accepted. */
  readonly audio: boolean;
  /** Whether `parameters.audio` can turn the audio off. */
  readonly audio_switch: boolean;
  /** Whether `parameters.shot_type` is accepted. */
  readonly shot_type: boolean;
  readonly image: ImageLimits;
  /** How the first frame is sent: as `input.img_url`, or as an entry of `input.media`. */
  readonly wire_format: 'img_url' | 'media';
  /** The shape of `usage` in a successful response (reference, "usage object"). */
  readonly usage_family: 'wan2.6' | 'wan2.5' | 'wan2.1';
  /** Limits per Alibaba Cloud account (all keys together) and model. */
  readonly rate_limits: { readonly submits_per_second: number; readonly concurrent_tasks: number };
  /**
   * How long a task typically takes, in seconds: `base` plus `per_video_second` for each second of video. Inferred from a few published
   * samples.
   */
  readonly typical_seconds: { readonly base: number; readonly per_video_second: number };
};

const mebibyte = 1024 * 1024;
const referenceImage: ImageLimits = { min_side: 360, max_side: 2000, max_bytes: 10 * mebibyte };
const laterImage: ImageLimits = { min_side: 240, max_side: 8000, max_bytes: 20 * mebibyte };
const fiveSecondsOnly: Durations = { kind: 'set', values: [5], default: 5 };
const fiveConcurrent = { submits_per_second: 5, concurrent_tasks: 5 };
const twoConcurrent = { submits_per_second: 2, concurrent_tasks: 2 };

/** 5 s of video: 100 s (samples: 92 s, 116 s); 10 s of video: 130 s (samples: 73 s, 131 s, and two far slower ones). */
const typicalSeconds = { base: 70, per_video_second: 6 };

const silent = {
  preview: false,
  prompt_limit: 800,
  negative_prompt_limit: 500,
  audio: false,
  audio_switch: false,
  shot_type: false,
  image: referenceImage,
  wire_format: 'img_url',
  rate_limits: twoConcurrent,
  typical_seconds: typicalSeconds,
} as const;

const withAudio = { ...silent, prompt_limit: 1500, audio: true, rate_limits: fiveConcurrent } as const;

const table = {
  'wan2.6-i2v': {
    ...withAudio,
    resolutions: ['720P', '1080P'],
    default_resolution: '1080P',
    durations: { kind: 'set', values: [5, 10, 15], default: 5 },
    shot_type: true,
    usage_family: 'wan2.6',
  },
  'wan2.5-i2v-preview': {
    ...withAudio,
    resolutions: ['480P', '720P', '1080P'],
    default_resolution: '1080P',
    durations: { kind: 'set', values: [5, 10], default: 5 },
    usage_family: 'wan2.5',
  },
  'wan2.2-i2v-plus': {
    ...silent,
    resolutions: ['480P', '1080P'],
    default_resolution: '1080P',
    durations: fiveSecondsOnly,
    usage_family: 'wan2.5',
  },
  'wan2.2-i2v-flash': {
    ...silent,
    resolutions: ['480P', '720P'],
    default_resolution: '720P',
    durations: fiveSecondsOnly,
    usage_family: 'wan2.5',
  },
  'wan2.1-i2v-turbo': {
    ...silent,
    resolutions: ['480P', '720P'],
    default_resolution: '720P',
    durations: { kind: 'set', values: [3, 4, 5], default: 5 },
    usage_family: 'wan2.1',
  },
  'wan2.1-i2v-plus': {
    ...silent,
    resolutions: ['720P'],
    default_resolution: '720P',
    durations: fiveSecondsOnly,
    usage_family: 'wan2.1',
  },
  'wan2.6-i2v-flash': {
    ...withAudio,
    preview: true,
    resolutions: ['720P', '1080P'],
    default_resolution: '1080P',
    durations: { kind: 'range', min: 2, max: 15, default: 5 },
    audio_switch: true,
    shot_type: true,
    image: laterImage,
    usage_family: 'wan2.6',
  },
  'wan2.7-i2v': {
    ...withAudio,
    preview: true,
    resolutions: ['720P', '1080P'],
    default_resolution: '1080P',
    durations: { kind: 'range', min: 2, max: 15, default: 5 },
    prompt_limit: 5000,
    image: laterImage,
    wire_format: 'media',
    usage_family: 'wan2.6',
  },
} as const satisfies Record<string, Omit<Model, 'name'>>;

export type ModelName = keyof typeof table;
type NamedModel = Model & { readonly name: ModelName };

/** Every row, in the order in which models are shown. */
export const models: readonly NamedModel[] = (Object.keys(table) as ModelName[]).map((name) => ({
  name,
  ...table[name],
}));

/** The offered models: those of the reference. */
export const offeredModelNames: readonly ModelName[] = models.filter((model) => !model.preview).map(({ name }) => name);

/** True for the name of a row, offered or not. */
export function isModelName(name: unknown): name is ModelName {
  return typeof name === 'string' && Object.hasOwn(table, name);
}

/** The row of a model; undefined for an unknown name. */
export function findModel(name: ModelName): NamedModel;
export function findModel(name: string): NamedModel | undefined;
export function findModel(name: string): NamedModel | undefined {
  return models.find((model) => model.name === name);
}

/** Whether a model offers a duration. */
export function takesDuration(durations: Durations, seconds: number): boolean {
  if (durations.kind === 'set') return durations.values.includes(seconds);
  return Number.isInteger(seconds) && seconds >= durations.min && seconds <= durations.max;
}

/** The durations as text: "5, 10 or 15", "2 to 15". */
export function describeDurations(durations: Durations): string {
  if (durations.kind === 'range') return `${durations.min} to ${durations.max}`;
  return durations.values.join(', ').replace(/, (\d+)$/, ' or $1');
}
