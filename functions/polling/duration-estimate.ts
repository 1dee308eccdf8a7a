import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import { conditionally } from '../video/table.ts';
import { findModel, isModelName } from '../wan/catalogue.ts';

/** How long tasks of one kind (model, resolution, duration) take, in seconds from their submit. */
export interface DurationEstimate {
  /** Half of them are done by then. */
  typical_seconds: number;
  /** One in ten is done by then. */
  earliest_seconds: number;
  /** Nineteen in twenty are done by then; 3 hours at most, which is as long as Wan tries. */
  latest_seconds: number;
  /** How closely they lie together: the exponent of the log-logistic distribution. */
  steepness: number;
  /** How many tasks it is learnt from; 0 for configuration or the catalogue alone. */
  count: number;
}

/** What is learnt: exponentially weighted mean and variance of the natural logarithm of the seconds. */
interface Learnt {
  count: number;
  mean: number;
  variance: number;
}

type Kind = Pick<VideoRecord, 'model' | 'parameters'>;

/** Published samples lie between 73 and 576 s (facts, "How long a task takes"): three quarters of an e-fold around the middle. */
const SEED_DEVIATION = 0.75;
/** The seed counts as so many tasks, and a new one never weighs less than this: some twenty tasks are remembered. */
const SEED_WEIGHT = 2;
const LEAST_WEIGHT = 0.05;
/** A task that took far longer than any before says little of the next: it moves the estimate no more than one at this distance. */
const FARTHEST = { deviations: 3, logarithm: 0.5 };
/** Wan fails a task that has no result after 3 hours; what is shorter than the least, or longer, is a clock's fault. */
const POSSIBLE_SECONDS = { least: 0.1, most: 3 * 3600 };
/** Starting, answering and clocks blur every duration by so many seconds. */
const BLUR_SECONDS = 0.3;
const LEAST_DEVIATION = 0.02;
const CACHED_MILLISECONDS = 60_000;
/** Whoever learns at the same moment goes first; a task that is not learnt from is no loss. */
const MOST_ATTEMPTS = 3;

/** What containers remember, by the client of their table. */
const caches = new WeakMap<object, Map<string, { until: number; learnt: Learnt | undefined }>>();

/**
 * How long such a video's task takes, from what was seen of its kind; before that by configuration or the catalogue. At most a minute
 * old. Never fails: a table that can't be read leaves the seed.
 * @param configured the deployment's own figure, in seconds
 */
export async function estimateOf(table: Table, video: Kind, configured?: number): Promise<DurationEstimate> {
  const key = keyOf(video);
  const cache = cacheOf(table);
  const known = cache.get(key);
  if (known && table.now() < known.until) return describe(known.learnt ?? seedOf(video, configured));
  try {
    const learnt = await readLearnt(table, key);
    cache.set(key, { until: table.now() + CACHED_MILLISECONDS, learnt });
    return describe(learnt ?? seedOf(video, configured));
  } catch {
    return describe(known?.learnt ?? seedOf(video, configured));
  }
}

/**
 * Learns from a task that succeeded. Never fails.
 * @param seconds from its submit to its end
 */
export async function learnDuration(table: Table, video: Kind, seconds: number, configured?: number): Promise<void> {
  if (!(seconds > 0)) return;
  const key = keyOf(video);
  try {
    for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts++) {
      const before = await readLearnt(table, key);
      const learnt = withDuration(before ?? seedOf(video, configured), seconds);
      if (!(await replace(table, key, before, learnt))) continue;
      cacheOf(table).set(key, { until: table.now() + CACHED_MILLISECONDS, learnt });
      return;
    }
  } catch {
    // What the next ones take is learnt from them.
  }
}

function withDuration({ count, mean, variance }: Learnt, seconds: number): Learnt {
  const weight = Math.max(LEAST_WEIGHT, 1 / (count + SEED_WEIGHT + 1));
  const farthest = Math.max(FARTHEST.deviations * Math.sqrt(variance), FARTHEST.logarithm);
  const possible = clamp(seconds, POSSIBLE_SECONDS.least, POSSIBLE_SECONDS.most);
  const distance = clamp(Math.log(possible) - mean, -farthest, farthest);
  return {
    count: count + 1,
    mean: mean + weight * distance,
    variance: (1 - weight) * (variance + weight * distance ** 2),
  };
}

function describe({ count, mean, variance }: Learnt): DurationEstimate {
  const typical_seconds = Math.min(Math.exp(mean), POSSIBLE_SECONDS.most);
  const deviation = Math.max(LEAST_DEVIATION, Math.hypot(Math.sqrt(variance), BLUR_SECONDS / typical_seconds));
  // The log-logistic distribution whose logarithm has this deviation.
  const steepness = Math.PI / (Math.sqrt(3) * deviation);
  // F(t) = 1 / (1 + (t / median)^-steepness) is 1/10 where the last term is 9, and 19/20 where it is 1/19.
  const around = (odds: number) => odds ** (1 / steepness);
  return {
    typical_seconds,
    earliest_seconds: typical_seconds / around(9),
    latest_seconds: Math.min(typical_seconds * around(19), POSSIBLE_SECONDS.most),
    steepness,
    count,
  };
}

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

const seedOf = (video: Kind, configured: number | undefined): Learnt => ({
  count: 0,
  mean: Math.log(typicalSeconds(video, configured)),
  variance: SEED_DEVIATION ** 2,
});

async function readLearnt(table: Table, key: string): Promise<Learnt | undefined> {
  const { Item } = await table.client.send(new GetCommand({ TableName: table.tableName, Key: { pk: key } }));
  return Item && { count: Number(Item.count), mean: Number(Item.mean), variance: Number(Item.variance) };
}

/** @returns whether nobody else had learnt meanwhile */
async function replace(table: Table, key: string, before: Learnt | undefined, learnt: Learnt): Promise<boolean> {
  const update = new UpdateCommand({
    TableName: table.tableName,
    Key: { pk: key },
    UpdateExpression: 'SET #count = :count, #mean = :mean, #variance = :variance',
    ConditionExpression: before ? '#count = :before' : 'attribute_not_exists(#count)',
    ExpressionAttributeNames: { '#count': 'count', '#mean': 'mean', '#variance': 'variance' },
    ExpressionAttributeValues: {
      ':count': learnt.count,
      // An item's numbers have 38 digits; a double's 17 fit, but for the smallest exponents.
      ':mean': Number(learnt.mean.toFixed(9)),
      ':variance': Number(learnt.variance.toFixed(9)),
      ...(before ? { ':before': before.count } : {}),
    },
  });
  return (await conditionally(table.client.send(update))) !== undefined;
}

const keyOf = ({ model, parameters }: Kind): string =>
  keys.durations(model, parameters.resolution, parameters.duration);

function cacheOf({ client }: Table) {
  const cache = caches.get(client) ?? new Map<string, { until: number; learnt: Learnt | undefined }>();
  caches.set(client, cache);
  return cache;
}

/** Where nothing is known of a model, the middle of the reference's "1 to 5 minutes". */
const UNKNOWN_MODEL_SECONDS = 120;

/**
 * How long such a video's task usually takes, in seconds.
 * @param configured the deployment's own figure, which goes before the catalogue's
 */
export function typicalSeconds(video: Pick<VideoRecord, 'model' | 'parameters'>, configured?: number): number {
  if (configured !== undefined) return configured;
  if (!isModelName(video.model)) return UNKNOWN_MODEL_SECONDS;
  const { base, per_video_second } = findModel(video.model).typical_seconds;
  return base + per_video_second * (video.parameters.duration ?? 0);
}
