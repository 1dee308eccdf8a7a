import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type ApiKeyItem,
  createApiKey,
  isOwnerName,
  listApiKeys,
  revokeApiKey,
} from '../../functions/api/auth/api-keys.ts';
import { type Table, tableOf } from '../../functions/video/table.ts';
import { localAws, readArguments, runCommand, UsageError } from './command.ts';

const usage = `Usage:
  npm run api-key -- create --owner NAME   makes a key and shows it, once
  npm run api-key -- list                  shows every key's id, owner and times
  npm run api-key -- revoke KEY_ID         ends a key

Which table: --table NAME or TABLE_NAME (the output TableName of the stack), with region and credentials from the usual
AWS environment; or --local, the one of npm start on this machine.`;

interface Options {
  owner?: string | undefined;
  table?: string | undefined;
  local: boolean;
}

/**
 * `npm run api-key`: makes, lists and revokes the keys of the HTTPS API.
 * @param print gets each line of output; a new key's text goes there and nowhere else
 * @param complain gets what is wrong, when something is
 * @returns the exit status
 */
export const run = (
  args: string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> =>
  runCommand(complain, async () => {
    const options = {
      owner: { type: 'string' },
      table: { type: 'string' },
      local: { type: 'boolean', default: false },
    } as const;
    const { values, positionals } = readArguments({ args, allowPositionals: true, options }, usage);
    const [command, operand, ...more] = positionals;
    if (more.length > 0) throw new UsageError(`"${more[0]}" is one word too many.\n\n${usage}`);
    const { table, where } = openTable(values, environment);
    await explained(where, () => perform(table, command, operand, values, print));
    return 0;
  });

function openTable({ table, local }: Options, environment: NodeJS.ProcessEnv): { table: Table; where: string } {
  const name = table ?? (local ? 'firstframe-videos' : environment.TABLE_NAME);
  if (!name) throw new UsageError(`Say which table: --table NAME, TABLE_NAME or --local.\n\n${usage}`);
  if (!local) return { table: tableOf(new DynamoDBClient({}), name), where: `the table ${name}` };
  const aws = localAws(environment);
  return { table: tableOf(new DynamoDBClient(aws), name), where: `the table ${name} at ${aws.endpoint}` };
}

async function perform(
  table: Table,
  command: string | undefined,
  operand: string | undefined,
  { owner }: Options,
  print: (line: string) => void,
): Promise<void> {
  switch (command) {
    case 'create': {
      if (owner === undefined || !isOwnerName(owner)) {
        throw new UsageError(
          'Say whose key it is: --owner NAME, 1 to 64 letters, digits and . _ @ -, and more than dots',
        );
      }
      const { key, item } = await createApiKey(table, owner);
      print(`The key ${item.key_id} of ${owner}. Keep it now: it is stored nowhere and not shown again.`);
      return print(key);
    }
    case 'list': {
      const items = await listApiKeys(table);
      return print(items.length > 0 ? items.map(lineOf).join('\n') : 'There are no keys.');
    }
    case 'revoke': {
      if (!operand) throw new UsageError('Say which key: revoke KEY_ID. The list shows the ids.');
      const item = await revokeApiKey(table, operand);
      if (!item) throw new UsageError(`There is no key ${operand}. The list shows the ids.`);
      return print(`The key ${item.key_id} of ${item.owner} is revoked; within 60 s nobody gets in with it.`);
    }
    default:
      throw new UsageError(usage);
  }
}

const lineOf = ({ key_id, owner, created_at, revoked_at }: ApiKeyItem): string =>
  `${key_id}  ${owner.padEnd(20)}  created ${created_at}${revoked_at ? `  revoked ${revoked_at}` : ''}`;

/** @throws Mistake for what an operator can mend: no such table, nobody there, no credentials, no region */
async function explained(where: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = 'code' in error ? error.code : undefined;
    if (error.name === 'ResourceNotFoundException') {
      throw new UsageError(`There is no such table: ${where}. Check its name, the account and the region.`);
    }
    if (code === 'ECONNREFUSED') throw new UsageError(`Nothing answers for ${where}. Is npm start running?`);
    if (error.name === 'CredentialsProviderError' || error.message === 'Region is missing') {
      throw new UsageError(`${error.message}. Set AWS_PROFILE or AWS_ACCESS_KEY_ID and its secret, and AWS_REGION.`);
    }
    throw error;
  }
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), process.env, console.log, console.error);
}
