import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { conditionally, type Table } from '../video/table.ts';
import { type CatalogueChanges, rowOf } from '../wan/changes.ts';
import { AUTOMATIC_DURATION, longestDuration } from '../wan/output.ts';

/** The weight of a new task in the moving average, which thus covers about ten tasks. */
const WEIGHT = 0.1;
/** Wan fails a task that has no result after 3 hours. Durations outside this range come from clock skew. */
const PLAUSIBLE_SECONDS = { min: 0.1, max: 3 * 3600 };
/** For models outside the catalogue: within the reference's "1 to 5 minutes". */
const UNKNOWN_MODEL_SECONDS = 120;
const CACHED_MILLISECONDS = 60_000;
/** Concurrent updates conflict. A task that is left out of the average does no harm. */
const MAX_ATTEMPTS = 3;

type Kind = Pick<VideoRecord, 'model' | 'family' | 'parameters'>;

/** What a deployment configures: the seconds of every task, or those of models. */
export type ConfiguredSeconds = number | CatalogueChanges | undefined;

/** The cached averages of this container, per DynamoDB client. */
const caches = new WeakMap<object, Map<string, { until: number; seconds: number | undefined }>>();

/**
 * Returns the typical duration of such a task in seconds: the average learned for its model, resolution and duration, else the
 * configured or the catalogue's value. Cached for a minute. Never rejects: when the read fails, returns the last known value.
 * @param configured what the deployment configures
 */
export async function typicalSecondsOf(table: Table, video: Kind, configured?: ConfiguredSeconds): Promise<number> {
  const key = durationKey(video);
  const cache = cacheOf(table);
  const cached = cache.get(key);
  if (cached && table.now() < cached.until) return cached.seconds ?? typicalSeconds(video, configured);
  try {
    const seconds = await readAverage(table, key);
    cache.set(key, { until: table.now() + CACHED_MILLISECONDS, seconds });
    return seconds ?? typicalSeconds(video, configured);
  } catch {
    return cached?.seconds ?? typicalSeconds(video, configured);
  }
}

/** Returns the typical duration of a task in seconds without learned data. @param configured the configured duration */
export function typicalSeconds({ model, family, parameters }: Kind, configured?: ConfiguredSeconds): number {
  if (typeof configured === 'number') return configured;
  const row = rowOf(model, configured) ?? rowOf(family);
  if (!row) return UNKNOWN_MODEL_SECONDS;
  const { typical_seconds, durations } = row;
  const { duration = 0 } = parameters;
  const seconds = duration === AUTOMATIC_DURATION ? longestDuration(durations) : duration;
  return typical_seconds.base + typical_seconds.per_video_second * seconds;
}

/** Adds a successful task to the average. Never rejects. @param seconds from its submission to its end */
export async function learnDuration(
  table: Table,
  video: Kind,
  seconds: number,
  configured?: ConfiguredSeconds,
): Promise<void> {
  if (!(seconds > 0)) return;
  const key = durationKey(video);
  const plausible = Math.min(PLAUSIBLE_SECONDS.max, Math.max(PLAUSIBLE_SECONDS.min, seconds));
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const before = await readAverage(table, key);
      const average = (1 - WEIGHT) * (before ?? typicalSeconds(video, configured)) + WEIGHT * plausible;
      const rounded = Math.round(average * 1000) / 1000;
      if (!(await replaceAverage(table, key, before, rounded))) continue;
      cacheOf(table).set(key, { until: table.now() + CACHED_MILLISECONDS, seconds: rounded });
      return;
    }
  } catch {
    // The next tasks of this kind update the average.
  }
}

async function readAverage(table: Table, key: string): Promise<number | undefined> {
  const { Item } = await table.client.send(new GetCommand({ TableName: table.tableName, Key: { pk: key } }));
  return Item && Number(Item.seconds);
}

/** @returns false when the average was changed concurrently */
async function replaceAverage(
  table: Table,
  key: string,
  before: number | undefined,
  seconds: number,
): Promise<boolean> {
  const update = new UpdateCommand({
    TableName: table.tableName,
    Key: { pk: key },
    UpdateExpression: 'SET seconds = :seconds',
    ConditionExpression: before === undefined ? 'attribute_not_exists(seconds)' : 'seconds = :before',
    ExpressionAttributeValues: { ':seconds': seconds, ...(before === undefined ? {} : { ':before': before }) },
  });
  return (await conditionally(table.client.send(update))) !== undefined;
}

const durationKey = ({ model, parameters }: Kind): string =>
  keys.durations(model, parameters.resolution, parameters.duration);

function cacheOf({ client }: Table) {
  const cache = caches.get(client) ?? new Map<string, { until: number; seconds: number | undefined }>();
  caches.set(client, cache);
  return cache;
}
