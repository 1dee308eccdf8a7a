import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterOwner, indexes, queueOf, readQueuePosition } from './keys.ts';
import type { Table } from './store.ts';

/** The first video in one owner's part of a lane's queue. */
export interface Waiting {
  owner: string;
  id: string;
}

/** How far into one owner's queue a look goes to get past videos that hold a permit already. */
const DEPTH = 25;
/** How many owners one look into a queue considers; more of them wait until some of these are served. */
const MAXIMUM_OWNERS = 50;

/**
 * The oldest waiting video of each owner: one small query an owner, however long their queues are.
 * The index trails the table by a moment: videos that were just started still stand in it. `started` names them, and whoever
 * acts on an answer checks the record itself.
 */
export async function firstOfEachOwner(table: Table, model: string, started: ReadonlySet<string>): Promise<Waiting[]> {
  const waiting: Waiting[] = [];
  let from = ' ';
  while (waiting.length < MAXIMUM_OWNERS) {
    const { Items } = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        IndexName: indexes.byStatus,
        KeyConditionExpression: 'open_status = :queue AND open_order >= :from',
        ExpressionAttributeValues: { ':queue': queueOf(model), ':from': from },
        Limit: DEPTH,
      }),
    );
    const positions = (Items ?? []).map((item) => readQueuePosition(item.open_order as string));
    const owner = positions[0]?.owner;
    if (owner === undefined) break;
    const first = positions.find((position) => position.owner === owner && !started.has(position.id));
    if (first) waiting.push(first);
    from = afterOwner(owner);
  }
  return waiting;
}

/** Ids of the videos in a status that still needs work, oldest first. */
export async function* idsInStatus(
  table: Table,
  openStatus: 'submitting' | 'running' | 'archiving',
): AsyncGenerator<string> {
  let start: Record<string, unknown> | undefined;
  do {
    const page = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        IndexName: indexes.byStatus,
        KeyConditionExpression: 'open_status = :status',
        ExpressionAttributeValues: { ':status': openStatus },
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    for (const item of page.Items ?? []) yield readQueuePosition(item.open_order as string).id;
    start = page.LastEvaluatedKey;
  } while (start);
}
