import type { Table } from '../../functions/video/table.ts';
import { createDocumentClient, toSdkException } from '../../local/aws/dynamodb/document-client.ts';
import type { TableDefinition } from '../../local/aws/dynamodb/dynamodb.ts';
import { createTableInProcess, inProcessDynamoDb } from '../../local/aws/dynamodb/in-process.ts';
import { type Count, countingDynamoDb } from './billed-units.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/** The template's table, over dynalite in this process. */
export async function simulateTable(
  { clock, latency, count }: { clock: VirtualClock; latency: Latency; count?: Count | undefined },
  { name, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes }: TableDefinition,
) {
  const store = inProcessDynamoDb();
  await createTableInProcess(store, { TableName: name, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes });
  const still = { send: (command) => clock.hold(() => createDocumentClient(store).send(command)) } as Table['client'];
  /** Looking at the table from outside of the simulation takes no time. */
  const outside: Table = { client: still, tableName: name, now: clock.now };
  const answer = count ? countingDynamoDb(store, GlobalSecondaryIndexes ?? [], count) : store;
  const { send } = createDocumentClient(answer) as { send: (command: unknown) => Promise<object> };
  const dynamoDb = { send: (command: unknown) => latency('dynamoDb', () => send(command)) } as Table['client'];
  /** A state machine's call, in DynamoDB's JSON. */
  const updateItem = (parameters: object) =>
    latency('dynamoDb', () => answer('UpdateItem', parameters)).catch((error: unknown) => {
      throw toSdkException(error);
    });
  return { dynamoDb, outside, updateItem };
}
