import type { WebhookEvents } from '../../functions/wan/validation/webhook.ts';
import { pngUrl } from '../support/png.ts';
import { choose, dice } from './dice.ts';

/** What a caller does with a video after its submission. */
export type Action = 'cancel' | 'delete' | 'retry' | 'redeliver';

/** A video that a caller requests. */
export interface WantedVideo {
  /** Identifies the video: the seed of its request, and part of its Idempotency-Key or drop folder. */
  index: number;
  /** `wait`: a drop whose prompt is in its folder's defaults, so that it waits for a sidecar first. */
  channel: 'api' | 'drop' | 'wait';
  owner: string;
  model: string;
  prompt: string;
  resolution: string;
  duration: number | undefined;
  action: Action | undefined;
  cancelAfterMilliseconds: number;
  /** Whether Wan fails the task. */
  fails: boolean;
  /** The events of the request's own webhook; undefined when the owner's webhook gets them. */
  webhook: WebhookEvents | undefined;
}

/** The owner of drops. */
export const dropOwner = 'local';
/** API key → owner. */
export const owners: Record<string, string> = { local: dropOwner, 'key-of-ann': 'ann', 'key-of-bob': 'bob' };
/** The events of each owner's webhook. */
export const subscriptions: Record<string, WebhookEvents> = { [dropOwner]: 'endings', ann: 'all', bob: 'endings' };

/** Shares in proportion to Wan's concurrency per model. */
const models = [
  { name: 'wan2.5-i2v-preview', resolution: '480P', share: 0.4 },
  { name: 'wan2.6-i2v', resolution: '720P', share: 0.12 },
  { name: 'wan2.2-i2v-flash', resolution: '480P', share: 0.18 },
  { name: 'wan2.2-i2v-plus', resolution: '480P', share: 0.15 },
  { name: 'wan2.1-i2v-turbo', resolution: '480P', duration: 3, share: 0.15 },
];

export function wantedVideo(seed: number, index: number): WantedVideo {
  const thrown = (what: string) => dice(seed, 'wanted', index, what);
  const channel = choose<'drop' | 'wait'>(thrown('channel'), { drop: 0.15, wait: 0.15 }) ?? 'api';
  const shares = Object.fromEntries(models.map(({ name, share }) => [name, share]));
  const model = choose(thrown('model'), shares) ?? models[0]!.name;
  const { resolution, duration } = models.find(({ name }) => name === model)!;
  const keys = Object.values(owners);
  const action = choose<Action>(thrown('action'), { cancel: 0.05, delete: 0.04, retry: 0.05, redeliver: 0.05 });
  const fails = action === 'retry';
  // Some requests are equal, with the same model and prompt, so that lost tasks are ambiguous.
  const twin = thrown('twin') < 0.04 ? `The same as another of ${model}` : `Video ${index}`;
  return {
    index,
    channel,
    owner: channel === 'api' ? keys[Math.floor(thrown('owner') * keys.length)]! : dropOwner,
    model,
    prompt: fails ? `[[fail=DataInspectionFailed]] Video ${index}` : twin,
    resolution,
    duration,
    action,
    cancelAfterMilliseconds: 3000 * thrown('cancel'),
    fails,
    webhook: channel === 'drop' ? undefined : choose<WebhookEvents>(thrown('webhook'), { all: 0.2, endings: 0.1 }),
  };
}

const image = pngUrl(360, 360);

/** The path of the webhook that gets a video's events. */
export const webhookPathOf = ({ owner, index, webhook }: WantedVideo): string =>
  webhook ? `/${owner}/${index}` : `/${owner}`;

const webhookOf = (video: WantedVideo, receiver: string) =>
  video.webhook ? { webhook_url: `${receiver}${webhookPathOf(video)}`, webhook_events: video.webhook } : {};

/** The body of `POST /videos`. @param receiver the URL of the receiver of webhooks */
export const requestOf = (video: WantedVideo, receiver: string) => {
  const { index, model, prompt, resolution, duration } = video;
  return {
    model,
    input: { prompt, img_url: image },
    parameters: { resolution, seed: index, ...(duration === undefined ? {} : { duration }) },
    ...webhookOf(video, receiver),
  };
};

const folderOf = ({ index }: WantedVideo): string => `drop/${index}`;
export const dropKeyOf = (video: WantedVideo): string => `${folderOf(video)}/image.png`;

/** The folder defaults of a drop that waits. */
export const defaultsOf = (video: WantedVideo, receiver: string) => ({
  key: `${folderOf(video)}/_defaults.json`,
  body: JSON.stringify({ input: { prompt: video.prompt }, ...webhookOf(video, receiver) }),
});

/** The metadata of the dropped object. */
export const metadataOf = (video: WantedVideo): Record<string, string> => {
  const { index, channel, model, prompt, resolution, duration } = video;
  return {
    model,
    ...(channel === 'drop' ? { prompt } : {}),
    resolution,
    seed: String(index),
    ...(duration === undefined ? {} : { duration: String(duration) }),
  };
};

/** A requested video and what its caller knows about it. */
export interface SubmittedVideo {
  wanted: WantedVideo;
  /** Empty until the submission was acknowledged. */
  id: string;
  /** Number of retries that may have taken effect; each may have paid for another task. */
  retries: number;
  canceled: boolean;
  deleted: boolean;
  /** The event that the caller requested again, and when the request was sent (milliseconds since 1970). */
  redelivered?: { sequence: number; at: number };
}
