import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../shared/table-schema.ts';
import { afterOwner, queueOf, readQueuePosition } from './keys.ts';
import type { Table } from './store.ts';

/** The first video in one owner's part of a lane's queue. */
export interface Waiting {
  owner: string;
  id: string;
}

/** How many owners one look into a queue considers. */
const MAXIMUM_OWNERS = 50;

/**
 * The oldest waiting video of each owner: one small query an owner, however long their queues are. Where more owners wait than one
 * look considers, it considers those that come next after an owner, in the order of their names and around: whoever begins after
 * the owner served last gets round to all of them.
 *
 * The index trails the table by a moment: videos that were just started still stand in it. `started` names them, and whoever
 * acts on an answer checks the record itself.
 */
export async function firstOfEachOwner(
  table: Table,
  model: string,
  { started, after }: { started: ReadonlySet<string>; after?: string | undefined },
): Promise<Waiting[]> {
  const waiting: Waiting[] = [];
  const start = after === undefined ? ' ' : afterOwner(after);
  const laps = [
    { from: start, to: '~' },
    { from: ' ', to: start },
  ];
  for (const { from, to } of laps) {
    for (let at = from; at < to && waiting.length < MAXIMUM_OWNERS; ) {
      const { Items } = await table.client.send(
        new QueryCommand({
          TableName: table.tableName,
          IndexName: indexes.byStatus.name,
          KeyConditionExpression: 'open_status = :queue AND open_order BETWEEN :from AND :to',
          ExpressionAttributeValues: { ':queue': queueOf(model), ':from': at, ':to': to },
          // Even if all that were started are this owner's, the next one shows.
          Limit: started.size + 1,
        }),
      );
      const positions = (Items ?? []).map((item) => readQueuePosition(item.open_order as string));
      const owner = positions[0]?.owner;
      if (owner === undefined) break;
      const first = positions.find((position) => position.owner === owner && !started.has(position.id));
      if (first) waiting.push(first);
      at = afterOwner(owner);
    }
  }
  return waiting;
}

/** Ids of the videos in a status that still needs work, oldest first. */
export async function* idsInStatus(
  table: Table,
  openStatus: 'submitting' | 'running' | 'archiving' | 'untold' | 'deleting',
): AsyncGenerator<string> {
  let start: Record<string, unknown> | undefined;
  do {
    const page = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        IndexName: indexes.byStatus.name,
        KeyConditionExpression: 'open_status = :status',
        ExpressionAttributeValues: { ':status': openStatus },
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    for (const item of page.Items ?? []) yield readQueuePosition(item.open_order as string).id;
    start = page.LastEvaluatedKey;
  } while (start);
}
