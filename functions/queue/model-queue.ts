import type { LimitSettings } from '../shared/environment.ts';
import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import type { Model } from '../wan/catalogue.ts';

/** A model queue's item, without the state of its submit rate. */
export interface ModelQueue {
  /** Ids of the videos that hold a permit. */
  running: ReadonlySet<string>;
  /** When each of the latest owners was last served: owner → milliseconds since 1970. */
  served: ReadonlyMap<string, number>;
  /**
   * Set while the queue is paused because Wan refuses the account (invalid key, arrears). Nothing is dispatched before this time; then
   * one video probes. A created task ends the pause.
   */
  paused_until?: string;
  pause_reason?: string;
}

type ModelQueueItem = Partial<Omit<ModelQueue, 'served'>> & { served?: Record<string, number> };

/** Returns a model queue (strongly consistent). */
export async function readModelQueue(table: Table, model: string): Promise<ModelQueue> {
  const item = await getItem<ModelQueueItem>(table, keys.modelQueue(model));
  return { ...item, running: item?.running ?? new Set(), served: new Map(Object.entries(item?.served ?? {})) };
}

/** Whether the queue is paused. @param now milliseconds since 1970 */
export const isPaused = ({ paused_until }: Pick<ModelQueue, 'paused_until'>, now: number): boolean =>
  paused_until !== undefined && Date.parse(paused_until) > now;

/** The time between two probes of a paused queue. */
const PROBE_MILLISECONDS = 60_000;
const nextProbe = (now: number): string => new Date(now + PROBE_MILLISECONDS).toISOString();

/**
 * Claims a permit for a video. Idempotent. In a paused queue the claim also moves the time of the next probe, so that one of several
 * concurrent dispatchers succeeds, and another probe follows one that crashes.
 * @param paused_until the pause as the dispatcher read it. @default - not paused
 * @returns false when all permits are held, or the pause has changed
 */
export async function claimPermit(
  table: Table,
  limits: ModelLimits,
  video: { id: string; owner: string },
  { paused_until }: Pick<ModelQueue, 'paused_until'> = {},
): Promise<boolean> {
  const now = table.now();
  const claim = () =>
    updateItem(table, keys.modelQueue(limits.model), {
      UpdateExpression: `ADD running :set_of_id SET served.#owner = :now${paused_until ? ', paused_until = :next_probe' : ''}`,
      ConditionExpression: [
        'attribute_exists(served)',
        '(contains(running, :id) OR attribute_not_exists(running) OR size(running) < :max)',
        paused_until ? 'paused_until = :paused_until' : 'attribute_not_exists(paused_until)',
      ].join(' AND '),
      ExpressionAttributeNames: { '#owner': video.owner },
      ExpressionAttributeValues: {
        ':set_of_id': new Set([video.id]),
        ':id': video.id,
        ':now': now,
        ':max': limits.permits,
        ...(paused_until ? { ':paused_until': paused_until, ':next_probe': nextProbe(now) } : {}),
      },
    });
  if (await claim()) return true;
  // A new item has no map yet, and DynamoDB cannot set a path in a map that does not exist: create it, then claim again.
  await updateItem(table, keys.modelQueue(limits.model), {
    UpdateExpression: 'SET served = :empty',
    ConditionExpression: 'attribute_not_exists(served)',
    ExpressionAttributeValues: { ':empty': {} },
  });
  return (await claim()) !== undefined;
}

/** How long the time at which an owner was served is kept. */
const SERVED_MILLISECONDS = 3600_000;
/**
 * Above this many owners, dispatch prunes before it adds more: DynamoDB refuses an item over 400 KB, which 6,000 owners reach, and
 * each claim is billed by the item's size. Dispatch goes through the owners by name, so those without a time follow in this order.
 */
export const MAX_SERVED = 400;
const SERVED_AFTER_PRUNING = 200;
/** This many owner names fit into the 4 KB of an update expression. */
const MAX_PRUNED = 100;

/**
 * Keeps the times of the owners served within the last hour, at most the latest 200. Owners without a time come first, and a smaller
 * item makes every write cheaper.
 */
export async function pruneServed(table: Table, model: string, { served }: Pick<ModelQueue, 'served'>): Promise<void> {
  const latest = [...served].sort(([, one], [, other]) => other - one);
  const before = table.now() - SERVED_MILLISECONDS;
  const owners = latest.flatMap(([owner, at], index) => (at < before || index >= SERVED_AFTER_PRUNING ? [owner] : []));
  for (let start = 0; start < owners.length; start += MAX_PRUNED) {
    const names = owners.slice(start, start + MAX_PRUNED).map((owner, index) => [`#${index}`, owner] as const);
    await updateItem(table, keys.modelQueue(model), {
      UpdateExpression: `REMOVE ${names.map(([name]) => `served.${name}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names),
    });
  }
}

/** Gives a video in progress its permit, even when all permits are held. Idempotent. */
export async function ensurePermit(table: Table, model: string, id: string): Promise<void> {
  await updateItem(table, keys.modelQueue(model), {
    UpdateExpression: 'ADD running :set_of_id',
    ExpressionAttributeValues: { ':set_of_id': new Set([id]) },
  });
}

/** Releases a permit. Idempotent. */
export async function releasePermit(table: Table, model: string, id: string): Promise<void> {
  await updateItem(table, keys.modelQueue(model), {
    UpdateExpression: 'DELETE running :set_of_id',
    ExpressionAttributeValues: { ':set_of_id': new Set([id]) },
  });
}

/** Pauses the queue, because Wan refuses the account rather than a video. */
export async function pauseQueue(
  table: Table,
  model: string,
  reason: string,
  until: string = nextProbe(table.now()),
): Promise<void> {
  await updateItem(table, keys.modelQueue(model), {
    UpdateExpression: 'SET paused_until = :until, pause_reason = :reason',
    ExpressionAttributeValues: { ':until': until, ':reason': reason },
  });
}

/**
 * Ends the queue's pause after Wan has created a task.
 * @returns whether the queue was paused
 */
export async function resumeQueue(table: Table, model: string): Promise<boolean> {
  // The queue is rarely paused, and a read costs far less than a write without effect.
  if (!(await readModelQueue(table, model)).paused_until) return false;
  const resumed = await updateItem(table, keys.modelQueue(model), {
    UpdateExpression: 'REMOVE paused_until, pause_reason',
    ConditionExpression: 'attribute_exists(paused_until)',
  });
  return resumed !== undefined;
}

/** The limits of a model queue. */
export interface ModelLimits {
  model: string;
  /** Number of permits: Wan's concurrency plus `extra_permits`, so that a freed slot at Wan is used immediately. */
  permits: number;
  /** Milliseconds between two submissions. */
  submit_interval_ms: number;
}

/** The limits of a model queue and Wan's concurrency, from which the speed of the queue follows. */
export interface ModelPace extends ModelLimits {
  /** How many tasks of the model Wan runs concurrently. */
  concurrent_tasks: number;
}

/**
 * Returns a model's limits: the catalogue's (Wan counts per account and model), overridden by the deployment's settings, and these by
 * changes of the catalogue.
 */
export function limitsOf(
  model: Pick<Model, 'name' | 'rate_limits'>,
  limits: LimitSettings,
  changed?: LimitSettings['models'][string],
): ModelPace {
  const own = { ...limits.models[model.name], ...changed };
  const concurrent = own.concurrent_tasks ?? model.rate_limits.concurrent_tasks;
  const perSecond = own.submits_per_second ?? model.rate_limits.submits_per_second;
  return {
    model: model.name,
    permits: concurrent + limits.extra_permits,
    concurrent_tasks: concurrent,
    submit_interval_ms: Math.ceil(1000 / perSecond),
  };
}
