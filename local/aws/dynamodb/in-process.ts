import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { create, type Store } from 'dynalite/db/index.js';
import { checkTypes, checkValidations } from 'dynalite/validations/index.js';

/** An error of dynalite, with the body and status of its HTTP response. */
export interface DynaliteError {
  body: { __type: string; message?: string; Message?: string };
  statusCode: number;
}

export const isDynaliteError = (error: unknown): error is DynaliteError =>
  typeof error === 'object' && error !== null && 'statusCode' in error && 'body' in error;

/** The supported operations. dynalite has no transactions, streams or time to live. */
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

/** Runs one operation. Input and output are DynamoDB JSON. @throws DynaliteError */
export type Execute = (operation: Operation, input: object) => Promise<object>;

type DynaliteAction = (store: Store, input: object, callback: (error: unknown, output: object) => void) => void;

const require = createRequire(import.meta.url);

/** Creates an in-memory DynamoDB. */
export const inProcessDynamoDb = (): Execute => executeOn(create({ createTableMs: 0 }));

/**
 * Calls dynalite's validations and actions without its server. Conditions, expressions and errors are the same, in a
 * fifth of the time.
 */
export function executeOn(store: Store): Execute {
  return (operation, input) => {
    const { types, custom, action } = loadOperation(operation);
    return new Promise((resolve, reject) => {
      const validated = checkTypes({ ...input }, types);
      checkValidations(validated, types, custom, store);
      action(store, validated, (error, output) => (error ? reject(error) : resolve(output)));
    });
  };
}

/** Creates a table and waits until it is active. @param table the input of CreateTable */
export async function createTableInProcess(
  execute: Execute,
  table: Readonly<Record<string, unknown>> & { TableName: string },
): Promise<void> {
  await execute('CreateTable', { BillingMode: 'PAY_PER_REQUEST', ...table });
  for (;;) {
    const { Table } = (await execute('DescribeTable', { TableName: table.TableName })) as {
      Table: { TableStatus: string };
    };
    if (Table.TableStatus === 'ACTIVE') return;
    await setImmediate();
  }
}

function loadOperation(operation: Operation): { types: object; custom: unknown; action: DynaliteAction } {
  const file = `${operation[0]!.toLowerCase()}${operation.slice(1)}.js`;
  return { ...require(`dynalite/validations/${file}`), action: require(`dynalite/actions/${file}`) };
}
