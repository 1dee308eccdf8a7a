import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import { ServiceError } from '../service-error.ts';
import { createTable, type TableDefinition } from './create-table.ts';

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
