import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from './keys.ts';
import type { VideoRecord } from './record.ts';
import type { Table } from './store.ts';

/**
 * The fence around one prompt for one model. Wan's task list tells a lost task by its prompt alone, so while anybody is unsure
 * whether such a task exists, nobody else may create one that looks the same.
 */
export interface Fence {
  /** Videos whose call to Wan may be under way. */
  in_flight: ReadonlySet<string>;
  /** Videos that lost an answer and are finding out what became of it. */
  uncertain: ReadonlySet<string>;
}

type Fenced = Pick<VideoRecord, 'id' | 'model' | 'input'>;

const keyOf = (video: Fenced) => ({ pk: keys.submission(video.model, video.input.prompt) });

/**
 * Enters the fence to send.
 * @returns false while another video is uncertain
 */
export async function enterFence(table: Table, video: Fenced): Promise<boolean> {
  try {
    await table.client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: keyOf(video),
        UpdateExpression: 'ADD in_flight :set_of_id',
        ConditionExpression: 'attribute_not_exists(uncertain)',
        ExpressionAttributeValues: { ':set_of_id': new Set([video.id]) },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** Says that this video's answer is lost: from now on nobody else sends the same prompt to the same model. */
export async function closeFence(table: Table, video: Fenced): Promise<Fence> {
  const { Attributes } = await table.client.send(
    new UpdateCommand({
      TableName: table.tableName,
      Key: keyOf(video),
      UpdateExpression: 'ADD uncertain :set_of_id, in_flight :set_of_id',
      ExpressionAttributeValues: { ':set_of_id': new Set([video.id]) },
      ReturnValues: 'ALL_NEW',
    }),
  );
  return { in_flight: Attributes?.in_flight ?? new Set(), uncertain: Attributes?.uncertain ?? new Set() };
}

/** Leaves the fence: what became of this video's call is known and written down. */
export async function leaveFence(table: Table, video: Fenced): Promise<void> {
  await table.client.send(
    new UpdateCommand({
      TableName: table.tableName,
      Key: keyOf(video),
      UpdateExpression: 'DELETE uncertain :set_of_id, in_flight :set_of_id',
      ExpressionAttributeValues: { ':set_of_id': new Set([video.id]) },
    }),
  );
}

/**
 * Writes down that a task of Wan's belongs to a video.
 * @returns false when another video owns it
 */
export async function claimTask(table: Table, taskId: string, id: string): Promise<boolean> {
  try {
    await table.client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: { pk: keys.task(taskId) },
        UpdateExpression: 'SET video_id = :id',
        ConditionExpression: 'attribute_not_exists(video_id) OR video_id = :id',
        ExpressionAttributeValues: { ':id': id },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** Which video owns a task of Wan's. */
export async function ownerOfTask(table: Table, taskId: string): Promise<string | undefined> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: { pk: keys.task(taskId) }, ConsistentRead: true }),
  );
  return Item?.video_id;
}
