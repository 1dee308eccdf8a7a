import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../shared/table-schema.ts';
import { afterOwner, beforeOwner, queueOf, readQueuePosition } from '../video/keys.ts';
import { queryItems, type Table } from '../video/table.ts';
import type { ModelQueue } from './model-queue.ts';

/** The first video in one owner's part of a lane's queue. */
export interface Waiting {
  owner: string;
  id: string;
}

/** A page of a look into a queue: the owners of small queues come by the dozen, whoever has more than this is skipped to the next. */
const PAGE = 100;
/** How many pages one look reads: so many owners at least are considered, however many videos each of them has. */
const MOST_PAGES = 25;

/**
 * The oldest waiting video of each owner, in the order of the owners' names, beginning after one of them and around. Where more
 * owners wait than one look considers, it considers those that come next: whoever begins after the owner served last gets round
 * to all of them.
 *
 * The index trails the table by a moment: videos that were just started still stand in it. `started` names them, and whoever
 * acts on an answer checks the record itself.
 */
export async function firstOfEachOwner(
  table: Table,
  model: string,
  { started, after }: { started: ReadonlySet<string>; after?: string | undefined },
): Promise<Waiting[]> {
  const waiting = new Map<string, Waiting>();
  const start = after === undefined ? ' ' : afterOwner(after);
  const laps = [
    { from: start, to: '~' },
    { from: ' ', to: start },
  ];
  // Even if all that were started are one owner's, the next one shows.
  const limit = started.size + PAGE;
  let pages = 0;
  for (const { from, to } of laps) {
    for (let at = from; at < to && pages < MOST_PAGES; pages++) {
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
      // Of an owner whose first one may lie behind the page's end, the next page shows all.
      at = waiting.has(last.owner) ? afterOwner(last.owner) : beforeOwner(last.owner);
    }
  }
  return [...waiting.values()];
}

/** A model's queue as it stands in the index: of each owner, in the order of their names, the places of its videos, oldest first. */
export interface Queue {
  owners: ReadonlyMap<string, readonly string[]>;
  /** False where so many wait that not all were read. */
  isWhole: boolean;
}

/** A page of an index has 1 MB: about 6,000 places. */
const MOST_QUEUE_PAGES = 4;

/** All that wait for a model, and don't hold a permit already; of more than about 20,000 the first. */
export async function readQueue(table: Table, model: string, started: ReadonlySet<string>): Promise<Queue> {
  const owners = new Map<string, string[]>();
  let start: Record<string, unknown> | undefined;
  for (let pages = 0; pages < MOST_QUEUE_PAGES; pages++) {
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
      const places = owners.get(owner) ?? [];
      places.push(order);
      owners.set(owner, places);
    }
    start = LastEvaluatedKey;
    if (!start) return { owners, isWhole: true };
  }
  return { owners, isWhole: false };
}

/** Ids of the videos in a status that still needs work, oldest first. */
export async function* idsInStatus(
  table: Table,
  openStatus: 'submitting' | 'running' | 'archiving' | 'result_pending' | 'deleting',
): AsyncGenerator<string> {
  const open = queryItems(table, {
    IndexName: indexes.byStatus.name,
    KeyConditionExpression: 'open_status = :status',
    ExpressionAttributeValues: { ':status': openStatus },
  });
  for await (const item of open) yield readQueuePosition(item.open_order as string).id;
}

type Served = Pick<ModelQueue, 'served'>;

/** The owner who was served last; undefined in a lane that never served anybody. */
export const lastServedOwner = ({ served }: Served): string | undefined =>
  [...served].reduce<[owner: string, at: number] | undefined>(
    (last, each) => (last && last[1] >= each[1] ? last : each),
    undefined,
  )?.[0];

/**
 * Fairness between owners: who was served longest ago comes first, and whoever never was before that. Who can't be told apart
 * so keeps the order that they come in. Since whoever is served goes to the end, everybody's second comes after everybody's first.
 */
export const roundRobinOrder = <Waiting extends { owner: string }>(
  waiting: readonly Waiting[],
  { served }: Served,
): Waiting[] => {
  const at = ({ owner }: Waiting): number => served.get(owner) ?? 0;
  return waiting.toSorted((one, other) => at(one) - at(other));
};
