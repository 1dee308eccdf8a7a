import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { Status } from '../functions/video/record.ts';
import type { VideoView } from './api.ts';
import { costOf } from './prices.ts';

export const statusLabels: Readonly<Record<Status, string>> = {
  queued: 'Queued',
  submitting: 'Submitting',
  running: 'Generating',
  archiving: 'Saving',
  succeeded: 'Ready',
  failed: 'Failed',
  canceled: 'Canceled',
};

export const hasEnded = ({ status }: Pick<VideoView, 'status'>): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'canceled';

/** `$0.18`, `$0.075`: up to three decimals. */
export const formatMoney = (amount: number, currency: string): string =>
  new Intl.NumberFormat('en', { style: 'currency', currency, maximumFractionDigits: 3 }).format(amount);

/** `812 KB`, `3.4 MB`. */
export const formatBytes = (bytes: number): string =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** The price of a video, and how it is calculated. */
export function formatPrice(
  model: Pick<OfferedModel, 'prices' | 'currency' | 'prices_as_of'>,
  resolution: keyof OfferedModel['prices'],
  seconds: number,
): { price: string; note: string } {
  const cost = costOf(model, resolution, seconds);
  if (!cost) return { price: 'Price unknown', note: 'Check the price at Wan first.' };
  const { currency, prices_as_of } = model;
  const source = prices_as_of === 'configured' ? '' : `, Wan’s list price of ${formatDate(prices_as_of)}`;
  return {
    price: formatMoney(cost.amount, currency),
    note: `${seconds} s × ${formatMoney(cost.unit, currency)}${source}. Wan bills successful videos only.`,
  };
}

/** `With audio, up to 15 s, up to 1080P.` */
export function describeModel({
  audio,
  durations,
  resolutions,
}: Pick<OfferedModel, 'audio' | 'durations' | 'resolutions'>): string {
  const longest = Math.max(...durations);
  return `${audio ? 'With audio' : 'Silent'}, up to ${longest} s, up to ${resolutions.at(-1)}.`;
}

/** `about 20 s left`, `about 3 min left`, `longer than usual`. */
export function formatRemaining(estimatedFinishAt: string | undefined, now: number): string {
  if (!estimatedFinishAt) return '';
  const seconds = (Date.parse(estimatedFinishAt) - now) / 1000;
  if (seconds < -20) return 'longer than usual';
  if (!(seconds > 0)) return 'any moment now';
  if (seconds < 10) return 'a few seconds left';
  if (seconds < 55) return `about ${Math.ceil(seconds / 5) * 5} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}

/** How long a video will still take; undefined for one that has ended. */
export function formatWait(video: VideoView, now: number): string | undefined {
  if (hasEnded(video)) return undefined;
  return video.status === 'queued' ? formatPosition(video, now) : formatRemaining(video.estimated_finish_at, now);
}

/** `3rd, starts about 14:05`, in the local time zone; empty without a position. */
export function formatPosition(
  { queue_position, estimated_start_at }: Pick<VideoView, 'queue_position' | 'estimated_start_at'>,
  now: number,
): string {
  if (queue_position === undefined) return '';
  const position = queue_position === 1 ? 'next' : ordinal(queue_position);
  return estimated_start_at ? `${position}, ${formatStart(estimated_start_at, now)}` : position;
}

function formatStart(estimatedStartAt: string, now: number): string {
  const seconds = (Date.parse(estimatedStartAt) - now) / 1000;
  if (seconds < 60) return 'starts in a moment';
  return seconds < 12 * 3600
    ? `starts about ${formatTime(estimatedStartAt)}`
    : `starts ${formatDateTime(estimatedStartAt)}`;
}

const ordinalEndings: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };
const ordinalRules = new Intl.PluralRules('en', { type: 'ordinal' });
const ordinal = (position: number): string => `${position}${ordinalEndings[ordinalRules.select(position)]}`;

/**
 * Progress in percent: the API's value, or a higher one that follows from the time since the video began to run. It grows between
 * two responses, but only the API sets 100.
 */
export function currentProgress({ progress, estimated_finish_at, timeline }: VideoView, now: number): number {
  const began = timeline.findLast(({ status }) => status === 'running')?.at;
  if (!began || !estimated_finish_at) return progress;
  const share = (now - Date.parse(began)) / (Date.parse(estimated_finish_at) - Date.parse(began));
  return Number.isFinite(share) ? Math.max(progress, Math.min(95, share * 100)) : progress;
}

/** `wan2.5-i2v-preview · 1280 × 720 · 5 s · $0.50`. */
export function describeVideo(view: VideoView): string {
  const { model, parameters, video, source } = view;
  const seconds = video?.duration_seconds ?? parameters.duration;
  return [
    model,
    video ? `${video.width} × ${video.height}` : parameters.resolution,
    seconds === undefined ? undefined : `${Math.round(seconds * 10) / 10} s`,
    formatCost(view),
    source.type === 'api' ? undefined : source.type,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The actual cost, or the estimate until the video has ended; undefined for one that failed or was canceled. */
function formatCost(view: VideoView): string | undefined {
  const { cost, estimated_cost } = view;
  if (cost) return formatMoney(cost.amount, cost.currency);
  return estimated_cost && !hasEnded(view)
    ? `about ${formatMoney(estimated_cost.amount, estimated_cost.currency)}`
    : undefined;
}

/** `14:05`, in the local time zone. */
const formatTime = (time: string): string =>
  new Date(time).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

/** `22 Nov, 10:36`, in the local time zone. */
export const formatDateTime = (time: string): string =>
  new Date(time).toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

const formatDate = (day: string): string =>
  new Date(day).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

/** The answer of a webhook's receiver: `status 204 in 87 ms`, or the error without its period. */
export const formatAnswer = ({
  status,
  error,
  milliseconds,
}: {
  status?: number;
  error?: string;
  milliseconds: number;
}): string =>
  error === undefined ? `status ${status} in ${milliseconds} ms` : `${error.replace(/\.$/, '')} (${milliseconds} ms)`;
