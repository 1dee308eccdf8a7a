import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { conditionally, type Table } from '../video/table.ts';
import { findModel, isModelName } from '../wan/catalogue.ts';

/** The weight of a new task in the average, so that about ten tasks are remembered. */
const WEIGHT = 0.1;
/** Wan fails a task that has no result after 3 hours. A time that is shorter than the least or longer is the fault of a clock. */
const POSSIBLE_SECONDS = { least: 0.1, most: 3 * 3600 };
/** Where nothing is known of a model: the middle of the reference's "1 to 5 minutes". */
const UNKNOWN_MODEL_SECONDS = 120;
const CACHED_MILLISECONDS = 60_000;
/** Others may learn at the same moment; a task that nothing is learned from is no loss. */
const ATTEMPTS = 3;

type Kind = Pick<VideoRecord, 'model' | 'parameters'>;

/** What a container remembers, by the client of its table. */
const caches = new WeakMap<object, Map<string, { until: number; seconds: number | undefined }>>();

/**
 * How long the task of such a video takes, in seconds: learned from its kind (model, resolution, duration), before that by configuration
 * or the catalogue. At most a minute old. Never fails: while the table cannot be read, it is the last known figure.
 * @param configured the deployment's own figure in seconds
 */
export async function typicalSecondsOf(table: Table, video: Kind, configured?: number): Promise<number> {
  const key = keyOf(video);
  const cache = cacheOf(table);
  const known = cache.get(key);
  if (known && table.now() < known.until) return known.seconds ?? typicalSeconds(video, configured);
  try {
    const seconds = await readAverage(table, key);
    cache.set(key, { until: table.now() + CACHED_MILLISECONDS, seconds });
    return seconds ?? typicalSeconds(video, configured);
  } catch {
    return known?.seconds ?? typicalSeconds(video, configured);
  }
}

/** How long the task of such a video takes where nothing was learned, in seconds. @param configured the deployment's own figure */
export function typicalSeconds({ model, parameters }: Kind, configured?: number): number {
  if (configured !== undefined) return configured;
  if (!isModelName(model)) return UNKNOWN_MODEL_SECONDS;
  const { base, per_video_second } = findModel(model).typical_seconds;
  return base + per_video_second * (parameters.duration ?? 0);
}

/** Learns from a task that succeeded. Never fails. @param seconds from its submission to its end */
export async function learnDuration(table: Table, video: Kind, seconds: number, configured?: number): Promise<void> {
  if (!(seconds > 0)) return;
  const key = keyOf(video);
  const possible = Math.min(POSSIBLE_SECONDS.most, Math.max(POSSIBLE_SECONDS.least, seconds));
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await readAverage(table, key);
      const average = (1 - WEIGHT) * (before ?? typicalSeconds(video, configured)) + WEIGHT * possible;
      const rounded = Math.round(average * 1000) / 1000;
      if (!(await replaceAverage(table, key, before, rounded))) continue;
      cacheOf(table).set(key, { until: table.now() + CACHED_MILLISECONDS, seconds: rounded });
      return;
    }
  } catch {
    // The next tasks of this kind teach the same.
  }
}

async function readAverage(table: Table, key: string): Promise<number | undefined> {
  const { Item } = await table.client.send(new GetCommand({ TableName: table.tableName, Key: { pk: key } }));
  return Item && Number(Item.seconds);
}

/** @returns false when another average was written meanwhile */
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

const keyOf = ({ model, parameters }: Kind): string =>
  keys.durations(model, parameters.resolution, parameters.duration);

function cacheOf({ client }: Table) {
  const cache = caches.get(client) ?? new Map<string, { until: number; seconds: number | undefined }>();
  caches.set(client, cache);
  return cache;
}
