import type { Table } from '../../functions/video/table.ts';
import { asException, documentClientOver } from '../../local/aws/dynamodb/document-client.ts';
import type { TableDefinition } from '../../local/aws/dynamodb/dynamodb.ts';
import { createTableInProcess, inProcessDynamoDb } from '../../local/aws/dynamodb/in-process.ts';
import { type Count, countingDynamoDb } from './billed-units.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

export interface SimulatedTable {
  /** Its calls take their time by the virtual clock. */
  dynamoDb: Table['client'];
  /** For whoever looks at the table from outside of the simulation. */
  outside: Table;
  /** A state machine's call, in DynamoDB's JSON. */
  updateItem(parameters: object): Promise<object>;
}

/** The template's table, over dynalite in this process. */
export async function simulateTable(
  { clock, latency, count }: { clock: VirtualClock; latency: Latency; count?: Count | undefined },
  { name, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes }: TableDefinition,
): Promise<SimulatedTable> {
  const store = inProcessDynamoDb();
  await createTableInProcess(store, { TableName: name, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes });
  const still = { send: (command) => clock.hold(() => documentClientOver(store).send(command)) } as Table['client'];
  const outside: Table = { client: still, tableName: name, now: clock.now };
  const answer = count ? countingDynamoDb(store, GlobalSecondaryIndexes ?? [], count) : store;
  const { send } = documentClientOver(answer) as { send: (command: unknown) => Promise<object> };
  const dynamoDb = { send: (command: unknown) => latency('dynamoDb', () => send(command)) } as Table['client'];
  const updateItem = (parameters: object) =>
    latency('dynamoDb', () => answer('UpdateItem', parameters)).catch((error: unknown) => {
      throw asException(error);
    });
  return { dynamoDb, outside, updateItem };
}
