/** A resolution tier of the reference, "parameters.resolution". */
export type Tier = '480P' | '720P' | '1080P';

/** What one model takes, limits and answers. The rows below are the emulator's only knowledge about models. */
export interface Model {
  readonly name: string;
  /** Where the first frame is expected: `input.img_url`, or (wan2.7) a `first_frame` entry of `input.media`. */
  readonly imageField: 'img_url' | 'media';
  /** Longer prompts are cut to this many characters, never refused. */
  readonly promptCharacters: number;
  readonly tiers: readonly Tier[];
  readonly defaultTier: Tier;
  /** Seconds a caller may ask for. The default is 5 for every model. */
  readonly durations: readonly number[];
  /** Width and height in pixels, both sides; file size in bytes. */
  readonly image: { readonly minimumSide: number; readonly maximumSide: number; readonly maximumBytes: number };
  /** Makes videos with a sound track, and takes `input.audio_url`. */
  readonly sound: boolean;
  /** Takes `parameters.audio`, and says `usage.audio`. */
  readonly soundSwitch: boolean;
  readonly shotType: boolean;
  /** Answers `actual_prompt` when the prompt was rewritten. */
  readonly actualPrompt: boolean;
  /** Which members `usage` has. */
  readonly usage: 'wan2.1' | 'wan2.2 and wan2.5' | 'wan2.6';
  /** Submits a second and tasks at once, per account. */
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

const silent = {
  imageField: 'img_url',
  promptCharacters: 800,
  durations: [5],
  image: documentedImage,
  sound: false,
  soundSwitch: false,
  shotType: false,
  actualPrompt: true,
  submitsPerSecond: 2,
  concurrentTasks: 2,
} as const;

const sounding = {
  imageField: 'img_url',
  promptCharacters: 1500,
  image: documentedImage,
  sound: true,
  soundSwitch: false,
  submitsPerSecond: 5,
  concurrentTasks: 5,
} as const;

const wan26 = {
  ...sounding,
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
    ...sounding,
    name: 'wan2.5-i2v-preview',
    tiers: ['480P', '720P', '1080P'],
    defaultTier: '1080P',
    durations: [5, 10],
    shotType: false,
    actualPrompt: true,
    usage: 'wan2.2 and wan2.5',
  },
  { ...silent, name: 'wan2.2-i2v-flash', tiers: ['480P', '720P'], defaultTier: '720P', usage: 'wan2.2 and wan2.5' },
  { ...silent, name: 'wan2.2-i2v-plus', tiers: ['480P', '1080P'], defaultTier: '1080P', usage: 'wan2.2 and wan2.5' },
  {
    ...silent,
    name: 'wan2.1-i2v-turbo',
    tiers: ['480P', '720P'],
    defaultTier: '720P',
    durations: [3, 4, 5],
    usage: 'wan2.1',
  },
  { ...silent, name: 'wan2.1-i2v-plus', tiers: ['720P'], defaultTier: '720P', usage: 'wan2.1' },
  { ...wan26, name: 'wan2.6-i2v-flash', durations: twoToFifteen, image: laterImage, soundSwitch: true },
  { ...wan26, name: 'wan2.7-i2v', durations: twoToFifteen, image: laterImage, imageField: 'media', shotType: false },
];

export function findModel(name: string): Model | undefined {
  return models.find((model) => model.name === name);
}
