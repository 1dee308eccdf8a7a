import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../shared/table-schema.ts';
import { afterOwner, beforeOwner, queueOf, readQueuePosition } from '../video/keys.ts';
import { queryItems, type Table } from '../video/table.ts';
import type { ModelQueue } from './model-queue.ts';

/** A waiting video and its owner. */
export interface QueuedVideo {
  owner: string;
  id: string;
}

/** Rows per page of an index query. An owner with more videos than this is skipped after one page. */
const PAGE_SIZE = 100;
/** How many pages one call reads: at least this many owners are considered, regardless of how many videos each has. */
const MAX_PAGES = 25;

/**
 * Returns the oldest waiting video of each owner, ordered by owner name, starting after the owner `after` and wrapping around. When
 * more owners wait than one call considers, callers that start after the owner served last reach all of them over time.
 *
 * The index is eventually consistent: it still shows videos that were just started. `started` excludes the known ones, and callers
 * check the record before they act.
 */
export async function firstOfEachOwner(
  table: Table,
  model: string,
  { started, after }: { started: ReadonlySet<string>; after?: string | undefined },
): Promise<QueuedVideo[]> {
  const waiting = new Map<string, QueuedVideo>();
  const start = after === undefined ? ' ' : afterOwner(after);
  const ranges = [
    { from: start, to: '~' },
    { from: ' ', to: start },
  ];
  // Even if all started videos belong to one owner, the page shows that owner's next one.
  const limit = started.size + PAGE_SIZE;
  let pages = 0;
  for (const { from, to } of ranges) {
    for (let at = from; at < to && pages < MAX_PAGES; pages++) {
      const { Items = [] } = await table.client.send(
        new QueryCommand({
          TableName: table.tableName,
          IndexName: indexes.byStatus.name,
          KeyConditionExpression: 'open_status = :queue AND open_order BETWEEN :from AND :to',
          ExpressionAttributeValues: { ':queue': queueOf(model), ':from': at, ':to': to },
          Limit: limit,
        }),
      );
      const positions = Items.map((item) => readQueuePosition(item.open_order as string));
      for (const { owner, id } of positions) {
        if (!waiting.has(owner) && !started.has(id)) waiting.set(owner, { owner, id });
      }
      const last = positions.at(-1);
      if (!last || positions.length < limit) break;
      // The next page starts at the beginning of an owner whose first waiting video may be beyond this page's end.
      at = waiting.has(last.owner) ? afterOwner(last.owner) : beforeOwner(last.owner);
    }
  }
  return [...waiting.values()];
}

/** The waiting videos of a model: each owner's index positions, oldest first, ordered by owner name. */
export interface Queue {
  owners: ReadonlyMap<string, readonly string[]>;
  /** False when too many wait to read all. */
  isWhole: boolean;
}

/** A page of the index has 1 MB: about 6,000 positions. */
const MAX_QUEUE_PAGES = 4;

/** Returns the waiting videos of a model that hold no permit; of more than about 20,000, the first ones. */
export async function readQueue(table: Table, model: string, started: ReadonlySet<string>): Promise<Queue> {
  const owners = new Map<string, string[]>();
  let start: Record<string, unknown> | undefined;
  for (let pages = 0; pages < MAX_QUEUE_PAGES; pages++) {
    const { Items = [], LastEvaluatedKey } = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        IndexName: indexes.byStatus.name,
        KeyConditionExpression: 'open_status = :queue',
        ExpressionAttributeValues: { ':queue': queueOf(model) },
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    for (const { open_order } of Items) {
      const { owner, id, order } = readQueuePosition(open_order as string);
      if (started.has(id)) continue;
      const positions = owners.get(owner) ?? [];
      positions.push(order);
      owners.set(owner, positions);
    }
    start = LastEvaluatedKey;
    if (!start) return { owners, isWhole: true };
  }
  return { owners, isWhole: false };
}

/** Yields the ids of the videos in an open status, oldest first. */
export async function* idsInStatus(
  table: Table,
  openStatus: 'submitting' | 'running' | 'archiving' | 'unfinished' | 'deleting',
): AsyncGenerator<string> {
  const open = queryItems(table, {
    IndexName: indexes.byStatus.name,
    KeyConditionExpression: 'open_status = :status',
    ExpressionAttributeValues: { ':status': openStatus },
  });
  for await (const item of open) yield readQueuePosition(item.open_order as string).id;
}

type Served = Pick<ModelQueue, 'served'>;

/** Returns the owner served last; undefined when no owner was served yet. */
export const lastServedOwner = ({ served }: Served): string | undefined =>
  [...served].reduce<[owner: string, at: number] | undefined>(
    (last, each) => (last && last[1] >= each[1] ? last : each),
    undefined,
  )?.[0];

/**
 * Sorts videos by when their owner was last served: never served first, then longest ago. Ties keep their order. A served owner moves
 * to the end, so every owner gets a first video before any gets a second.
 */
export const roundRobinOrder = <Item extends { owner: string }>(
  waiting: readonly Item[],
  { served }: Served,
): Item[] => {
  const at = ({ owner }: Item): number => served.get(owner) ?? 0;
  return waiting.toSorted((one, other) => at(one) - at(other));
};
