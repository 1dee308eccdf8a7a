import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Table, tableOf } from '../../functions/video/table.ts';
import { awsEnvironmentFix, localAws, UsageError } from './command.ts';

/** The options of a command that reads or writes the table. */
export const tableOptions = {
  table: { type: 'string' },
  local: { type: 'boolean', default: false },
} as const;

/** The paragraph about these options in a command's usage. */
export const tableUsage = `Table: --table NAME or TABLE_NAME (the output TableName of the stack), with region and credentials from the AWS environment;
or --local for the table of npm start on this machine.`;

/**
 * Runs a command's action with the table that its options name.
 * @param usage printed when no option names a table
 * @throws UsageError for what an operator can fix: no such table, no connection, no credentials, no region
 */
export async function withTable(
  { table: named, local }: { table?: string | undefined; local: boolean },
  environment: NodeJS.ProcessEnv,
  usage: string,
  action: (table: Table) => Promise<void>,
): Promise<void> {
  const name = named ?? (local ? 'firstframe-videos' : environment.TABLE_NAME);
  if (!name) throw new UsageError(`Name the table with --table NAME, TABLE_NAME or --local.\n\n${usage}`);
  const aws = local ? localAws(environment) : undefined;
  const where = aws ? `the table ${name} at ${aws.endpoint}` : `the table ${name}`;
  try {
    await action(tableOf(new DynamoDBClient(aws ?? {}), name));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = 'code' in error ? error.code : undefined;
    if (error.name === 'ResourceNotFoundException') {
      throw new UsageError(`There is no such table: ${where}. Check name, account and region.`);
    }
    if (code === 'ECONNREFUSED') throw new UsageError(`Cannot connect to ${where}. Is npm start running?`);
    if (error.name === 'CredentialsProviderError' || error.message === 'Region is missing') {
      throw new UsageError(`${error.message}. ${awsEnvironmentFix}`);
    }
    throw error;
  }
}
