import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { keys } from './keys.ts';
import { isExpired, type VideoRecord } from './record.ts';

/** Returns a client that takes items as plain objects and omits undefined fields, as JSON does. */
export const documentClient = (client: DynamoDBClient): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

/** Returns the table for an operator's command. Functions use their platform's client. */
export const tableOf = (client: DynamoDBClient, tableName: string): Table => ({
  client: documentClient(client),
  tableName,
  now: Date.now,
});

/** Returns an item by its key (strongly consistent). */
export async function getItem<Item extends object>(table: Table, pk: string): Promise<Item | undefined> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: { pk }, ConsistentRead: true }),
  );
  return Item as Item | undefined;
}

/** Returns the item with a video's id (strongly consistent): its record or its tombstone; undefined when it has expired. */
export async function readItem(table: Table, id: string): Promise<Record<string, unknown> | undefined> {
  const item = await getItem<Record<string, unknown>>(table, keys.video(id));
  return item && isExpired(item, table.now()) ? undefined : item;
}

/**
 * Updates one item.
 * @returns the item after the update, or undefined when the condition does not hold and nothing was written
 */
export async function updateItem<Item extends object>(
  table: Table,
  pk: string,
  update: Omit<UpdateCommandInput, 'TableName' | 'Key' | 'ReturnValues'>,
): Promise<Item | undefined> {
  const written = await conditionally(
    table.client.send(
      new UpdateCommand({ TableName: table.tableName, Key: { pk }, ReturnValues: 'ALL_NEW', ...update }),
    ),
  );
  return written && ((written.Attributes ?? {}) as Item);
}

/**
 * Turns the failed condition of a write into a value.
 * @returns the result of the write, or undefined when the condition does not hold and nothing was written
 * @throws every other error
 */
export async function conditionally<Result>(write: Promise<Result>): Promise<Result | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/**
 * Builds an update expression: `set` writes attributes, `append` appends to lists, `remove` removes attributes. Skips `undefined`
 * values of `set`.
 */
export function updateExpression(change: { set: object; append?: object; remove: readonly string[] }): {
  update: string;
  names: Record<string, string>;
  values: Record<string, unknown>;
} {
  const set = Object.entries(change.set).filter(([, value]) => value !== undefined);
  const append = Object.entries(change.append ?? {});
  const assignments = [
    ...set.map(([name]) => `#${name} = :${name}`),
    ...append.map(([name]) => `#${name} = list_append(#${name}, :${name})`),
  ];
  const removals = change.remove.map((name) => `#${name}`);
  const names = [...set, ...append].map(([name]) => name).concat(change.remove);
  return {
    update: `SET ${assignments.join(', ')}${removals.length > 0 ? ` REMOVE ${removals.join(', ')}` : ''}`,
    names: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    values: Object.fromEntries([...set, ...append].map(([name, value]) => [`:${name}`, value])),
  };
}

/** Yields the items of a query and reads further pages on demand. */
export async function* queryItems(
  table: Table,
  query: Omit<QueryCommandInput, 'TableName'>,
): AsyncGenerator<Record<string, unknown>> {
  let start: Record<string, unknown> | undefined;
  do {
    const page = await table.client.send(
      new QueryCommand({ ...query, TableName: table.tableName, ...(start ? { ExclusiveStartKey: start } : {}) }),
    );
    yield* page.Items ?? [];
    start = page.LastEvaluatedKey;
  } while (start);
}

/** The table and its clock. */
export interface Table {
  client: Pick<DynamoDBDocumentClient, 'send'>;
  tableName: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /** How many days files of videos are kept, for functions that may end a video. @default - until they are deleted */
  videoRetentionDays?: number | undefined;
  /** Called after a status was written, that of a new video included. Must not throw. */
  onStatusChanged?: ((video: VideoRecord) => Promise<void>) | undefined;
}
