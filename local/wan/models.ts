/** A resolution tier (reference, "parameters.resolution"). */
export type Tier = '480P' | '720P' | '1080P';

/** Parameters, limits and response fields of one model. Everything that the emulator knows about models is in the rows below. */
export interface Model {
  readonly name: string;
  /** Field of the first frame: `input.img_url`, or (wan2.7) a `first_frame` entry of `input.media`. */
  readonly imageField: 'img_url' | 'media';
  /** Longer prompts are cut to this many characters, never rejected. */
  readonly promptCharacters: number;
  readonly tiers: readonly Tier[];
  readonly defaultTier: Tier;
  /** Allowed durations in seconds. The default is 5 for every model. */
  readonly durations: readonly number[];
  /** Limits of width and height in pixels, and of the file in bytes. */
  readonly image: { readonly minimumSide: number; readonly maximumSide: number; readonly maximumBytes: number };
  /** Makes videos with audio, and accepts `input.audio_url`. */
  readonly audio: boolean;
  /** Accepts `parameters.audio`, and returns `usage.audio`. */
  readonly audioSwitch: boolean;
  readonly shotType: boolean;
  /** Returns `actual_prompt` when the prompt was rewritten. */
  readonly actualPrompt: boolean;
  /** The family that decides the members of `usage`. */
  readonly usage: 'wan2.1' | 'wan2.2 and wan2.5' | 'wan2.6';
  /** Submissions per second and concurrent tasks, per account. */
  readonly submitsPerSecond: number;
  readonly concurrentTasks: number;
}

export const defaultDuration = 5;
export const negativePromptCharacters = 500;
export const maximumSeed = 2147483647;

const MiB = 1024 * 1024;
const documentedImage = { minimumSide: 360, maximumSide: 2000, maximumBytes: 10 * MiB };
const laterImage = { minimumSide: 240, maximumSide: 8000, maximumBytes: 20 * MiB };
const twoToFifteen = Array.from({ length: 14 }, (_, index) => index + 2);

const withoutAudio = {
  imageField: 'img_url',
  promptCharacters: 800,
  durations: [5],
  image: documentedImage,
  audio: false,
  audioSwitch: false,
  shotType: false,
  actualPrompt: true,
  submitsPerSecond: 2,
  concurrentTasks: 2,
} as const;

const withAudio = {
  imageField: 'img_url',
  promptCharacters: 1500,
  image: documentedImage,
  audio: true,
  audioSwitch: false,
  submitsPerSecond: 5,
  concurrentTasks: 5,
} as const;

const wan26 = {
  ...withAudio,
  tiers: ['720P', '1080P'],
  defaultTier: '1080P',
  shotType: true,
  actualPrompt: false,
  usage: 'wan2.6',
} as const;

/** Reference, "Request body" and "usage"; limits from the facts, "Rate limits"; the last two rows from the facts, "Differences between models". */
export const models: readonly Model[] = [
  { ...wan26, name: 'wan2.6-i2v', durations: [5, 10, 15] },
  {
    ...withAudio,
    name: 'wan2.5-i2v-preview',
    tiers: ['480P', '720P', '1080P'],
    defaultTier: '1080P',
    durations: [5, 10],
    shotType: false,
    actualPrompt: true,
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
  { ...wan26, name: 'wan2.6-i2v-flash', durations: twoToFifteen, image: laterImage, audioSwitch: true },
  { ...wan26, name: 'wan2.7-i2v', durations: twoToFifteen, image: laterImage, imageField: 'media', shotType: false },
];

export function findModel(name: string): Model | undefined {
  return models.find((model) => model.name === name);
}
