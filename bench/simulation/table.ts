import type { Table } from '../../functions/video/table.ts';
import { createDocumentClient, toSdkException } from '../../local/aws/dynamodb/document-client.ts';
import type { TableDefinition } from '../../local/aws/dynamodb/dynamodb.ts';
import { createTableInProcess, inProcessDynamoDb } from '../../local/aws/dynamodb/in-process.ts';
import { type Count, countingDynamoDb } from './billed-units.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/** Creates the template's table with dynalite in this process. */
export async function simulateTable(
  { clock, latency, count }: { clock: VirtualClock; latency: Latency; count?: Count | undefined },
  { name, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes }: TableDefinition,
) {
  const store = inProcessDynamoDb();
  await createTableInProcess(store, { TableName: name, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes });
  const untimed = { send: (command) => clock.hold(() => createDocumentClient(store).send(command)) } as Table['client'];
  /** For the bench, whose calls take no time on the virtual clock. */
  const observer: Table = { client: untimed, tableName: name, now: clock.now };
  const handle = count ? countingDynamoDb(store, GlobalSecondaryIndexes ?? [], count) : store;
  const { send } = createDocumentClient(handle) as { send: (command: unknown) => Promise<object> };
  const dynamoDb = { send: (command: unknown) => latency('dynamoDb', () => send(command)) } as Table['client'];
  /** Handles a call of the state machine, in DynamoDB's JSON. */
  const updateItem = (parameters: object) =>
    latency('dynamoDb', () => handle('UpdateItem', parameters)).catch((error: unknown) => {
      throw toSdkException(error);
    });
  return { dynamoDb, observer, updateItem };
}
