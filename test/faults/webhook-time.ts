import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dueAt } from '../../functions/events/deliveries.ts';
import { readReceiver } from '../../functions/events/receivers.ts';
import { indexes } from '../../functions/shared/table-schema.ts';
import { keys } from '../../functions/video/keys.ts';
import { queryItems, type Table, tableOf, updateExpression, updateItem } from '../../functions/video/table.ts';
import { observerClient, table as tableName } from './observer.ts';
import { owners } from './wanted-videos.ts';

/**
 * Returns a function that lets the waiting times of webhooks pass, which take minutes in a deployment: what has waited since the previous
 * call is due, whether it is an attempt, a lost message or the end of a pause.
 * @param aws returns the endpoint of the AWS services
 * @param receiver the URL of the receiver
 */
export function webhookTime(aws: () => string, receiver: string): () => Promise<void> {
  /** Key → until when an item waits. */
  let previous = new Map<string, string>();
  return async () => {
    const client = new DynamoDBClient(observerClient(aws()));
    try {
      const table = tableOf(client, tableName);
      const waiting = new Map([...(await pendingDeliveries(table)), ...(await pauses(table, receiver))]);
      const unchanged = [...waiting].filter(([pk, until]) => previous.get(pk) === until);
      previous = waiting;
      for (const [pk, until] of unchanged) await endWait(table, pk, until);
    } finally {
      client.destroy();
    }
  };
}

/** Returns the keys of pending deliveries, with their positions in the index. */
async function pendingDeliveries(table: Table): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { pk, open_order } of queryItems(table, {
    IndexName: indexes.byStatus.name,
    KeyConditionExpression: 'open_status = :delivery',
    ExpressionAttributeValues: { ':delivery': 'delivery' },
  }))
    found.push([pk as string, open_order as string]);
  return found;
}

async function pauses(table: Table, receiver: string): Promise<[string, string][]> {
  const found = await Promise.all(
    Object.values(owners).map(async (owner): Promise<[string, string] | undefined> => {
      const { paused_until } = await readReceiver(table, owner, receiver);
      return paused_until === undefined ? undefined : [keys.receiver(owner, receiver), paused_until];
    }),
  );
  return found.filter((pause) => pause !== undefined);
}

async function endWait(table: Table, pk: string, until: string): Promise<void> {
  const now = new Date(table.now()).toISOString();
  if (until < now) return;
  const [, video_id, sequence] = until.split('#');
  const isDelivery = video_id !== undefined;
  const due = isDelivery ? dueAt(table.now(), { video_id, sequence: Number(sequence) }) : { paused_until: now };
  const { update, names, values } = updateExpression({ set: due, remove: [] });
  await updateItem(table, pk, {
    UpdateExpression: update,
    // Not while an attempt is in progress.
    ConditionExpression: `#until = :until AND (attribute_not_exists(claimed_until) OR claimed_until <= :now)`,
    ExpressionAttributeNames: { ...names, '#until': isDelivery ? 'open_order' : 'paused_until' },
    ExpressionAttributeValues: { ...values, ':until': until, ':now': now },
  });
}
