import type { LimitSettings } from '../shared/environment.ts';
import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import type { Model } from '../wan/catalogue.ts';
import { MAX_BACKLOG_MILLISECONDS, reserveSlot } from './rate-limiter.ts';

/** A lane's item: who runs, when each owner was last served, how far the submit clock has come, and whether it is held. */
export interface ModelQueue {
  /** Ids of the videos that hold a permit. */
  running: ReadonlySet<string>;
  /** Owner → milliseconds since 1970. */
  served: ReadonlyMap<string, number>;
  /**
   * The queue is paused because Wan refuses the account (a wrong key, arrears): nothing is dispatched before this time, and then one
   * video as a probe. A created task ends the pause.
   */
  paused_until?: string;
  pause_reason?: string;
}

type ModelQueueItem = Partial<Omit<ModelQueue, 'served'>> & { served?: Record<string, number> };

/** The lane as it is now (strongly consistent). */
export async function readModelQueue(table: Table, model: string): Promise<ModelQueue> {
  const item = await getItem<ModelQueueItem>(table, keys.lane(model));
  return { ...item, running: item?.running ?? new Set(), served: new Map(Object.entries(item?.served ?? {})) };
}

/** Whether nothing may be started at a time. @param now milliseconds since 1970 */
export const isPaused = ({ paused_until }: Pick<ModelQueue, 'paused_until'>, now: number): boolean =>
  paused_until !== undefined && Date.parse(paused_until) > now;

/** How long a paused queue waits between two probes. */
const PROBE_MILLISECONDS = 60_000;
const nextProbe = (now: number): string => new Date(now + PROBE_MILLISECONDS).toISOString();

/**
 * Takes a permit for a video. Taking it twice is taking it once. In a paused queue the claim also moves the time of the next probe,
 * so that of any number of dispatchers one succeeds, and a probe that dies is followed by another.
 * @param seen the pause as the dispatcher saw it. @default - none
 * @returns false when all permits are taken, or the pause has changed since
 */
export async function claimPermit(
  table: Table,
  lane: ModelLimits,
  video: { id: string; owner: string },
  { paused_until }: Pick<ModelQueue, 'paused_until'> = {},
): Promise<boolean> {
  const now = table.now();
  const claim = () =>
    updateItem(table, keys.lane(lane.model), {
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
        ':max': lane.permits,
        ...(paused_until ? { ':paused_until': paused_until, ':next_probe': nextProbe(now) } : {}),
      },
    });
  if (await claim()) return true;
  // A lane that was never used has no map yet, and a path into a missing map is an error, not an insert. Whoever opens it, all claim again.
  await updateItem(table, keys.lane(lane.model), {
    UpdateExpression: 'SET served = :empty',
    ConditionExpression: 'attribute_not_exists(served)',
    ExpressionAttributeValues: { ':empty': {} },
  });
  return (await claim()) !== undefined;
}

/** So many owners' names fit into one update's 4 KB. */
const MOST_FORGOTTEN = 100;

/**
 * Forgets when owners were served whose last turn was before a time: who was served longest ago, and who never was, both come first,
 * and every write to a lane costs by its size.
 * @param before milliseconds since 1970
 */
export async function pruneServed(table: Table, model: string, { served }: ModelQueue, before: number): Promise<void> {
  const owners = [...served].flatMap(([owner, at]) => (at < before ? [owner] : [])).slice(0, MOST_FORGOTTEN);
  if (owners.length === 0) return;
  const names = owners.map((owner, index) => [`#${index}`, owner] as const);
  await updateItem(table, keys.lane(model), {
    UpdateExpression: `REMOVE ${names.map(([name]) => `served.${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(names),
  });
}

/** Sees to it that a video that is under way has its permit, however many are taken. Where it has it already, nothing changes. */
export async function ensurePermit(table: Table, model: string, id: string): Promise<void> {
  await updateItem(table, keys.lane(model), {
    UpdateExpression: 'ADD running :set_of_id',
    ExpressionAttributeValues: { ':set_of_id': new Set([id]) },
  });
}

/** Gives a permit back. Giving it back twice, or one that was never taken, changes nothing. */
export async function releasePermit(table: Table, model: string, id: string): Promise<void> {
  await updateItem(table, keys.lane(model), {
    UpdateExpression: 'DELETE running :set_of_id',
    ExpressionAttributeValues: { ':set_of_id': new Set([id]) },
  });
}

/**
 * Reserves the next moment at which this model may be asked to create a task.
 * @returns milliseconds since 1970, never before now
 */
export async function reserveSubmitSlot(table: Table, { model, submit_interval_ms }: ModelLimits): Promise<number> {
  const moment = await reserveSlot(table, keys.lane(model), submit_interval_ms, MAX_BACKLOG_MILLISECONDS);
  return moment!;
}

/** Pauses the queue, because Wan refuses every task for a reason that is no video's fault. */
export async function pauseQueue(
  table: Table,
  model: string,
  reason: string,
  until: string = nextProbe(table.now()),
): Promise<void> {
  await updateItem(table, keys.lane(model), {
    UpdateExpression: 'SET paused_until = :until, pause_reason = :reason',
    ExpressionAttributeValues: { ':until': until, ':reason': reason },
  });
}

/**
 * Ends the queue's pause, since Wan has just created a task.
 * @returns whether there was one
 */
export async function resumeQueue(table: Table, model: string): Promise<boolean> {
  // Nearly always there is none, and a read costs far less than a write that changes nothing.
  if (!(await readModelQueue(table, model)).paused_until) return false;
  const resumed = await updateItem(table, keys.lane(model), {
    UpdateExpression: 'REMOVE paused_until, pause_reason',
    ConditionExpression: 'attribute_exists(paused_until)',
  });
  return resumed !== undefined;
}

/** What a lane may use at once and how fast. */
export interface ModelLimits {
  model: string;
  /** Videos that may be at Wan at once: the documented concurrency and a few more, so that a freed place is taken at once. */
  permits: number;
  /** Milliseconds between two submits. */
  submit_interval_ms: number;
}

/** A lane, and what Wan makes of it: by this its queue drains. */
export interface ModelPace extends ModelLimits {
  /** Tasks of the model that Wan runs at once. */
  concurrent_tasks: number;
}

/** The lane of a model: the catalogue's limits (Wan counts per account and model), raised or lowered by the deployment. */
export function limitsOf(model: Pick<Model, 'name' | 'rate_limits'>, limits: LimitSettings): ModelPace {
  const own = limits.models[model.name];
  const concurrent = own?.concurrent_tasks ?? model.rate_limits.concurrent_tasks;
  const perSecond = own?.submits_per_second ?? model.rate_limits.submits_per_second;
  return {
    model: model.name,
    permits: concurrent + limits.extra_permits,
    concurrent_tasks: concurrent,
    submit_interval_ms: Math.ceil(1000 / perSecond),
  };
}
