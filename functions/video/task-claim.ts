import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { timeToLive } from '../shared/table-schema.ts';
import { conditionally } from './conditionally.ts';
import { expiry } from './expiry.ts';
import { keys } from './keys.ts';
import type { VideoRecord } from './record.ts';
import type { Table } from './store.ts';

/*
 * A claim may be forgotten after three days. Only tasks in Wan's list are looked up here, and Wan lists none that is older than 24
 * hours; a video whose answer was lost stops looking after as long. One that has expired and is still there says what it always said.
 */

/** What is known of whose a task of Wan's is. */
export interface TaskClaim {
  /** The video that owns it. */
  video_id?: string;
  /** Which paid attempt of that video it came of: one that is tried again does not take its last task for the new one. */
  attempt?: number;
  /** It could have been several videos' lost task: it is never given to one of them later, when the others have gone. */
  contested?: boolean;
}

/**
 * Writes down that a task of Wan's belongs to a video, by the attempt that its ledger tells of.
 * @returns false when another video owns it, or an earlier attempt of this one
 */
export async function claimTask(
  table: Table,
  taskId: string,
  { id, submission }: Pick<VideoRecord, 'id' | 'submission'>,
): Promise<boolean> {
  const claim = new UpdateCommand({
    TableName: table.tableName,
    Key: { pk: keys.task(taskId) },
    UpdateExpression: 'SET video_id = :id, attempt = :attempt, #ttl = :ttl',
    ConditionExpression: 'attribute_not_exists(video_id) OR (video_id = :id AND attempt = :attempt)',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':id': id, ':attempt': submission!.attempt, ':ttl': expiry(table.now()) },
  });
  return (await conditionally(table.client.send(claim))) !== undefined;
}

/** Writes down that nobody can tell whose task this is. */
export async function contestTask(table: Table, taskId: string): Promise<void> {
  await table.client.send(
    new UpdateCommand({
      TableName: table.tableName,
      Key: { pk: keys.task(taskId) },
      UpdateExpression: 'SET contested = :true, #ttl = :ttl',
      ExpressionAttributeNames: { '#ttl': timeToLive },
      ExpressionAttributeValues: { ':true': true, ':ttl': expiry(table.now()) },
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
