import { pngUrl } from '../support/png.ts';
import { choose, dice } from './dice.ts';

/** What a caller does about a video beside asking for it. */
export type Action = 'cancel' | 'delete' | 'retry';

/** A video that a caller asks for. */
export interface WantedVideo {
  /** Names it everywhere: it is the seed of its request, and in its Idempotency-Key or its name in the drop folder. */
  index: number;
  /** With `wait`, an image whose prompt is its folder's, so that it waits for a sidecar first. */
  way: 'api' | 'drop' | 'wait';
  owner: string;
  model: string;
  prompt: string;
  resolution: string;
  duration: number | undefined;
  action: Action | undefined;
  cancelAfterMilliseconds: number;
  /** Whether Wan will fail it. */
  fails: boolean;
}

/** Drops become this owner's. */
export const dropOwner = 'local';
/** API keys and whose they are. */
export const owners: Record<string, string> = { local: dropOwner, 'key-of-ann': 'ann', 'key-of-bob': 'bob' };

/** By what Wan lets an account make of each at once. */
const models = [
  { name: 'wan2.5-i2v-preview', resolution: '480P', share: 0.4 },
  { name: 'wan2.6-i2v', resolution: '720P', share: 0.12 },
  { name: 'wan2.2-i2v-flash', resolution: '480P', share: 0.18 },
  { name: 'wan2.2-i2v-plus', resolution: '480P', share: 0.15 },
  { name: 'wan2.1-i2v-turbo', resolution: '480P', duration: 3, share: 0.15 },
];

export function wantedVideo(seed: number, index: number): WantedVideo {
  const thrown = (what: string) => dice(seed, 'wanted', index, what);
  const way = choose<'drop' | 'wait'>(thrown('way'), { drop: 0.15, wait: 0.15 }) ?? 'api';
  const shares = Object.fromEntries(models.map(({ name, share }) => [name, share]));
  const model = choose(thrown('model'), shares) ?? models[0]!.name;
  const { resolution, duration } = models.find(({ name }) => name === model)!;
  const keys = Object.values(owners);
  const action = choose<Action>(thrown('action'), { cancel: 0.05, delete: 0.04, retry: 0.05 });
  const fails = action === 'retry';
  // Some ask for the same thing twice, of the same model: then only Wan's own list can tell whose a task is.
  const twin = thrown('twin') < 0.04 ? `The same as another of ${model}` : `Video ${index}`;
  return {
    index,
    way,
    owner: way === 'api' ? keys[Math.floor(thrown('owner') * keys.length)]! : dropOwner,
    model,
    prompt: fails ? `[[fail=DataInspectionFailed]] Video ${index}` : twin,
    resolution,
    duration,
    action,
    cancelAfterMilliseconds: 3000 * thrown('cancel'),
    fails,
  };
}

const picture = pngUrl(360, 360);

/** The body of `POST /videos`. */
export const requestOf = ({ index, model, prompt, resolution, duration }: WantedVideo) => ({
  model,
  input: { prompt, img_url: picture },
  parameters: { resolution, seed: index, ...(duration === undefined ? {} : { duration }) },
});

const folderOf = ({ index }: WantedVideo): string => `drop/${index}`;
export const dropKeyOf = (video: WantedVideo): string => `${folderOf(video)}/image.png`;

/** The defaults of the folder of one that waits. */
export const defaultsOf = (video: WantedVideo) => ({
  key: `${folderOf(video)}/_defaults.json`,
  body: JSON.stringify({ input: { prompt: video.prompt } }),
});

/** The metadata of the dropped object. */
export const metadataOf = (video: WantedVideo): Record<string, string> => {
  const { index, way, model, prompt, resolution, duration } = video;
  return {
    model,
    ...(way === 'drop' ? { prompt } : {}),
    resolution,
    seed: String(index),
    ...(duration === undefined ? {} : { duration: String(duration) }),
  };
};

/** A video that was asked for, and what became of it as its caller knows. */
export interface AskedFor {
  wanted: WantedVideo;
  /** Empty until it is known. */
  id: string;
  /** Retries that may have been carried out: each may have paid for another task. */
  retries: number;
  canceled: boolean;
  deleted: boolean;
}
