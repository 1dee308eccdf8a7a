import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import dynalite from 'dynalite';
import { ServiceError } from '../service-error.ts';
import type { Resource } from '../template/load.ts';

export interface DynamoDbOptions {
  /** Holds the database, which survives a kill at any moment. */
  directory: string;
  tables: readonly TableDefinition[];
}

export interface DynamoDbAnswer {
  status: number;
  headers: Record<string, string>;
  /** JSON, as on the wire: numbers of any size keep their digits. */
  body: string;
}

export interface DynamoDb {
  /** Answers one call of the JSON protocol, given as on the wire. */
  handle(operation: string, body: string): Promise<DynamoDbAnswer>;
  close(): Promise<void>;
}

/**
 * DynamoDB by dynalite, with the template's tables. dynalite has no transactions, streams, time to live or
 * `ReturnValuesOnConditionCheckFailure`.
 * @throws Error when a table of an earlier start has other keys or indexes than the template
 */
export async function openDynamoDb({ directory, tables }: DynamoDbOptions): Promise<DynamoDb> {
  const server = dynalite({ path: directory, createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });

  /** dynalite's server never listens: it gets requests made here, whose senders were authenticated before. */
  const answer = (operation: string, body: string): Promise<DynamoDbAnswer> =>
    new Promise((resolve) => {
      const request = Object.assign(Readable.from([Buffer.from(body)]), {
        method: 'POST',
        url: '/',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `DynamoDB_20120810.${operation}`,
          'x-amz-date': '20260101T000000Z',
          authorization: 'AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c',
        },
      });
      const headers: DynamoDbAnswer['headers'] = {};
      const response = {
        statusCode: 200,
        setHeader(name: string, value: unknown) {
          headers[name.toLowerCase()] = String(value);
        },
        end: (text = '') => resolve({ status: response.statusCode, headers, body: text }),
      };
      server.emit('request', request, response);
    });
  const underWay = new Set<Promise<DynamoDbAnswer>>();
  let closing = false;

  const database = {
    async handle(operation: string, body: string): Promise<DynamoDbAnswer> {
      // A call to files that are closed would be an exception nobody can catch.
      if (closing) throw new ServiceError('ServiceUnavailable', 503, 'The local DynamoDB is stopping.');
      const pending = answer(operation, body);
      underWay.add(pending);
      return pending.finally(() => underWay.delete(pending));
    },
    async close() {
      closing = true;
      await Promise.all(underWay);
      // dynalite closes its files only when its server stops listening; so it listens for that moment.
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      await new Promise<void>((closed, failed) => server.close((error) => (error ? failed(error) : closed())));
    },
  };
  try {
    for (const table of tables) await createTable(table, database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Description {
  Table: {
    TableStatus: string;
    KeySchema: unknown;
    GlobalSecondaryIndexes?: { IndexName: string; KeySchema: unknown; Projection: unknown; IndexStatus: string }[];
  };
}

/**
 * Makes a table exist as the template declares it. The inert properties are left out, a rate of reads and writes too.
 * @throws Error when it exists with other keys or indexes
 */
async function createTable(table: TableDefinition, { handle }: Pick<DynamoDb, 'handle'>): Promise<void> {
  const indexes = table.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => ({
    IndexName,
    KeySchema,
    Projection,
  }));
  const { KeySchema, AttributeDefinitions } = table;
  const name = JSON.stringify({ TableName: table.name });
  const existing = await handle('DescribeTable', name);
  if (existing.status === 200) {
    const { Table: found } = JSON.parse(existing.body) as Description;
    if (shapeOf(found) === shapeOf({ KeySchema, GlobalSecondaryIndexes: indexes })) return;
    throw new Error(
      `The table ${table.name} on this machine has other keys or indexes than the template. Move the state directory away and start again.`,
    );
  }
  const created = await handle(
    'CreateTable',
    JSON.stringify({
      TableName: table.name,
      AttributeDefinitions,
      KeySchema,
      BillingMode: 'PAY_PER_REQUEST',
      ...(indexes ? { GlobalSecondaryIndexes: indexes } : {}),
    }),
  );
  if (created.status !== 200) throw new Error(`The table ${table.name} can't be created: ${created.body}`);
  for (;;) {
    const { Table: found } = JSON.parse((await handle('DescribeTable', name)).body) as Description;
    const states = [found.TableStatus, ...(found.GlobalSecondaryIndexes ?? []).map(({ IndexStatus }) => IndexStatus)];
    if (states.every((state) => state === 'ACTIVE')) return;
    await sleep(2);
  }
}

function shapeOf({
  KeySchema,
  GlobalSecondaryIndexes = [],
}: Pick<Description['Table'], 'KeySchema'> & {
  GlobalSecondaryIndexes?: readonly { IndexName: string; KeySchema: unknown; Projection: unknown }[];
}): string {
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema, Projection }) =>
    JSON.stringify([IndexName, KeySchema, Projection]),
  );
  return JSON.stringify([KeySchema, indexes.sort()]);
}

export type TableDefinition = Resource<'AWS::DynamoDB::Table'>['properties'] & { name: string };
