/** A resolution tier (reference, "parameters.resolution"). */
export type Tier = '480P' | '720P' | '1080P';

/** Types of `input.media` (later facts). `img_url` is a `first_frame`, `audio_url` a `driving_audio`. */
export type MediaType =
  | 'first_frame'
  | 'last_frame'
  | 'driving_audio'
  | 'first_clip'
  | 'reference_image'
  | 'reference_video'
  | 'reference_audio'
  | 'file'
  | 'link';

export type MediaKind = 'image' | 'audio' | 'video' | 'file' | 'link';

export const mediaKinds: Readonly<Record<MediaType, MediaKind>> = {
  first_frame: 'image',
  last_frame: 'image',
  driving_audio: 'audio',
  first_clip: 'video',
  reference_image: 'image',
  reference_video: 'video',
  reference_audio: 'audio',
  file: 'file',
  link: 'link',
};

/** Limits of width and height in pixels, of the longer side by the shorter one, and of the file in bytes. */
export interface ImageLimits {
  readonly minimumSide: number;
  readonly maximumSide: number;
  readonly maximumRatio: number;
  readonly maximumBytes: number;
}

/** Limits in seconds of each file, and of all files of a request together. */
export interface LengthLimits {
  readonly minimumSeconds: number;
  readonly maximumSeconds: number;
  readonly maximumTotal: number;
}

export interface VideoLimits extends LengthLimits {
  readonly minimumSide: number;
  readonly maximumSide: number;
  readonly minimumFps: number;
}

/** Parameters, limits and response fields of one model. Everything that the emulator knows about models is in the rows below. */
export interface Model {
  readonly name: string;
  /** Decides which media a request takes, and in which fields: `input.img_url` and `audio_url`, or `input.media` by two sets of rules. */
  readonly inputs: 'img_url' | 'wan2.7 media' | 'wan3.0 media';
  /** Longer prompts are cut to this many characters, never rejected. */
  readonly promptCharacters: number;
  readonly tiers: readonly Tier[];
  readonly defaultTier: Tier;
  /** Allowed durations in seconds; -1 lets the model choose. The default is 5 for every model. */
  readonly durations: readonly number[];
  readonly image: ImageLimits;
  /** Makes videos with audio. */
  readonly audio: boolean;
  /** Accepts audio files within these limits. */
  readonly audioFile?: LengthLimits;
  readonly videoFile?: VideoLimits;
  /** Accepts `parameters.audio`. */
  readonly audioSwitch: boolean;
  readonly shotType: boolean;
  /** Accepts `parameters.ratio`. */
  readonly ratio: boolean;
  /** Fields that are rejected by name, because a caller who sends one expects another video. Other unknown fields are ignored. */
  readonly rejectedFields: readonly string[];
  /** Returns `actual_prompt` when the prompt was rewritten. */
  readonly actualPrompt: boolean;
  /** The family that decides the members of `usage`. */
  readonly usage: 'wan2.1' | 'wan2.2 and wan2.5' | 'wan2.6' | 'wan2.6 flash' | 'wan2.7' | 'wan3.0';
  /** How the output's size follows from its aspect ratio: down to a multiple of 16, or to the nearest one. */
  readonly sizes: 'down' | 'nearest';
  /** Is answered on workspace domains alone. */
  readonly workspaceDomain: boolean;
  /** Submissions per second and concurrent tasks, per account. */
  readonly submitsPerSecond: number;
  readonly concurrentTasks: number;
}

export const defaultDuration = 5;
/** Seconds of input video and output together, for wan3.0. */
export const maximumSecondsInAndOut = 30;
export const negativePromptCharacters = 500;
export const maximumSeed = 2147483647;

export const ratios = ['adaptive', '16:9', '4:3', '1:1', '3:4', '9:16'] as const;
export type Ratio = (typeof ratios)[number];

const MiB = 1024 * 1024;
export const maximumAudioBytes = 15 * MiB;
export const maximumVideoBytes = 100 * MiB;
/** Of a `file`; undocumented, so the largest temporary upload. */
export const maximumDocumentBytes = 100 * MiB;

const documentedImage = { minimumSide: 360, maximumSide: 2000, maximumRatio: Infinity, maximumBytes: 10 * MiB };
const laterImage = { minimumSide: 240, maximumSide: 8000, maximumRatio: Infinity, maximumBytes: 20 * MiB };
const latestImage = { ...laterImage, maximumRatio: 8 };
const wholeSeconds = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => index + from);

const withoutAudio = {
  inputs: 'img_url',
  promptCharacters: 800,
  durations: [5],
  image: documentedImage,
  audio: false,
  audioSwitch: false,
  shotType: false,
  ratio: false,
  rejectedFields: ['input.audio_url', 'parameters.shot_type'],
  actualPrompt: true,
  sizes: 'down',
  workspaceDomain: false,
  submitsPerSecond: 2,
  concurrentTasks: 2,
} as const;

const withAudio = {
  ...withoutAudio,
  promptCharacters: 1500,
  audio: true,
  audioFile: { minimumSeconds: 3, maximumSeconds: 30, maximumTotal: Infinity },
  rejectedFields: ['parameters.shot_type'],
  submitsPerSecond: 5,
  concurrentTasks: 5,
} as const;

const wan26 = {
  ...withAudio,
  tiers: ['720P', '1080P'],
  defaultTier: '1080P',
  shotType: true,
  rejectedFields: [],
  actualPrompt: false,
  usage: 'wan2.6',
} as const;

const wan27 = {
  ...wan26,
  inputs: 'wan2.7 media',
  promptCharacters: 5000,
  durations: wholeSeconds(2, 15),
  image: latestImage,
  audioFile: { minimumSeconds: 2, maximumSeconds: 30, maximumTotal: Infinity },
  videoFile: {
    ...{ minimumSeconds: 2, maximumSeconds: 10, maximumTotal: Infinity },
    ...{ minimumSide: 1, maximumSide: Infinity, minimumFps: 0 },
  },
  shotType: false,
  rejectedFields: ['parameters.shot_type', 'parameters.ratio', 'parameters.audio'],
  usage: 'wan2.7',
  sizes: 'nearest',
} as const;

const wan30 = {
  ...wan27,
  inputs: 'wan3.0 media',
  promptCharacters: 20_000,
  tiers: ['480P', '720P', '1080P'],
  durations: [-1, ...wholeSeconds(2, 30)],
  audioFile: { minimumSeconds: 1, maximumSeconds: 15, maximumTotal: 15 },
  videoFile: {
    ...{ minimumSeconds: 1, maximumSeconds: 15, maximumTotal: 15 },
    ...{ minimumSide: 240, maximumSide: 4096, minimumFps: 16 },
  },
  audioSwitch: true,
  ratio: true,
  rejectedFields: ['input.img_url', 'input.audio_url', 'parameters.shot_type'],
  usage: 'wan3.0',
  workspaceDomain: true,
  // Not documented; a careful default.
  submitsPerSecond: 2,
  concurrentTasks: 2,
} as const;

/** Reference, "Request body" and "usage"; limits from the facts, "Rate limits"; from wan2.6-i2v-flash on by the later facts. */
export const models: readonly Model[] = [
  { ...wan26, name: 'wan2.6-i2v', durations: [5, 10, 15] },
  {
    ...withAudio,
    name: 'wan2.5-i2v-preview',
    tiers: ['480P', '720P', '1080P'],
    defaultTier: '1080P',
    durations: [5, 10],
    usage: 'wan2.2 and wan2.5',
  },
  {
    ...withoutAudio,
    name: 'wan2.2-i2v-flash',
    tiers: ['480P', '720P'],
    defaultTier: '720P',
    usage: 'wan2.2 and wan2.5',
  },
  {
    ...withoutAudio,
    name: 'wan2.2-i2v-plus',
    tiers: ['480P', '1080P'],
    defaultTier: '1080P',
    usage: 'wan2.2 and wan2.5',
  },
  {
    ...withoutAudio,
    name: 'wan2.1-i2v-turbo',
    tiers: ['480P', '720P'],
    defaultTier: '720P',
    durations: [3, 4, 5],
    usage: 'wan2.1',
  },
  { ...withoutAudio, name: 'wan2.1-i2v-plus', tiers: ['720P'], defaultTier: '720P', usage: 'wan2.1' },
  {
    ...wan26,
    name: 'wan2.6-i2v-flash',
    durations: wholeSeconds(2, 15),
    image: laterImage,
    audioSwitch: true,
    usage: 'wan2.6 flash',
  },
  { ...wan27, name: 'wan2.7-i2v' },
  { ...wan27, name: 'wan2.7-i2v-2026-04-25' },
  { ...wan30, name: 'wan3.0-video' },
  { ...wan30, name: 'wan3.0-video-prime' },
];

/** The ending of a model that Wan does not have yet: `wan2.7-i2v-next` has the rules of `wan2.7-i2v`. */
const nextEnding = /-next$/;

export function findModel(name: string): Model | undefined {
  const found = models.find((model) => model.name === name.replace(nextEnding, ''));
  return found && { ...found, name };
}
