import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { indexes, partitionKey } from '../../functions/shared/table-schema.ts';
import type { Table } from '../../functions/video/table.ts';
import { createDocumentClient } from '../../local/aws/dynamodb/document-client.ts';
import {
  createTableInProcess,
  type DynaliteError,
  type Execute,
  inProcessDynamoDb,
  type Operation,
} from '../../local/aws/dynamodb/in-process.ts';

const tableName = 'videos';

/**
 * Returns an empty table like the deployed one, in memory. A real DynamoDB implementation (dynalite) evaluates its conditional writes.
 * The table is created before the first command. `close` is only needed after `client` was used.
 */
export function startTable(now: () => number = Date.now) {
  const dynamoDb = inProcessDynamoDb();
  const created = createTableInProcess(dynamoDb, {
    TableName: tableName,
    AttributeDefinitions: [
      partitionKey,
      ...Object.values(indexes).flatMap(({ partition, sort }) => [partition, sort]),
    ].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
    KeySchema: [{ AttributeName: partitionKey, KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [index(indexes.byOwner, 'ALL'), index(indexes.byStatus, 'KEYS_ONLY')],
  });
  const execute: Execute = async (operation, input) => {
    await created;
    return dynamoDb(operation, input);
  };
  let server: Server | undefined;
  const listen = async () => {
    server ??= await serve(execute);
    const { port } = server.address() as AddressInfo;
    return { protocol: 'http:', hostname: '127.0.0.1', port, path: '/' };
  };
  /** A client of the AWS SDK, over HTTP. */
  const client = new DynamoDBClient({
    endpoint: listen,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const table: Table = { client: createDocumentClient(execute), tableName, now };
  return {
    table,
    client,
    close: async () => {
      client.destroy();
      server?.closeAllConnections();
      await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    },
  };
}

const index = ({ name, partition, sort }: (typeof indexes)[keyof typeof indexes], projection: 'ALL' | 'KEYS_ONLY') => ({
  IndexName: name,
  KeySchema: [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ],
  Projection: { ProjectionType: projection },
});

/** Serves a table over HTTP. */
async function serve(execute: Execute): Promise<Server> {
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) as Operation;
    const { statusCode, body } = await execute(operation, JSON.parse(await text(request))).then(
      (body) => ({ statusCode: 200, body }),
      (refused: DynaliteError) => refused,
    );
    response.writeHead(statusCode, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
