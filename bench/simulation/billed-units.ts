import { isDeepStrictEqual } from 'node:util';
import { itemSize } from 'dynalite/db/index.js';
import { partitionKey } from '../../functions/shared/table-schema.ts';
import type { prices } from '../../infra/operations/cost.ts';
import type { TableDefinition } from '../../local/aws/dynamodb/dynamodb.ts';
import type { inProcessDynamoDb } from '../../local/aws/dynamodb/in-process.ts';

/** Told of something that AWS bills, in the units of its price list. */
export type Count = (unit: keyof typeof prices, amount: number) => void;

/** Of a line of a function's log, and of the two that Lambda adds to each invocation. Assumed, not measured. */
export const LOG_LINE_BYTES = 600;
/** Of an event of an execution in its log, without data. Assumed, not measured. */
export const HISTORY_EVENT_BYTES = 400;

/** What a function computes in an invocation, which takes no time by the virtual clock. Assumed, not measured. */
export const OWN_WORK_SECONDS = 0.05;

type Item = Record<string, object>;
type Index = Pick<
  NonNullable<TableDefinition['GlobalSecondaryIndexes']>[number],
  'IndexName' | 'KeySchema' | 'Projection'
>;

/** A DynamoDB that counts the request units of each call, indexes included. It takes one call at a time. */
export function countingDynamoDb(
  answer: ReturnType<typeof inProcessDynamoDb>,
  indexes: readonly Index[],
  count: Count,
): ReturnType<typeof inProcessDynamoDb> {
  let last: Promise<unknown> = Promise.resolve();
  const itemOf = async (input: object): Promise<Item | undefined> => {
    const { TableName, Key, Item } = input as { TableName: string; Key?: Item; Item?: Item };
    const key = { [partitionKey]: (Key ?? Item)![partitionKey] };
    return ((await answer('GetItem', { TableName, Key: key, ConsistentRead: true })) as { Item?: Item }).Item;
  };

  async function read(operation: Parameters<typeof answer>[0], input: object): Promise<object> {
    const output = await answer(operation, { ...input, ReturnConsumedCapacity: 'TOTAL' });
    const { ConsumedCapacity } = output as { ConsumedCapacity: { CapacityUnits: number } };
    // dynalite takes nothing for a query that finds nothing.
    count('readUnit', Math.max(0.5, ConsumedCapacity.CapacityUnits));
    return output;
  }

  async function write(operation: Parameters<typeof answer>[0], input: object): Promise<object> {
    const before = await itemOf(input);
    try {
      return await answer(operation, input);
    } finally {
      // After a condition that did not hold, the same item: AWS bills that write by its size.
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

/** What a write from one state of an item to the other takes: of the table, and of each index whose entry changes. */
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

/** What an index holds of an item: nothing of one without the index's keys. */
function entryOf(item: Item | undefined, { KeySchema, Projection }: Index): Item | undefined {
  const keys = KeySchema.map(({ AttributeName }) => AttributeName);
  if (!item || keys.some((name) => !(name in item))) return undefined;
  if (Projection.ProjectionType === 'ALL') return item;
  return Object.fromEntries([partitionKey, ...keys].map((name) => [name, item[name]!]));
}
