import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { Status } from '../functions/video/record.ts';
import type { VideoView } from './api.ts';
import { costOf } from './offers.ts';

/** What each status means to a person. */
export const statusWords: Readonly<Record<Status, string>> = {
  queued: 'Waiting for its turn',
  submitting: 'Going to Wan',
  running: 'Wan is at work',
  archiving: 'Saving your copy',
  succeeded: 'Ready',
  failed: 'Failed',
  canceled: 'Canceled',
};

export const hasEnded = ({ status }: Pick<VideoView, 'status'>): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'canceled';

/** `$0.18`, `$0.075`: no more decimals than it takes. */
export const moneyInWords = (amount: number, currency: string): string =>
  new Intl.NumberFormat('en', { style: 'currency', currency, maximumFractionDigits: 3 }).format(amount);

/** What a video costs, and how that comes about. */
export function priceInWords(
  model: Pick<OfferedModel, 'prices' | 'currency' | 'prices_as_of'>,
  resolution: keyof OfferedModel['prices'],
  seconds: number,
): { price: string; note: string } {
  const cost = costOf(model, resolution, seconds);
  if (!cost) return { price: 'Price unknown', note: 'Look it up at Wan before you send.' };
  const { currency, prices_as_of } = model;
  return {
    price: moneyInWords(cost.amount, currency),
    note: `${seconds} s × ${moneyInWords(cost.unit, currency)}, Wan’s list price of ${dayInWords(prices_as_of)}. Wan bills only what succeeds.`,
  };
}

/** What is special about a model. */
export function modelInWords({
  audio,
  durations,
  resolutions,
}: Pick<OfferedModel, 'audio' | 'durations' | 'resolutions'>): string {
  const longest = Math.max(...durations);
  return `${audio ? 'With sound' : 'Silent'}, up to ${longest} s, up to ${resolutions.at(-1)}.`;
}

/** `about 20 s left`, `about 3 min left`, `longer than usual`. */
export function remainingInWords(estimatedFinishAt: string | undefined, now: number): string {
  if (!estimatedFinishAt) return '';
  const seconds = (Date.parse(estimatedFinishAt) - now) / 1000;
  if (seconds < -20) return 'longer than usual';
  if (!(seconds > 0)) return 'any moment now';
  if (seconds < 10) return 'a few seconds left';
  if (seconds < 55) return `about ${Math.ceil(seconds / 5) * 5} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

/** What there is to say about the time that a video still takes; nothing of one that has ended. */
export function waitInWords(video: VideoView, now: number): string | undefined {
  if (hasEnded(video)) return undefined;
  return video.status === 'queued' ? placeInWords(video, now) : remainingInWords(video.estimated_finish_at, now);
}

/** `3rd in the queue, starts about 14:05`, in the reader's own time zone; nothing for a video that does not wait. */
export function placeInWords(
  { queue_position, estimated_start_at }: Pick<VideoView, 'queue_position' | 'estimated_start_at'>,
  now: number,
): string {
  if (queue_position === undefined) return '';
  const place = queue_position === 1 ? 'next in the queue' : `${ordinal(queue_position)} in the queue`;
  return estimated_start_at ? `${place}, ${startInWords(estimated_start_at, now)}` : place;
}

function startInWords(estimatedStartAt: string, now: number): string {
  const seconds = (Date.parse(estimatedStartAt) - now) / 1000;
  if (seconds < 60) return 'starts in a moment';
  return seconds < 12 * 3600
    ? `starts about ${timeInWords(estimatedStartAt)}`
    : `starts ${momentInWords(estimatedStartAt)}`;
}

const ordinalEndings: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };
const ordinalRules = new Intl.PluralRules('en', { type: 'ordinal' });
const ordinal = (position: number): string => `${position}${ordinalEndings[ordinalRules.select(position)]}`;

/** `14:05`, in the reader's own time zone. */
const timeInWords = (moment: string): string =>
  new Date(moment).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

/**
 * How far a video is, in percent: what the server said, or what the time since it began to run suggests if that is more. A bar
 * that grows between two answers tells that something is happening; only an answer fills it.
 */
export function progressNow({ progress, estimated_finish_at, timeline }: VideoView, now: number): number {
  const began = timeline.findLast(({ status }) => status === 'running')?.at;
  if (!began || !estimated_finish_at) return progress;
  const passed = (now - Date.parse(began)) / (Date.parse(estimated_finish_at) - Date.parse(began));
  return Number.isFinite(passed) ? Math.max(progress, Math.min(95, passed * 100)) : progress;
}

/** One line of what was asked for and what came of it. */
export function factsInWords(view: VideoView): string {
  const { model, parameters, video, source } = view;
  const seconds = video?.duration_seconds ?? parameters.duration;
  return [
    model,
    video ? `${video.width} × ${video.height}` : parameters.resolution,
    seconds === undefined ? undefined : `${Math.round(seconds * 10) / 10} s`,
    costInWords(view),
    source.type === 'drop' ? 'dropped' : undefined,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** What it cost; what it will cost while it is under way; nothing for what ended without success. */
function costInWords(view: VideoView): string | undefined {
  const { cost, estimated_cost } = view;
  if (cost) return moneyInWords(cost.amount, cost.currency);
  return estimated_cost && !hasEnded(view)
    ? `about ${moneyInWords(estimated_cost.amount, estimated_cost.currency)}`
    : undefined;
}

/** `22 Nov, 10:36`, in the reader's own time zone. */
export const momentInWords = (moment: string): string =>
  new Date(moment).toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

const dayInWords = (day: string): string =>
  new Date(day).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });
