import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { create, type Store } from 'dynalite/db/index.js';
import { checkTypes, checkValidations } from 'dynalite/validations/index.js';

/** What dynalite refuses, as its server would say it. */
export interface Refused {
  body: { __type: string; message?: string; Message?: string };
  statusCode: number;
}

export const isRefused = (error: unknown): error is Refused =>
  typeof error === 'object' && error !== null && 'statusCode' in error && 'body' in error;

/** Operations of one table at least; transactions, streams and time to live dynalite does not have. */
const operations = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
] as const;
export type Operation = (typeof operations)[number];

export const isOperation = (name: string): name is Operation => operations.some((operation) => operation === name);

/** Answers one operation, given and answered in DynamoDB's JSON. @throws Refused */
export type Answer = (operation: Operation, input: object) => Promise<object>;

type Action = (store: Store, input: object, answer: (error: unknown, output: object) => void) => void;

const require = createRequire(import.meta.url);

/** dynalite in memory. */
export const inProcessDynamoDb = (): Answer => answerFrom(create({ createTableMs: 0 }));

/**
 * dynalite without its server: its own checks and actions on what the wire would have carried, so that conditions, expressions
 * and refusals are the same, in a fifth of the time.
 */
export function answerFrom(store: Store): Answer {
  return (operation, input) => {
    const { types, custom, action } = partsOf(operation);
    return new Promise((resolve, reject) => {
      const checked = checkTypes({ ...input }, types);
      checkValidations(checked, types, custom, store);
      action(store, checked, (error, output) => (error ? reject(error) : resolve(output)));
    });
  };
}

/** Makes a table, and waits until it takes items. @param table the input of CreateTable */
export async function createTableInProcess(
  answer: Answer,
  table: Readonly<Record<string, unknown>> & { TableName: string },
): Promise<void> {
  await answer('CreateTable', { BillingMode: 'PAY_PER_REQUEST', ...table });
  for (;;) {
    const { Table } = (await answer('DescribeTable', { TableName: table.TableName })) as {
      Table: { TableStatus: string };
    };
    if (Table.TableStatus === 'ACTIVE') return;
    await setImmediate();
  }
}

const parts = new Map<Operation, { types: object; custom: unknown; action: Action }>();

function partsOf(operation: Operation): { types: object; custom: unknown; action: Action } {
  let known = parts.get(operation);
  if (!known) {
    const file = `${operation[0]!.toLowerCase()}${operation.slice(1)}.js`;
    known = { ...require(`dynalite/validations/${file}`), action: require(`dynalite/actions/${file}`) } as {
      types: object;
      custom: unknown;
      action: Action;
    };
    parts.set(operation, known);
  }
  return known;
}
