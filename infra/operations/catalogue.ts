import { hostName } from '../../functions/shared/environment.ts';
import { distrustHost, readTrustedHosts, trustHost } from '../../functions/video/catalogue-changes.ts';
import type { Table } from '../../functions/video/table.ts';
import { isLoopbackOrigin } from '../settings.ts';
import { readArguments, runCommand, UsageError } from './command.ts';
import { tableOptions, tableUsage, withTable } from './table.ts';

const usage = `Usage:
  npm run catalogue -- list              prints the hosts that operators trust
  npm run catalogue -- host add HOST     allows downloads of finished videos from a host
  npm run catalogue -- host remove HOST  ends that

A change takes effect with the next download, without a deploy. Hosts of the setting videoHosts are trusted as well.

${tableUsage}`;

/**
 * `npm run catalogue`: changes what a running deployment trusts.
 * @param print called with each line of output
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
    const { values, positionals } = readArguments({ args, allowPositionals: true, options: tableOptions }, usage);
    const perform = parse(positionals);
    await withTable(values, environment, usage, async (table) => print(await perform(table)));
    return 0;
  });

/** Returns the action that the arguments name. @throws UsageError for any others */
function parse(words: readonly string[]): (table: Table) => Promise<string> {
  switch (words.slice(0, words[0] === 'host' ? 2 : 1).join(' ')) {
    case 'list':
      expectEnd(words, 1);
      return list;
    case 'host add':
    case 'host remove': {
      const host = readHost(words[2]);
      expectEnd(words, 3);
      return words[1] === 'add' ? (table) => add(table, host) : (table) => remove(table, host);
    }
    default:
      throw new UsageError(usage);
  }
}

function expectEnd(words: readonly string[], length: number): void {
  if (words.length > length) throw new UsageError(`Unexpected argument "${words[length]}".\n\n${usage}`);
}

function readHost(word: string | undefined): string {
  const host = hostName.safeParse(word);
  if (host.success) return host.data;
  if (word && isLoopbackOrigin(word)) return word;
  throw new UsageError(
    'Name the host as the alarm and the log of archive-video do, in lower case, without a scheme, a port or a wildcard: dashscope-result-sgp.oss-ap-southeast-1.aliyuncs.com.',
  );
}

async function list(table: Table): Promise<string> {
  const hosts = await readTrustedHosts(table);
  return hosts.length > 0 ? hosts.map((host) => `host ${host}`).join('\n') : 'Operators have trusted no further hosts.';
}

async function add(table: Table, host: string): Promise<string> {
  await trustHost(table, host);
  return `Trusted ${host}. Downloads that wait for it continue within two minutes.`;
}

async function remove(table: Table, host: string): Promise<string> {
  if (!(await readTrustedHosts(table)).includes(host))
    throw new UsageError(`This command has not added ${host}. Hosts of the setting videoHosts are removed there.`);
  await distrustHost(table, host);
  return `Removed ${host}.`;
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), process.env, console.log, console.error);
}
