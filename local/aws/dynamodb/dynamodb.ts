import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { create } from 'dynalite/db/index.js';
import { ServiceError } from '../service-error.ts';
import type { Resource } from '../template/load.ts';
import { type Answer, answerFrom, createTableInProcess, isOperation, isRefused } from './in-process.ts';
import { rebuildIndexes } from './rebuild-indexes.ts';

export interface DynamoDbOptions {
  /** Holds the database, which survives a kill at any moment. */
  directory: string;
  tables: readonly TableDefinition[];
}

export type TableDefinition = Resource<'AWS::DynamoDB::Table'>['properties'] & { name: string };

export interface DynamoDb {
  /** Answers one call of the JSON protocol, given as on the wire. @throws ServiceError for an operation that it does not know */
  handle(operation: string, body: string): Promise<{ status: number; body: string }>;
  close(): Promise<void>;
}

/**
 * DynamoDB by dynalite, with the template's tables. dynalite has no transactions, streams, time to live or
 * `ReturnValuesOnConditionCheckFailure`.
 * @throws Error when a table of an earlier start has other keys or indexes than the template
 */
export async function openDynamoDb({ directory, tables }: DynamoDbOptions): Promise<DynamoDb> {
  // A database that was closed says so; one whose process was killed does not.
  const closed = `${directory}.closed`;
  if (!existsSync(closed)) await rebuildIndexes(directory);
  rmSync(closed, { force: true });
  const store = create({ path: directory, createTableMs: 0 });
  const answer = answerFrom(store);
  const underWay = new Set<Promise<object>>();
  let closing = false;

  const database: DynamoDb = {
    async handle(operation, body) {
      // A call to files that are closed would be an exception nobody can catch.
      if (closing) throw new ServiceError('ServiceUnavailable', 503, 'The local DynamoDB is stopping.');
      if (!isOperation(operation))
        throw new ServiceError('UnknownOperationException', 400, `The local DynamoDB has no ${operation}.`);
      const pending = answer(operation, JSON.parse(body || '{}'));
      underWay.add(pending);
      try {
        return { status: 200, body: JSON.stringify(await pending) };
      } catch (error) {
        if (!isRefused(error)) throw error;
        return { status: error.statusCode, body: JSON.stringify(error.body) };
      } finally {
        underWay.delete(pending);
      }
    },
    async close() {
      closing = true;
      await Promise.allSettled(underWay);
      await store.lifecycleManager.gracefulClose();
      writeFileSync(closed, '');
    },
  };
  try {
    for (const table of tables) await createTable(table, answer);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

type Shape = Pick<TableDefinition, 'KeySchema' | 'GlobalSecondaryIndexes'>;

/**
 * Makes a table exist as the template declares it. The inert properties are left out.
 * @throws Error when it exists with other keys or indexes
 */
async function createTable(table: TableDefinition, answer: Answer): Promise<void> {
  const { name: TableName, KeySchema, AttributeDefinitions, GlobalSecondaryIndexes } = table;
  const existing = await answer('DescribeTable', { TableName }).catch((error: unknown) => {
    if (isRefused(error)) return undefined;
    throw error;
  });
  if (!existing)
    return createTableInProcess(answer, { TableName, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes });
  if (shapeOf((existing as { Table: Shape }).Table) === shapeOf(table)) return;
  throw new Error(
    `The table ${TableName} on this machine has other keys or indexes than the template. Move the state directory away and start again.`,
  );
}

function shapeOf({ KeySchema, GlobalSecondaryIndexes = [] }: Shape): string {
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) =>
    JSON.stringify([IndexName, KeySchema, Projection]),
  );
  return JSON.stringify([KeySchema, indexes.sort()]);
}
