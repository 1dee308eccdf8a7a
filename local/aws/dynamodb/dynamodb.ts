import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { create } from 'dynalite/db/index.js';
import { ServiceError } from '../service-error.ts';
import type { Resource } from '../template/load-stack.ts';
import { createTableInProcess, type Execute, executeOn, isDynaliteError, isOperation } from './in-process.ts';
import { rebuildIndexes } from './rebuild-indexes.ts';

export interface DynamoDbOptions {
  /** Holds the database, which survives a kill at any time. */
  directory: string;
  tables: readonly TableDefinition[];
}

export type TableDefinition = Resource<'AWS::DynamoDB::Table'>['properties'] & { name: string };

export interface DynamoDb {
  /** Runs one operation of the JSON protocol. @throws ServiceError for an unsupported operation */
  handle(operation: string, body: string): Promise<{ status: number; body: string }>;
  close(): Promise<void>;
}

/**
 * Opens a DynamoDB on dynalite with the template's tables. dynalite has no transactions, streams, time to live or
 * `ReturnValuesOnConditionCheckFailure`.
 * @throws Error when an existing table has other keys or indexes than the template
 */
export async function openDynamoDb({ directory, tables }: DynamoDbOptions): Promise<DynamoDb> {
  // Written by close(). It is missing after a kill, when items and indexes may differ.
  const closedMarker = `${directory}.closed`;
  if (!existsSync(closedMarker)) await rebuildIndexes(directory);
  rmSync(closedMarker, { force: true });
  const store = create({ path: directory, createTableMs: 0 });
  const execute = executeOn(store);
  const inProgress = new Set<Promise<object>>();
  let closing = false;

  const dynamoDb: DynamoDb = {
    async handle(operation, body) {
      // dynalite throws an uncatchable exception when it is called after it was closed.
      if (closing) throw new ServiceError('ServiceUnavailable', 'The local DynamoDB is stopping.', 503);
      if (!isOperation(operation))
        throw new ServiceError('UnknownOperationException', `The local DynamoDB does not support ${operation}.`);
      const pending = execute(operation, JSON.parse(body || '{}'));
      inProgress.add(pending);
      try {
        return { status: 200, body: JSON.stringify(await pending) };
      } catch (error) {
        if (!isDynaliteError(error)) throw error;
        return { status: error.statusCode, body: JSON.stringify(error.body) };
      } finally {
        inProgress.delete(pending);
      }
    },
    async close() {
      closing = true;
      await Promise.allSettled(inProgress);
      await store.lifecycleManager.gracefulClose();
      writeFileSync(closedMarker, '');
    },
  };
  try {
    for (const table of tables) await createTable(table, execute);
    return dynamoDb;
  } catch (error) {
    await dynamoDb.close();
    throw error;
  }
}

type KeyShape = Pick<TableDefinition, 'KeySchema' | 'GlobalSecondaryIndexes'>;

/**
 * Creates a table unless it exists. Leaves out the ignored properties.
 * @throws Error when it exists with other keys or indexes
 */
async function createTable(table: TableDefinition, execute: Execute): Promise<void> {
  const { name: TableName, KeySchema, AttributeDefinitions, GlobalSecondaryIndexes } = table;
  const existing = await execute('DescribeTable', { TableName }).catch((error: unknown) => {
    if (isDynaliteError(error)) return undefined;
    throw error;
  });
  if (!existing)
    return createTableInProcess(execute, { TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes });
  if (shapeOf((existing as { Table: KeyShape }).Table) === shapeOf(table)) return;
  throw new Error(
    `The local table ${TableName} has other keys or indexes than the template. Move the state directory away and start again.`,
  );
}

function shapeOf({ KeySchema, GlobalSecondaryIndexes = [] }: KeyShape): string {
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) =>
    JSON.stringify([IndexName, KeySchema, Projection]),
  );
  return JSON.stringify([KeySchema, indexes.sort()]);
}
