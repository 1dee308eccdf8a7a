import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { timeToLive } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import { isTerminal, type TimelineEntry, type VideoRecord } from '../video/record.ts';
import { getItem, type Table, updateExpression, updateItem } from '../video/table.ts';
import type { RequestedWebhook } from '../wan/validation/webhook.ts';
import { createDelivery } from './deliveries.ts';
import type { EventDetail } from './schema.ts';
import { readSubscription } from './subscriptions.ts';

export interface EventServices {
  table: Table;
  eventBridge: Pick<EventBridgeClient, 'send'>;
  busName: string;
}

/** The maximum of PutEvents. */
const ENTRIES_PER_CALL = 10;

/** After this time a retried video repeats its earlier events. */
const REMEMBERED_DAYS = 90;

/** Which events of a video have been published. */
export interface PublishedItem {
  /** When the video was created: an expired or deleted video's id may get a new one. */
  created_at?: string;
  /** The highest sequence that was published. */
  sequence?: number;
  /** The highest sequence that a webhook got. */
  delivered?: number;
  /** The request's own webhook that answered 410. A restarted drop may have another one. */
  webhook_ended?: string;
}

/**
 * Publishes the status changes of a video that are not published yet: its timeline is the outbox (invariant 9). A crash between the
 * status write and this call is repaired by the video's next status change, and after an ending by the sweep. Concurrent calls publish
 * an event twice, never not at all.
 * @throws Error when EventBridge refuses an event or does not answer; nothing is marked as published then
 */
export async function publishEvents({ table, eventBridge, busName }: EventServices, video: VideoRecord): Promise<void> {
  const published = await readPublished(table, video);
  const first = published?.sequence ?? 0;
  if (first >= video.timeline.length) return;
  const webhook = await webhookOf(table, video, published);
  const entries: PutEventsRequestEntry[] = [];
  for (const [index, entry] of video.timeline.slice(first).entries()) {
    const isWanted = webhook !== undefined && (webhook.events === 'all' || isTerminal(entry.status));
    const detail = detailOf(video, entry, first + index + 1, isWanted);
    const type = `video.${entry.status}`;
    // Before the event, so that a crash in between leaves a delivery that the minute job sends.
    if (isWanted)
      await createDelivery(table, { video, detail, type, url: video.webhook?.url, host: new URL(webhook.url).host });
    entries.push(busEntry(entry, type, detail, busName));
  }
  for (let sent = 0; sent < entries.length; sent += ENTRIES_PER_CALL) {
    const batch = entries.slice(sent, sent + ENTRIES_PER_CALL);
    const { FailedEntryCount = 0, Entries = [] } = await eventBridge.send(new PutEventsCommand({ Entries: batch }));
    if (FailedEntryCount > 0) {
      const codes = Entries.flatMap(({ ErrorCode }) => ErrorCode ?? []);
      throw new Error(`EventBridge refused ${FailedEntryCount} events: ${codes.join(', ')}.`);
    }
  }
  await markPublished(table, video);
}

/** Reads what was published of a video. What was published of an earlier one with its id is forgotten, before any event of this one. */
async function readPublished(table: Table, { id, created_at }: VideoRecord): Promise<PublishedItem | undefined> {
  const published = await getItem<PublishedItem>(table, keys.published(id));
  if (published?.created_at === undefined || published.created_at === created_at) return published;
  return updateItem<PublishedItem>(table, keys.published(id), {
    UpdateExpression: 'SET created_at = :created_at REMOVE #sequence, delivered, webhook_ended',
    ConditionExpression: 'created_at = :read',
    ExpressionAttributeNames: { '#sequence': 'sequence' },
    ExpressionAttributeValues: { ':created_at': created_at, ':read': published.created_at },
  });
}

/** Returns the webhook of a video: that of its request, which replaces the owner's; undefined when there is none or its receiver ended it. */
async function webhookOf(
  table: Table,
  { webhook, owner }: VideoRecord,
  published: PublishedItem | undefined,
): Promise<RequestedWebhook | undefined> {
  if (webhook) return published?.webhook_ended === webhook.url ? undefined : webhook;
  const { url, events = 'endings', ended_at } = (await readSubscription(table, owner)) ?? {};
  return url === undefined || ended_at ? undefined : { url, events };
}

const markPublished = (table: Table, { id, timeline, created_at }: VideoRecord): Promise<void> =>
  raise(table, id, 'sequence', timeline.length, created_at);

/** Remembers the highest sequence that a webhook got, so that older events are dropped. */
export const recordDelivered = (table: Table, id: string, sequence: number): Promise<void> =>
  raise(table, id, 'delivered', sequence);

async function raise(
  table: Table,
  id: string,
  name: 'sequence' | 'delivered',
  sequence: number,
  created_at?: string,
): Promise<void> {
  const { update, names, values } = updateExpression({
    set: { [name]: sequence, created_at, [timeToLive]: expiry(table) },
    remove: [],
  });
  await updateItem(table, keys.published(id), {
    UpdateExpression: update,
    ConditionExpression: `attribute_not_exists(#${name}) OR #${name} < :${name}`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  });
}

const expiry = (table: Table): number => Math.floor(table.now() / 1000) + REMEMBERED_DAYS * 24 * 3600;

/** Ends the webhook of a video's request: its receiver answered 410. */
export async function endRequestedWebhook(table: Table, id: string, url: string): Promise<void> {
  const { update, names, values } = updateExpression({
    set: { webhook_ended: url, [timeToLive]: expiry(table) },
    remove: [],
  });
  await updateItem(table, keys.published(id), {
    UpdateExpression: update,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  });
}

const busEntry = (
  { at }: TimelineEntry,
  type: string,
  detail: EventDetail,
  busName: string,
): PutEventsRequestEntry => ({
  EventBusName: busName,
  Source: 'firstframe',
  DetailType: type,
  Time: new Date(at),
  Detail: JSON.stringify(detail),
});

/** Describes a video in an event. What follows from the latest status is only in its event. */
function detailOf(video: VideoRecord, { status, at }: TimelineEntry, sequence: number, webhook: boolean): EventDetail {
  const { id, owner, model, source, derived_from, metadata, error, cost, video: archived, timeline } = video;
  const isLatest = sequence === timeline.length;
  return {
    version: '1',
    id,
    owner,
    sequence,
    status,
    at,
    model,
    source: source.type,
    ...(derived_from ? { derived_from } : {}),
    metadata,
    webhook,
    ...(isLatest && status === 'succeeded' && archived ? { video: fileOf(archived) } : {}),
    ...(isLatest && status === 'succeeded' && cost ? { cost: { amount: cost.amount, currency: cost.currency } } : {}),
    ...(isLatest && status === 'failed' && error
      ? { error: { code: error.code, retryable: error.retryable, billed: error.billed } }
      : {}),
  };
}

const fileOf = ({
  bytes,
  sha256,
  content_type,
  duration_seconds,
  width,
  height,
}: NonNullable<VideoRecord['video']>): EventDetail['video'] => ({
  bytes,
  sha256,
  content_type,
  duration_seconds,
  width,
  height,
});
