import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Wait } from '../../../functions/polling/wait-item.ts';
import { conditionally, type Table } from '../../../functions/video/table.ts';

/** Writes the token as the state WaitForEnd does. @returns whether the condition held */
export async function writeToken(table: Table, token: string, wait: Wait): Promise<boolean> {
  const written = await conditionally(
    table.client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: { pk: wait.key },
        UpdateExpression:
          'SET #run = :run, task_id = :task_id, submit_time = :submit_time, #token = :token, open_status = :waiting, open_order = :order, wake_after = :wake_after',
        ConditionExpression: 'attribute_not_exists(#run) OR #run <= :run',
        ExpressionAttributeNames: { '#run': 'run', '#token': 'token' },
        ExpressionAttributeValues: {
          ':run': Number(wait.run),
          ':task_id': wait.task_id,
          ':submit_time': wait.submit_time,
          ':token': token,
          ':waiting': 'waiting',
          ':order': wait.order,
          ':wake_after': Number(wait.wake_after),
        },
      }),
    ),
  );
  return written !== undefined;
}
