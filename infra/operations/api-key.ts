import {
  type ApiKeyItem,
  createApiKey,
  isOwnerName,
  listApiKeys,
  revokeApiKey,
} from '../../functions/api/auth/api-keys.ts';
import type { Table } from '../../functions/video/table.ts';
import { type Command, readArguments, runCommand, UsageError } from './command.ts';
import { tableOptions, tableUsage, withTable } from './table.ts';

const usage = `Usage:
  npm run api-key -- create --owner NAME   creates a key and prints it, once
  npm run api-key -- list                  prints id, owner and times of every key
  npm run api-key -- revoke KEY_ID         revokes a key
  npm run api-key -- help                  prints this text

${tableUsage}`;

/** The words that each command takes after its name, and whether it takes `--owner`. */
const commands: Readonly<Record<string, { words: number; owner?: true }>> = {
  create: { words: 0, owner: true },
  list: { words: 0 },
  revoke: { words: 1 },
};

/** `npm run api-key`: creates, lists and revokes the keys of the HTTPS API. Only `print` receives the text of a new key. */
export const run: Command = (args, environment, print, printError) =>
  runCommand(printError, async () => {
    const options = {
      ...tableOptions,
      owner: { type: 'string', multiple: true },
      table: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h', default: false },
    } as const;
    const { values, positionals } = readArguments({ args, allowPositionals: true, options }, usage);
    const [command = '', ...words] = positionals;
    if (values.help || (command === 'help' && words.length === 0)) {
      print(usage);
      return 0;
    }
    const known = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (!known) throw new UsageError(command ? `There is no command "${command}".\n\n${usage}` : usage);
    const [extra] = words.slice(known.words);
    if (extra !== undefined) throw new UsageError(`Unexpected argument "${extra}".\n\n${usage}`);
    if (values.owner && !known.owner) throw new UsageError(`The command ${command} takes no --owner.\n\n${usage}`);
    const owner = onlyOne('owner', values.owner);
    const named = { table: onlyOne('table', values.table), local: values.local };
    await withTable(named, environment, usage, (table) => perform(table, command, words[0], owner, print));
    return 0;
  });

function onlyOne(name: string, values: readonly string[] = []): string | undefined {
  if (values.length > 1) throw new UsageError(`The option --${name} is repeated. Give it once.\n\n${usage}`);
  return values[0];
}

async function perform(
  table: Table,
  command: string,
  keyId: string | undefined,
  owner: string | undefined,
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
