import {
  type ApiKeyItem,
  createApiKey,
  isOwnerName,
  listApiKeys,
  revokeApiKey,
} from '../../functions/api/auth/api-keys.ts';
import type { Table } from '../../functions/video/table.ts';
import { readArguments, runCommand, UsageError } from './command.ts';
import { tableOptions, tableUsage, withTable } from './table.ts';

const usage = `Usage:
  npm run api-key -- create --owner NAME   creates a key and prints it, once
  npm run api-key -- list                  prints id, owner and times of every key
  npm run api-key -- revoke KEY_ID         revokes a key

${tableUsage}`;

/**
 * `npm run api-key`: creates, lists and revokes the keys of the HTTPS API.
 * @param print called with each line of output; nothing else receives the text of a new key
 * @param printError called with the message of an error
 * @returns the exit status
 */
export const run = (
  args: string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
  printError: (line: string) => void,
): Promise<number> =>
  runCommand(printError, async () => {
    const options = { owner: { type: 'string' }, ...tableOptions } as const;
    const { values, positionals } = readArguments({ args, allowPositionals: true, options }, usage);
    const [command, keyId, ...extra] = positionals;
    if (!command || !['create', 'list', 'revoke'].includes(command)) throw new UsageError(usage);
    if (extra.length > 0) throw new UsageError(`Unexpected argument "${extra[0]}".\n\n${usage}`);
    await withTable(values, environment, usage, (table) => perform(table, command, keyId, values, print));
    return 0;
  });

async function perform(
  table: Table,
  command: string,
  keyId: string | undefined,
  { owner }: { owner?: string | undefined },
  print: (line: string) => void,
): Promise<void> {
  switch (command) {
    case 'create': {
      if (owner === undefined || !isOwnerName(owner)) {
        throw new UsageError(
          'Name the owner with --owner NAME: 1 to 64 letters, digits and . _ @ -, and not only dots.',
        );
      }
      const { key, item } = await createApiKey(table, owner);
      print(`Created the key ${item.key_id} of ${owner}. Save it now: it cannot be shown again.`);
      return print(key);
    }
    case 'list': {
      const items = await listApiKeys(table);
      return print(items.length > 0 ? linesOf(items).join('\n') : 'There are no keys.');
    }
    case 'revoke': {
      if (!keyId) throw new UsageError('Name the key: revoke KEY_ID. The list shows the ids.');
      const item = await revokeApiKey(table, keyId);
      if (!item) throw new UsageError(`There is no key ${keyId}. The list shows the ids.`);
      return print(`Revoked the key ${item.key_id} of ${item.owner}. It may be accepted for up to 60 s.`);
    }
  }
}

function linesOf(items: readonly ApiKeyItem[]): string[] {
  const width = (field: 'key_id' | 'owner') => Math.max(...items.map((item) => item[field].length));
  const [idWidth, ownerWidth] = [width('key_id'), width('owner')];
  return items.map(
    ({ key_id, owner, created_at, revoked_at }) =>
      `${key_id.padEnd(idWidth)}  ${owner.padEnd(ownerWidth)}  created ${created_at}${revoked_at ? `  revoked ${revoked_at}` : ''}`,
  );
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), process.env, console.log, console.error);
}
