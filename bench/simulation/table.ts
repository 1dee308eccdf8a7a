import type { Table } from '../../functions/video/table.ts';
import { asException, documentClientOver } from '../../local/aws/dynamodb/document-client.ts';
import type { TableDefinition } from '../../local/aws/dynamodb/dynamodb.ts';
import { createTableInProcess, inProcessDynamoDb } from '../../local/aws/dynamodb/in-process.ts';
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
  { clock, latency }: { clock: VirtualClock; latency: Latency },
  { name, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes }: TableDefinition,
): Promise<SimulatedTable> {
  const answer = inProcessDynamoDb();
  await createTableInProcess(answer, { TableName: name, AttributeDefinitions, KeySchema, GlobalSecondaryIndexes });
  const client = documentClientOver(answer);
  const send = client.send as (command: unknown) => Promise<object>;
  const still = { send: (command: unknown) => clock.hold(() => send(command)) } as Table['client'];
  const outside: Table = { client: still, tableName: name, now: clock.now };
  const dynamoDb = { send: (command: unknown) => latency('dynamoDb', () => send(command)) } as Table['client'];
  const updateItem = (parameters: object) =>
    latency('dynamoDb', () => answer('UpdateItem', parameters)).catch((error: unknown) => {
      throw asException(error);
    });
  return { dynamoDb, outside, updateItem };
}
