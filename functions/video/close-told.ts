import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { conditionally } from './conditionally.ts';
import { keys } from './keys.ts';
import type { VideoRecord } from './record.ts';
import type { Table } from './store.ts';

/** Takes a drop whose outcome is told from what needs work; one that has changed since stays, for its outcome may be another. */
export async function closeTold(table: Table, { id, status, run, updated_at }: VideoRecord): Promise<void> {
  const closing = new UpdateCommand({
    TableName: table.tableName,
    Key: { pk: keys.video(id) },
    UpdateExpression: 'REMOVE open_status, open_order',
    ConditionExpression: '#status = :status AND #run = :run AND updated_at = :updated_at',
    ExpressionAttributeNames: { '#status': 'status', '#run': 'run' },
    ExpressionAttributeValues: { ':status': status, ':run': run, ':updated_at': updated_at },
  });
  await conditionally(table.client.send(closing));
}
