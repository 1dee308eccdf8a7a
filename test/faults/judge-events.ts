import { type EventDetail, eventDetailSchema } from '../../functions/events/schema.ts';
import { isTerminal, type TimelineEntry } from '../../functions/video/record.ts';
import type { BusEvent } from './bus-log.ts';
import type { LastState } from './last-state.ts';
import type { Arrival } from './receiver.ts';
import { type SubmittedVideo, subscriptions, webhookPathOf } from './wanted-videos.ts';

/** A webhook that was sent before a newer event of its video was delivered may arrive this much later. */
const LONGEST_ATTEMPT_MILLISECONDS = 15_000;

/** What no event contains: keys, signed or other URLs, secrets, files. */
const forbidden = /https?:|s3:\/\/|X-Amz-|Signature|whsec_|sk-|key-of-|data:image/;

type ArrivedEvent = Described & { arrival: Arrival };
type Described = { name: string; detail: EventDetail; timeline: TimelineEntry[] | undefined };

/** Returns everything that is wrong with the events on the bus and at the receiver (invariant 9). */
export function eventIssues(state: LastState, submitted: readonly SubmittedVideo[]): string[] {
  const ofVideo = new Map(submitted.map((video) => [video.id, video]));
  const bus = parsed(state.events.map(readEvent));
  const arrived = parsed(state.arrivals.map(readArrival));
  const onBus = byVideo(bus.values);
  const atReceiver = byVideo(arrived.values);
  const texts = [...state.events.map(({ detail }) => detail), ...state.arrivals.map(({ body }) => body)];
  return [
    ...bus.issues,
    ...arrived.issues,
    ...contentIssues(texts, submitted),
    ...[...onBus.values()].flatMap(recordIssues),
    ...arrived.values.flatMap((arrival) => arrivalIssues(arrival, ofVideo.get(arrival.detail.id), onBus)),
    ...state.unexpectedRequests.map((request) => `the receiver got ${request}`),
    ...deliveryIssues(state, ofVideo, atReceiver),
    ...submitted.flatMap((video) => redeliveryIssues(video, atReceiver.get(video.id) ?? [])),
    ...submitted.flatMap((video) => publicationIssues(state, video, onBus.get(video.id) ?? [])),
    ...submitted.flatMap((video) => endingIssues(state, video, onBus.get(video.id) ?? [], atReceiver)),
  ];
}

const readEvent = ({ type, detail, timeline }: BusEvent) =>
  described(`the event ${type}`, type, JSON.parse(detail), timeline);

function readArrival(arrival: Arrival) {
  const { type, data } = JSON.parse(arrival.body) as { type: string; data: object };
  const result = described(`the webhook ${arrival.message_id}`, type, { ...data, webhook: true }, arrival.timeline);
  return typeof result === 'string' ? result : { ...result, arrival };
}

/** Describes an event, or returns what is wrong with it. */
function described(name: string, type: string, detail: unknown, timeline: TimelineEntry[] | undefined) {
  const { success, data, error } = eventDetailSchema.safeParse(detail);
  if (!success) return `${name} does not match the schema: ${error.message}`;
  if (type !== `video.${data.status}`) return `${name} has the type ${type} and the status ${data.status}`;
  return { name: `${name} of ${data.id} (${data.sequence})`, detail: data, timeline };
}

function parsed<Value extends object>(results: readonly (Value | string)[]): { values: Value[]; issues: string[] } {
  return {
    values: results.filter((result) => typeof result !== 'string'),
    issues: results.filter((result) => typeof result === 'string'),
  };
}

function byVideo<Value extends Described>(values: readonly Value[]): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const group = groups.get(value.detail.id) ?? [];
    group.push(value);
    groups.set(value.detail.id, group);
  }
  return groups;
}

function contentIssues(texts: readonly string[], submitted: readonly SubmittedVideo[]): string[] {
  const prompts = [...new Set(submitted.map(({ wanted }) => wanted.prompt))];
  return texts.flatMap((text) => [
    ...(forbidden.test(text) ? [`an event contains ${forbidden.exec(text)![0]}`] : []),
    ...(prompts.some((prompt) => text.includes(prompt)) ? ['an event contains a prompt'] : []),
  ]);
}

/**
 * Checks that each event describes a status change that was in the record before. After the deletion of a video, which publishes all its
 * events first, only repetitions may follow.
 */
function recordIssues(events: readonly Described[]): string[] {
  return events.flatMap((event, index) => {
    const { name, detail, timeline } = event;
    const isRepeated = events.slice(0, index).some((earlier) => isSameChange(earlier.detail, detail));
    return isIn(timeline, detail) || (timeline === undefined && isRepeated) ? [] : [`${name} came before its record`];
  });
}

const isIn = (timeline: readonly TimelineEntry[] | undefined, { sequence, status, at }: EventDetail): boolean => {
  const entry = timeline?.[sequence - 1];
  return entry?.status === status && entry.at === at;
};

const isSameChange = (one: EventDetail, other: EventDetail): boolean =>
  one.sequence === other.sequence && one.status === other.status && one.at === other.at;

/** Checks that a webhook is signed, that its owner wants it, and that its event was on the bus and in the record before. */
function arrivalIssues(
  { name, detail, timeline, arrival }: ArrivedEvent,
  video: SubmittedVideo | undefined,
  onBus: ReadonlyMap<string, readonly Described[]>,
): string[] {
  if (!video) return [`${name} belongs to an unexpected video`];
  const { path, message_id, verified } = arrival;
  const expected = webhookPathOf(video.wanted);
  const isPublished = (onBus.get(detail.id) ?? []).some((event) => isSameChange(event.detail, detail));
  return [
    ...(verified ? [] : [`${name} has no valid signature`]),
    ...(message_id === `msg_${detail.id}_${detail.sequence}` ? [] : [`${name} has the id of another event`]),
    ...(path === expected && detail.owner === video.wanted.owner
      ? []
      : [`${name} arrived at ${path}, not ${expected}`]),
    ...(isWanted(video, detail.status) ? [] : [`${name} has the status ${detail.status}, which is not subscribed`]),
    ...(isIn(timeline, detail) || (timeline === undefined && isPublished) ? [] : [`${name} came before its record`]),
  ];
}

const isWanted = ({ wanted }: SubmittedVideo, status: EventDetail['status']): boolean =>
  (wanted.webhook ?? subscriptions[wanted.owner]) === 'all' || isTerminal(status);

/** Checks that no delivery is pending or was given up, and that no webhook was sent after a newer event of its video was delivered. */
function deliveryIssues(
  { deliveries }: LastState,
  submitted: ReadonlyMap<string, SubmittedVideo>,
  atReceiver: ReadonlyMap<string, readonly ArrivedEvent[]>,
): string[] {
  return deliveries.flatMap(({ video_id, sequence, state, open_status, last_attempts }) => {
    const name = `the delivery of ${video_id} (${sequence})`;
    const arrivals = atReceiver.get(video_id) ?? [];
    const isNewerAcknowledged = arrivals.some(
      ({ detail, arrival }) => detail.sequence > sequence && arrival.acknowledged,
    );
    const success = last_attempts.find(({ status = 0 }) => status >= 200 && status < 300);
    const delivered = success === undefined ? Infinity : Date.parse(success.at) + success.milliseconds;
    const late = arrivals.filter(
      ({ detail, arrival }) =>
        detail.sequence < sequence &&
        detail.sequence !== submitted.get(video_id)?.redelivered?.sequence &&
        arrival.at > delivered + LONGEST_ATTEMPT_MILLISECONDS,
    );
    return [
      ...(state === 'pending' || state === 'failed' ? [`${name} is ${state}`] : []),
      ...(state !== 'pending' && open_status !== undefined ? [`${name} is ${state} and in the index`] : []),
      ...(state === 'dropped' && !isNewerAcknowledged ? [`${name} was dropped without a newer one`] : []),
      ...late.map((older) => `${older.name} arrived after ${sequence} was delivered`),
    ];
  });
}

/** Checks that an event that was requested again arrived afterwards. */
function redeliveryIssues({ id, redelivered }: SubmittedVideo, got: readonly ArrivedEvent[]): string[] {
  if (!redelivered) return [];
  const { sequence, at } = redelivered;
  return got.some(({ detail, arrival }) => detail.sequence === sequence && arrival.at >= at && arrival.acknowledged)
    ? []
    : [`the receiver did not get the event ${sequence} of ${id} again`];
}

/** Checks that each status change of a video was published. */
function publicationIssues({ videos }: LastState, video: SubmittedVideo, events: readonly Described[]): string[] {
  const published = new Set(events.map(({ detail }) => detail.sequence));
  // The record of a deleted video is gone: its last event is its ending.
  const last = video.deleted ? Math.max(1, ...published) : (videos.get(video.id)?.timeline.length ?? 0);
  return Array.from({ length: last }, (_, index) => index + 1)
    .filter((sequence) => !published.has(sequence))
    .map((sequence) => `the status change ${sequence} of ${video.id} was not published`);
}

/** Checks that the last ending of a video reached bus and receiver, and the others too unless a newer event came first. */
function endingIssues(
  { videos, deliveries }: LastState,
  video: SubmittedVideo,
  events: readonly Described[],
  atReceiver: ReadonlyMap<string, readonly ArrivedEvent[]>,
): string[] {
  const { id } = video;
  const endings = new Set(events.flatMap(({ detail }) => (isTerminal(detail.status) ? [detail.sequence] : [])));
  const last = Math.max(0, ...endings);
  const recorded = videos.get(id)?.timeline.length ?? last;
  if (last === 0 || last !== recorded) return [`the ending of ${id} was not published`];
  const got = (sequence: number) =>
    (atReceiver.get(id) ?? []).some(({ detail, arrival }) => detail.sequence === sequence && arrival.acknowledged);
  const wasDropped = (sequence: number) =>
    deliveries.some(
      (delivery) => delivery.video_id === id && delivery.sequence === sequence && delivery.state === 'dropped',
    );
  return [...endings]
    .filter((sequence) => !got(sequence) && (sequence === last || !wasDropped(sequence)))
    .map((sequence) => `the receiver did not get the ending ${sequence} of ${id}`);
}
