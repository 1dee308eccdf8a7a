import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { conditionally } from './conditionally.ts';
import { keys } from './keys.ts';
import type { Table } from './store.ts';

/** What is known of whose a task of Wan's is. */
export interface TaskClaim {
  /** The video that owns it. */
  video_id?: string;
  /** It could have been several videos' lost task: it is never given to one of them later, when the others have gone. */
  contested?: boolean;
}

/**
 * Writes down that a task of Wan's belongs to a video.
 * @returns false when another video owns it
 */
export async function claimTask(table: Table, taskId: string, id: string): Promise<boolean> {
  const claim = new UpdateCommand({
    TableName: table.tableName,
    Key: { pk: keys.task(taskId) },
    UpdateExpression: 'SET video_id = :id',
    ConditionExpression: 'attribute_not_exists(video_id) OR video_id = :id',
    ExpressionAttributeValues: { ':id': id },
  });
  return (await conditionally(table.client.send(claim))) !== undefined;
}

/** Writes down that nobody can tell whose task this is. */
export async function contestTask(table: Table, taskId: string): Promise<void> {
  await table.client.send(
    new UpdateCommand({
      TableName: table.tableName,
      Key: { pk: keys.task(taskId) },
      UpdateExpression: 'SET contested = :true',
      ExpressionAttributeValues: { ':true': true },
    }),
  );
}

/** Whose a task of Wan's is (strongly consistent). */
export async function readTaskClaim(table: Table, taskId: string): Promise<TaskClaim> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: { pk: keys.task(taskId) }, ConsistentRead: true }),
  );
  return Item ?? {};
}
