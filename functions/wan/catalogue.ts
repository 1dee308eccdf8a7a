import type { AudioLimits } from '../media/audio.ts';
import type { ImageLimits } from '../media/image.ts';
import type { VideoLimits } from '../media/input-video.ts';
import type { MediaRules } from './media.ts';
import type { Durations } from './output.ts';

/**
 * The models as data: a new model is a new row here, in the prices, and in the emulator's own table. The first six rows follow the
 * reference ("Request body"), the others later documentation. A deployment offers those that `missingSettings` finds complete.
 */

export const resolutionNames = ['480P', '720P', '1080P'] as const;
/** A tier of the output's number of pixels, not of its height. */
export type Resolution = (typeof resolutionNames)[number];

/** Proportions of a video; `adaptive` follows the inputs. */
export const ratios = ['adaptive', '16:9', '4:3', '1:1', '3:4', '9:16'] as const;

export type Model = {
  readonly name: string;
  readonly resolutions: readonly Resolution[];
  readonly default_resolution: Resolution;
  readonly durations: Durations;
  /** Characters (code points) after which Wan cuts the prompt off. */
  readonly prompt_limit: number;
  /** 0 for a model that takes no negative prompt. */
  readonly negative_prompt_limit: number;
  /** Whether the video has audio. */
  readonly audio: boolean;
  /** Whether `parameters.audio` can turn the audio off. */
  readonly audio_switch: boolean;
  /** Whether `parameters.shot_type` is accepted. */
  readonly shot_type: boolean;
  /** Whether `parameters.prompt_extend` is sent. */
  readonly prompt_extend: boolean;
  /** Whether video effects (`input.template`) are accepted. */
  readonly template: boolean;
  /** Whether `parameters.ratio` is accepted. */
  readonly ratio: boolean;
  readonly media: MediaRules;
  readonly image: ImageLimits;
  /** Limits of audio and video inputs; absent for a model that takes none. */
  readonly audio_input?: AudioLimits;
  readonly video_input?: VideoLimits;
  /** Most seconds of input video and output together, where input video is billed in addition to the output. */
  readonly max_total_seconds?: number;
  /** `workspace`: only a workspace's own domain serves the model. */
  readonly domain: 'shared' | 'workspace';
  /** How media are sent: as `input.img_url` and `input.audio_url`, or as the list `input.media`. */
  readonly wire_format: 'img_url' | 'media';
  /** The shape of `usage` in a successful response (reference, "usage object"). */
  readonly usage_family: 'wan3.0' | 'wan2.6' | 'wan2.5' | 'wan2.1';
  /** Whether the size of a video follows from its first frame by the formula of `outputSize`. */
  readonly known_output_size: boolean;
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
const mediaImage: ImageLimits = { ...laterImage, max_ratio: 8 };
const referenceAudio: AudioLimits = { min_seconds: 3, max_seconds: 30, max_bytes: 15 * mebibyte };
const twoToFifteen: Durations = { kind: 'range', min: 2, max: 15, default: 5 };
const fiveSecondsOnly: Durations = { kind: 'set', values: [5], default: 5 };
const fiveConcurrent = { submits_per_second: 5, concurrent_tasks: 5 };
const twoConcurrent = { submits_per_second: 2, concurrent_tasks: 2 };

/** 5 s of video: 100 s (samples: 92 s, 116 s); 10 s of video: 130 s (samples: 73 s, 131 s, and two far slower ones). */
const typicalSeconds = { base: 70, per_video_second: 6 };

const silent = {
  prompt_limit: 800,
  negative_prompt_limit: 500,
  audio: false,
  audio_switch: false,
  shot_type: false,
  prompt_extend: true,
  template: true,
  ratio: false,
  media: { combinations: [{ required: ['first_frame'], optional: [] }], counts: {} },
  image: referenceImage,
  domain: 'shared',
  wire_format: 'img_url',
  known_output_size: true,
  rate_limits: twoConcurrent,
  typical_seconds: typicalSeconds,
} as const;

const withAudio = {
  ...silent,
  prompt_limit: 1500,
  audio: true,
  media: { combinations: [{ required: ['first_frame'], optional: ['driving_audio'] }], counts: {} },
  audio_input: referenceAudio,
  rate_limits: fiveConcurrent,
} as const;

/** Wan 2.7; the snapshot has the same row. */
const wan27 = {
  ...withAudio,
  resolutions: ['720P', '1080P'],
  default_resolution: '1080P',
  durations: twoToFifteen,
  prompt_limit: 5000,
  template: false,
  media: {
    combinations: [
      { required: ['first_frame'], optional: ['last_frame', 'driving_audio'] },
      { required: ['first_clip'], optional: ['last_frame'] },
    ],
    counts: {},
  },
  image: mediaImage,
  audio_input: { ...referenceAudio, min_seconds: 2 },
  video_input: { min_seconds: 2, max_seconds: 10, max_bytes: 100 * mebibyte },
  wire_format: 'media',
  usage_family: 'wan2.6',
  known_output_size: false,
} as const;

/** Wan 3.0. Its rate limits are not documented, so they are low; sources disagree on `prompt_extend` and `negative_prompt`. */
const wan30 = {
  ...wan27,
  resolutions: ['480P', '720P', '1080P'],
  durations: { kind: 'range', min: 2, max: 30, default: 5, automatic: true },
  prompt_limit: 20_000,
  negative_prompt_limit: 0,
  audio_switch: true,
  prompt_extend: false,
  ratio: true,
  media: {
    combinations: [
      { required: [], optional: ['reference_image', 'reference_video', 'reference_audio'] },
      { required: ['first_frame'], optional: ['last_frame'] },
    ],
    counts: { reference_image: 10, reference_video: 5, reference_audio: 5 },
  },
  audio_input: { min_seconds: 1, max_seconds: 15, max_total_seconds: 15, max_bytes: 15 * mebibyte },
  video_input: {
    min_seconds: 1,
    max_seconds: 15,
    max_total_seconds: 15,
    max_bytes: 100 * mebibyte,
    min_fps: 16,
    min_side: 240,
    max_side: 4096,
  },
  max_total_seconds: 30,
  domain: 'workspace',
  usage_family: 'wan3.0',
  rate_limits: twoConcurrent,
  typical_seconds: { base: 180, per_video_second: 12 },
} as const;

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
    resolutions: ['720P', '1080P'],
    default_resolution: '1080P',
    durations: twoToFifteen,
    audio_switch: true,
    shot_type: true,
    image: laterImage,
    usage_family: 'wan2.6',
  },
  'wan2.7-i2v': wan27,
  'wan2.7-i2v-2026-04-25': wan27,
  'wan3.0-video': wan30,
  'wan3.0-video-prime': { ...wan30, typical_seconds: { base: 60, per_video_second: 4 } },
} as const satisfies Record<string, Omit<Model, 'name'>>;

export type ModelName = keyof typeof table;
export type NamedModel = Model & { readonly name: ModelName };

/** Every row, in the order in which models are shown. */
export const models: readonly NamedModel[] = (Object.keys(table) as ModelName[]).map((name) => ({
  name,
  ...table[name],
}));

/** The names of all rows. */
export const modelNames: readonly ModelName[] = models.map(({ name }) => name);

/** Whether a text is the name of a row, offered or not. */
export function isModelName(name: unknown): name is ModelName {
  return typeof name === 'string' && Object.hasOwn(table, name);
}

/** The row of a model; undefined for an unknown name. */
export function findModel(name: ModelName): NamedModel;
export function findModel(name: string): NamedModel | undefined;
export function findModel(name: string): NamedModel | undefined {
  return models.find((model) => model.name === name);
}

/** A model by its name, and for a model that the deployment added, the one whose rules and wire format it has. */
export type WithFamily = { readonly model: string; readonly family?: ModelName | undefined };

/** The rules of a model. @throws Error for a name that the catalogue does not have */
export function rulesOf({ model, family }: WithFamily): NamedModel {
  const found = findModel(family ?? model);
  if (!found) throw new Error(`The catalogue has no model ${model}.`);
  return found;
}

/** Names that clients of Wan's own protocol still send. */
const aliases: Readonly<Record<string, ModelName>> = {
  'wanx2.1-i2v-plus': 'wan2.1-i2v-plus',
  'wanx2.1-i2v-turbo': 'wan2.1-i2v-turbo',
};

export const aliasNames = Object.keys(aliases);

/** The name of the catalogue for a name that a client of Wan's own protocol sends; any other name unchanged. */
export const resolveAlias = (name: string): string => (Object.hasOwn(aliases, name) ? aliases[name]! : name);
