import { hostName } from '../../functions/shared/environment.ts';
import {
  distrustHost,
  readRowChanges,
  readTrustedHosts,
  removeRowChange,
  trustHost,
  writeRowChange,
} from '../../functions/video/catalogue-changes.ts';
import type { Table } from '../../functions/video/table.ts';
import { isModelName } from '../../functions/wan/catalogue.ts';
import { catalogueChanges, changeOf, mergeChanges, rowOf } from '../../functions/wan/changes.ts';
import { isLoopbackOrigin } from '../settings.ts';
import { readCatalogueFile } from '../synth/catalogue-file.ts';
import { type Command, readArguments, runCommand, UsageError } from './command.ts';
import { tableOptions, tableUsage, withTable } from './table.ts';

const usage = `Usage:
  npm run catalogue -- list                                  prints what operators have changed
  npm run catalogue -- add MODEL FAMILY                      adds a model with the rules and the wire format of another one
  npm run catalogue -- price MODEL CURRENCY 720P=0.1 …       sets the prices of a billed second
  npm run catalogue -- limit MODEL submits_per_second=5 concurrent_tasks=5    sets Wan's limits, either or both
  npm run catalogue -- offer MODEL                           offers a model again, also one that the file retires
  npm run catalogue -- withdraw MODEL                        does not offer it, without a date
  npm run catalogue -- retire MODEL [DATE] [SUCCESSOR]       stops offering it on a day (UTC), today by default
  npm run catalogue -- reset MODEL                           removes what operators have changed in its row
  npm run catalogue -- host add HOST                         allows downloads of finished videos from a host
  npm run catalogue -- host remove HOST                      ends that

A change takes effect without a deploy: for hosts with the next download, for models within 60 seconds. It replaces what cdk.json and
catalogue.json say; npm run doctor shows what differs from that file.

${tableUsage}`;

/** `npm run catalogue`: changes models and trusted hosts of a running deployment. */
export const run: Command = (args, environment, print, printError) =>
  runCommand(printError, async () => {
    const { values, positionals } = readArguments({ args, allowPositionals: true, options: tableOptions }, usage);
    const perform = parse(positionals);
    await withTable(values, environment, usage, async (table) => print(await perform(table)));
    return 0;
  });

/** Returns the action that the arguments name. @throws UsageError for any others */
function parse(words: readonly string[]): (table: Table) => Promise<string> {
  const [, model = '', ...rest] = words;
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
    case 'add':
      expectEnd(words, 3);
      return (table) => addModel(table, model, rest[0]);
    case 'price':
      return (table) => changeModel(table, model, { prices: readPrices(rest) });
    case 'limit':
      return (table) => changeModel(table, model, { limits: readNumbers(rest) });
    case 'offer':
      expectEnd(words, 2);
      return (table) => changeModel(table, model, { offered: true, retires_at: null, replaced_by: null });
    case 'withdraw':
      expectEnd(words, 2);
      return (table) => changeModel(table, model, { offered: false });
    case 'reset':
      expectEnd(words, 2);
      return (table) => resetModel(table, model);
    case 'retire':
      expectEnd(words, 4);
      return (table) => changeModel(table, model, readRetirement(rest, table));
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

/** Reads `name=number` words. @throws UsageError */
function readNumbers(words: readonly string[]): Record<string, number> {
  const pairs = words.map((word) => /^([A-Za-z0-9_]+)=(\d+(?:\.\d+)?)$/.exec(word));
  if (pairs.length === 0 || pairs.includes(null)) throw new UsageError(`Give values such as 720P=0.1.\n\n${usage}`);
  return Object.fromEntries(pairs.map((pair) => [pair![1]!, Number(pair![2])]));
}

const readPrices = ([currency, ...tiers]: readonly string[]) => ({
  currency,
  as_of: new Date().toISOString().slice(0, 10),
  per_second: readNumbers(tiers),
});

function readRetirement(words: readonly string[], table: Table) {
  const day = words.find((word) => /^\d{4}-/.test(word)) ?? new Date(table.now()).toISOString().slice(0, 10);
  const replaced_by = words.find((word) => !/^\d{4}-/.test(word));
  return { retires_at: day, ...(replaced_by ? { replaced_by } : {}) };
}

async function addModel(table: Table, name: string, family: string | undefined): Promise<string> {
  if (isModelName(name))
    throw new UsageError(`${name} is a model of the catalogue already. Offer it, or set its price.`);
  return changeModel(table, name, { family }, 'add');
}

/** Removes what operators have changed. @throws UsageError for a model that only they have added: it may have videos that need the row */
async function resetModel(table: Table, name: string): Promise<string> {
  if (!rowOf(name, catalogueChanges.parse(await readCatalogueFile())))
    throw new UsageError(
      `Neither the catalogue nor catalogue.json has "${name}": videos may need its row. Stop offering it: npm run catalogue -- withdraw ${name}`,
    );
  await removeRowChange(table, name);
  return `Removed what operators have changed in ${name}. It takes effect within 60 seconds.`;
}

/** Changes properties of a model's row. @throws UsageError for an unknown model and for invalid values */
async function changeModel(
  table: Table,
  name: string,
  change: Record<string, unknown>,
  verb: 'add' | 'change' = 'change',
): Promise<string> {
  const file = catalogueChanges.parse(await readCatalogueFile());
  const stored = await readRowChanges(table);
  if (verb === 'change' && !rowOf(name, mergeChanges(file, stored)))
    throw new UsageError(`The catalogue has no model "${name}". Add it with: npm run catalogue -- add MODEL FAMILY`);
  const row = { ...changeOf(name, stored), ...change };
  const changed = catalogueChanges.safeParse({
    ...mergeChanges(file, stored),
    [name]: { ...changeOf(name, file), ...row },
  });
  if (!changed.success) {
    const issues = changed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new UsageError(`${issues.join('\n')}\nNothing was changed.`);
  }
  await writeRowChange(table, name, row);
  return `Changed ${name}: ${JSON.stringify(row)}. It takes effect within 60 seconds.`;
}

async function list(table: Table): Promise<string> {
  const hosts = await readTrustedHosts(table);
  const rows = Object.entries(await readRowChanges(table));
  if (hosts.length + rows.length === 0) return 'Operators have changed nothing.';
  return [
    ...hosts.map((host) => `host ${host}`),
    ...rows.map(([name, change]) => `model ${name} ${JSON.stringify(change)}`),
  ].join('\n');
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
