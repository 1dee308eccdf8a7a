import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { isOwnerName } from '../../functions/api/auth/api-keys.ts';
import { newSecretVersion, readSubscription, showFirstSecret } from '../../functions/events/subscriptions.ts';
import { previousValidUntil, webhookSecret } from '../../functions/events/webhook-secret.ts';
import { secretReader } from '../../functions/shared/secret.ts';
import type { Table } from '../../functions/video/table.ts';
import { type Command, localAws, readArguments, runCommand, UsageError } from './command.ts';
import { tableOptions, tableUsage, withTable } from './table.ts';

const usage = `Usage:
  npm run webhook-secret -- OWNER            prints the first secret that signs the owner's webhooks, once
  npm run webhook-secret -- OWNER --rotate   makes a new secret and prints it; the previous one also signs for 24 hours

Owners with an API key do the same with POST /webhook/secret.

${tableUsage}
Secret: --secret ARN or WEBHOOK_SECRET_ARN (the output WebhookSecretArn of the stack); --local names that of npm start.`;

/** The name of the secret in the stack that `npm start` runs. */
const localSecret = 'firstframe-webhook-key';

/** `npm run webhook-secret`: shows or rotates an owner's webhook secret. Only `print` receives it. */
export const run: Command = (args, environment, print, printError) =>
  runCommand(printError, async () => {
    const options = {
      ...tableOptions,
      secret: { type: 'string' },
      rotate: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    } as const;
    const { values, positionals } = readArguments({ args, allowPositionals: true, options }, usage);
    if (values.help) {
      print(usage);
      return 0;
    }
    const [owner, extra] = positionals;
    if (owner === undefined) throw new UsageError(usage);
    if (extra !== undefined) throw new UsageError(`Unexpected argument "${extra}".\n\n${usage}`);
    if (!isOwnerName(owner)) throw new UsageError(`"${owner}" is no name of an owner.\n\n${usage}`);
    const secret = values.secret ?? (values.local ? localSecret : environment.WEBHOOK_SECRET_ARN);
    if (!secret) throw new UsageError(`Name the secret with --secret ARN, WEBHOOK_SECRET_ARN or --local.\n\n${usage}`);
    const client = new SecretsManagerClient(values.local ? localAws(environment) : {});
    await withTable(values, environment, usage, async (table) => {
      // Before the version is counted, so that a failure rotates nothing.
      const master = await secretReader(client, secret, Date.now)().catch((error: Error) => {
        if (error.name !== 'ResourceNotFoundException') throw error;
        throw new UsageError(`There is no secret ${secret}. Check name, account and region.`);
      });
      const { version, note } = await nextVersion(table, owner, values.rotate);
      print(`${note} Save it now: it cannot be shown again.`);
      print(webhookSecret(master, owner, version));
    });
    return 0;
  });

/** @throws UsageError when the first secret was shown before */
async function nextVersion(table: Table, owner: string, rotate: boolean): Promise<{ version: number; note: string }> {
  if (!rotate) {
    if (await showFirstSecret(table, owner)) return { version: 1, note: `This is the webhook secret of ${owner}.` };
    throw new UsageError(`${owner} has a webhook secret, which was shown before. --rotate makes another one.`);
  }
  const version = await newSecretVersion(table, owner);
  const until = previousValidUntil((await readSubscription(table, owner)) ?? {});
  const overlap = until ? ` The previous one also signs until ${until}.` : '';
  return { version, note: `This is version ${version} of the webhook secret of ${owner}.${overlap}` };
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), process.env, console.log, console.error);
}
