import { isDeepStrictEqual } from 'node:util';
import { itemSize } from 'dynalite/db/index.js';
import { partitionKey } from '../../functions/shared/table-schema.ts';
import type { prices } from '../../infra/operations/cost.ts';
import type { TableDefinition } from '../../local/aws/dynamodb/dynamodb.ts';
import type { inProcessDynamoDb } from '../../local/aws/dynamodb/in-process.ts';

/** Called for each billed amount, in the units of AWS's price list. */
export type Count = (unit: keyof typeof prices, amount: number) => void;

/** Size of a log line of a function, and of the two lines that Lambda adds per invocation together. Assumed, not measured. */
export const LOG_LINE_BYTES = 600;
/** Size of an execution event in the log, without data. Assumed, not measured. */
export const HISTORY_EVENT_BYTES = 400;

/** CPU time of an invocation, which takes no time on the virtual clock. Assumed, not measured. */
export const OWN_WORK_SECONDS = 0.05;

type Item = Record<string, object>;
type Index = Pick<
  NonNullable<TableDefinition['GlobalSecondaryIndexes']>[number],
  'IndexName' | 'KeySchema' | 'Projection'
>;

/** Wraps a DynamoDB to count the request units of each call, including those of indexes. It handles one call at a time. */
export function countingDynamoDb(
  send: ReturnType<typeof inProcessDynamoDb>,
  indexes: readonly Index[],
  count: Count,
): ReturnType<typeof inProcessDynamoDb> {
  let last: Promise<unknown> = Promise.resolve();
  const itemOf = async (input: object): Promise<Item | undefined> => {
    const { TableName, Key, Item } = input as { TableName: string; Key?: Item; Item?: Item };
    const key = { [partitionKey]: (Key ?? Item)![partitionKey] };
    return ((await send('GetItem', { TableName, Key: key, ConsistentRead: true })) as { Item?: Item }).Item;
  };

  async function read(operation: Parameters<typeof send>[0], input: object): Promise<object> {
    const output = await send(operation, { ...input, ReturnConsumedCapacity: 'TOTAL' });
    const { ConsumedCapacity } = output as { ConsumedCapacity: { CapacityUnits: number } };
    // dynalite counts nothing for a query without results.
    count('readUnit', Math.max(0.5, ConsumedCapacity.CapacityUnits));
    return output;
  }

  async function write(operation: Parameters<typeof send>[0], input: object): Promise<object> {
    const before = await itemOf(input);
    try {
      return await send(operation, input);
    } finally {
      // If a condition failed, the item is unchanged, and AWS bills the write by its size.
      count('writeUnit', writeUnits(before, await itemOf(input), indexes));
    }
  }

  return (operation, input) => {
    const isRead = operation === 'GetItem' || operation === 'Query' || operation === 'Scan';
    const next = last.then(() => (isRead ? read : write)(operation, input));
    last = next.catch(() => undefined);
    return next;
  };
}

/** Returns the write units of a change of an item: of the table, and of each index whose entry changes. */
function writeUnits(before: Item | undefined, after: Item | undefined, indexes: readonly Index[]): number {
  const inTable = Math.max(1, unitsOf(before), unitsOf(after));
  const inIndexes = indexes.map((index) => {
    const [old, current] = [entryOf(before, index), entryOf(after, index)];
    if (isDeepStrictEqual(old, current)) return 0;
    const isMoved = index.KeySchema.some(({ AttributeName: name }) => !isDeepStrictEqual(old?.[name], current?.[name]));
    return isMoved ? unitsOf(old) + unitsOf(current) : Math.max(unitsOf(old), unitsOf(current));
  });
  return inIndexes.reduce((sum, units) => sum + units, inTable);
}

const unitsOf = (item: Item | undefined): number => (item ? Math.ceil(itemSize(item) / 1024) : 0);

/** Returns the projection of an item into an index; undefined if the item lacks the index's keys. */
function entryOf(item: Item | undefined, { KeySchema, Projection }: Index): Item | undefined {
  const keys = KeySchema.map(({ AttributeName }) => AttributeName);
  if (!item || keys.some((name) => !(name in item))) return undefined;
  if (Projection.ProjectionType === 'ALL') return item;
  return Object.fromEntries([partitionKey, ...keys].map((name) => [name, item[name]!]));
}
