import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { timeToLive } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import type { TimelineEntry, VideoRecord } from '../video/record.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import type { EventDetail } from './schema.ts';

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
interface PublishedItem {
  sequence: number;
}

/**
 * Publishes the status changes of a video that are not published yet: its timeline is the outbox (invariant 9). A crash between the
 * status write and this call is repaired by the video's next status change, and after an ending by the sweep. Concurrent calls publish
 * an event twice, never not at all.
 * @throws Error when EventBridge refuses an event or does not answer; nothing is marked as published then
 */
export async function publishEvents({ table, eventBridge, busName }: EventServices, video: VideoRecord): Promise<void> {
  const published = (await getItem<PublishedItem>(table, keys.published(video.id)))?.sequence ?? 0;
  const entries = video.timeline.map((entry, index) => busEntry(video, entry, index + 1, busName)).slice(published);
  for (let first = 0; first < entries.length; first += ENTRIES_PER_CALL) {
    const batch = entries.slice(first, first + ENTRIES_PER_CALL);
    const { FailedEntryCount = 0, Entries = [] } = await eventBridge.send(new PutEventsCommand({ Entries: batch }));
    if (FailedEntryCount > 0) {
      const codes = Entries.flatMap(({ ErrorCode }) => ErrorCode ?? []);
      throw new Error(`EventBridge refused ${FailedEntryCount} events: ${codes.join(', ')}.`);
    }
  }
  if (entries.length > 0) await markPublished(table, video);
}

async function markPublished(table: Table, { id, timeline }: VideoRecord): Promise<void> {
  await updateItem(table, keys.published(id), {
    UpdateExpression: 'SET #sequence = :sequence, #ttl = :ttl',
    ConditionExpression: 'attribute_not_exists(#sequence) OR #sequence < :sequence',
    ExpressionAttributeNames: { '#sequence': 'sequence', '#ttl': timeToLive },
    ExpressionAttributeValues: {
      ':sequence': timeline.length,
      ':ttl': Math.floor(table.now() / 1000) + REMEMBERED_DAYS * 24 * 3600,
    },
  });
}

const busEntry = (
  video: VideoRecord,
  entry: TimelineEntry,
  sequence: number,
  busName: string,
): PutEventsRequestEntry => ({
  EventBusName: busName,
  Source: 'firstframe',
  DetailType: `video.${entry.status}`,
  Time: new Date(entry.at),
  Detail: JSON.stringify(detailOf(video, entry, sequence)),
});

/** Describes a video in an event. What follows from the latest status is only in its event. */
function detailOf(video: VideoRecord, { status, at }: TimelineEntry, sequence: number): EventDetail {
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
