import { parseArgs } from 'node:util';
import { currentChanges } from '../../functions/video/catalogue-changes.ts';
import { tableOf } from '../../functions/video/table.ts';
import { type Configuration, ConfigurationError } from '../config.ts';
import { type Clients, clientsFor } from './clients.ts';
import { awsEnvironmentFix, configurationOf } from './command.ts';
import { type Account, checkBootstrap, checkCredentials, checkRegion } from './doctor/account.ts';
import { checkAccountLimits, checkCatalogue } from './doctor/catalogue.ts';
import {
  checkActivity,
  checkAlarms,
  checkApi,
  checkDrops,
  checkQueues,
  checkRules,
  checkStorage,
  checkWebhooks,
} from './doctor/checks.ts';
import { type Deployment, findDeployment, localDeployment } from './doctor/deployment.ts';
import { type Finding, failure, linesOf, ok, warning } from './doctor/finding.ts';
import { checkLeftovers, checkOldStateMachine, checkStackStatus } from './doctor/leftovers.ts';
import { checkMessages } from './doctor/messages.ts';
import { checkConcurrency, checkTransitions } from './doctor/quotas.ts';
import { checkKey, checkWanKey, readWanKey } from './doctor/wan-key.ts';

const usage = `Usage:
  npm run doctor                    checks the deployed stack, and prints issues with their fixes
  npm run doctor -- --preflight     checks account and region before a deployment; also the Wan key, if DASHSCOPE_API_KEY has it
  npm run doctor -- --stack NAME    checks another stack than that of the setting stackName
  npm run doctor -- --local         checks the stack of npm start on this machine

Region and credentials come from the AWS environment, the configuration from cdk.json and FIRSTFRAME_CONTEXT (JSON, as with -c).
It changes nothing and is free of charge. Each line starts with ok, warning or error; the line below it is the fix. Errors make the exit status 1.`;

/**
 * `npm run doctor`: checks everything that a deployment needs, and prints issues with their fixes.
 * @returns the exit status: 1 when a check fails
 */
export async function run(
  args: string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> {
  const options = readArguments(args);
  if (!options) {
    print(usage);
    return 1;
  }
  const findings: Finding[] = [];
  const check: Check = async (subject, find) => {
    const found = await find().catch((error: unknown) => [failedCheck(subject, error)]);
    for (const finding of found) for (const line of linesOf(finding)) print(line);
    findings.push(...found);
  };
  const clients = clientsFor(options.local, environment);
  let configuration: Configuration | undefined;
  await check('the configuration', async () => {
    configuration = await configurationOf(environment);
    return [ok(`The configuration is valid (region ${configuration.region}).`)];
  });
  const stack = options.stack ?? configuration?.stackName ?? 'firstframe';
  const place = { check, clients, environment, stack };
  if (options.preflight) {
    if (configuration) await preflight(place, configuration);
  } else await checkDeployment({ ...place, local: options.local }, configuration);
  const hasFailed = findings.some(({ state }) => state === 'failure');
  print(hasFailed ? '\nSome checks failed. The indented lines are the fixes.' : '\nAll checks passed.');
  return hasFailed ? 1 : 0;
}

type Check = (subject: string, find: () => Promise<Finding[]>) => Promise<void>;
interface Place {
  check: Check;
  clients: Clients;
  environment: NodeJS.ProcessEnv;
  /** The stack's name. */
  stack: string;
}

/** Checks what a deployment needs before it exists. */
async function preflight({ check, clients, environment, stack }: Place, configuration: Configuration): Promise<void> {
  const { region: wanRegion, wanBaseUrl } = configuration;
  let [region, account]: [string | undefined, Account | undefined] = [undefined, undefined];
  await check('the region', async () => {
    const found = await checkRegion(clients.cloudFormation, environment);
    region = found.region;
    return found.findings;
  });
  const inRegion = region;
  if (inRegion)
    await check('the credentials', async () => {
      const found = await checkCredentials(clients.aws, inRegion);
      account = found.account;
      return found.findings;
    });
  const deployer = account;
  if (deployer) {
    await check('the bootstrap', () => checkBootstrap(clients.aws, deployer));
    await checkQuotas({ check, clients }, configuration);
    let exists = true;
    await check('the stack', async () => {
      const found = await checkStackStatus(clients.cloudFormation, stack);
      exists = found.exists;
      return found.findings;
    });
    if (!exists) {
      await check('the state machine', () => checkOldStateMachine(clients.stepFunctions, deployer, stack));
      await check('left resources', () => checkLeftovers(clients, stack));
    }
  }
  await check("Wan's key", async () => {
    const key = environment.DASHSCOPE_API_KEY?.trim();
    if (key) return checkKey({ fetch, now: Date.now }, { key, region: wanRegion, wanBaseUrl });
    return [
      warning(
        `The Wan key was not checked. It must be one of the region ${wanRegion}.`,
        'DASHSCOPE_API_KEY=sk-… npm run doctor -- --preflight',
      ),
    ];
  });
}

async function checkQuotas(
  { check, clients }: Pick<Place, 'check' | 'clients'>,
  configuration: Pick<Configuration, 'apiConcurrency' | 'longPolls' | 'limitSettings'>,
): Promise<void> {
  await check("Lambda's quota", () => checkConcurrency(clients.lambda, configuration));
  await check("Step Functions' quota", () => checkTransitions(clients.aws, configuration.limitSettings));
}

/** Checks a deployed stack, or that of `npm start`. */
async function checkDeployment(
  { check, clients, environment, stack, local }: Place & { local: boolean },
  configuration: Configuration | undefined,
): Promise<void> {
  let deployment: Deployment | undefined = local
    ? localDeployment(`http://127.0.0.1:${environment.PORT || 4400}`)
    : undefined;
  if (!local) {
    await check('the stack', async () => {
      const found = await findDeployment(clients.cloudFormation, stack);
      deployment = found.deployment;
      return found.findings;
    });
    if (configuration) await checkQuotas({ check, clients }, configuration);
  }
  const place = deployment;
  if (!place || !configuration) return;
  const { region, limitSettings, catalogue } = configuration;
  const wanBaseUrl = local ? `http://127.0.0.1:${environment.WAN_PORT || 4401}/api/v1` : configuration.wanBaseUrl;
  const services = { ...clients, fetch, now: Date.now };
  const table = tableOf(clients.dynamoDb, place.table);
  await check('the API', () => checkApi(fetch, place.api_url));
  await check("Wan's key", () => checkWanKey(services, { secret: place.secret, region, wanBaseUrl }));
  await check('the catalogue', () => checkCatalogue(table, configuration));
  await check("the account's limits", async () => {
    const { prices } = configuration;
    const changes = await currentChanges(table, catalogue);
    const key = await readWanKey(clients.secrets, place.secret);
    const inPlace = { region, base_url: wanBaseUrl, prices, changes, now: Date.now() };
    return checkAccountLimits(fetch, inPlace, { key, limits: limitSettings });
  });
  await check('buckets and table', () => checkStorage(clients, place, !local));
  await check('the model queues', () => checkQueues(table, limitSettings, catalogue));
  await check('running videos', () => checkActivity(table, catalogue, clients.stepFunctions, place.state_machine));
  await check('webhooks', () => checkWebhooks(table));
  await check('the drop folder', () => checkDrops({ table, s3: clients.s3, uploadsBucket: place.uploads_bucket }));
  if (local) return;
  await check('the rules', () => checkRules(clients.cloudFormation, clients.eventBridge, stack));
  await check('the queues', () => checkMessages(clients, stack));
  await check('the alarms', () => checkAlarms(clients.cloudWatch, stack));
  await check('left resources', () => checkLeftovers(clients, stack, new Set(Object.values(place))));
}

function readArguments(args: string[]): { stack?: string | undefined; local: boolean; preflight: boolean } | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        stack: { type: 'string' },
        local: { type: 'boolean', default: false },
        preflight: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch {
    return undefined;
  }
}

/** Returns the finding of a check that threw an error. */
function failedCheck(subject: string, error: unknown): Finding {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (error instanceof ConfigurationError)
    return failure(message, 'Fix it in cdk.json, or in the -c of the deployment.');
  if (name === 'CredentialsProviderError' || message === 'Region is missing') {
    return failure(`AWS cannot be called: ${message}.`, awsEnvironmentFix);
  }
  if (/^(ExpiredToken|InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId)/.test(name)) {
    return failure(`AWS rejects the credentials (${name}).`, 'Log in again, or check AWS_PROFILE.');
  }
  if (/AccessDenied|UnauthorizedOperation/.test(name)) {
    return failure(
      `Access to ${subject} is denied: ${message}`,
      'Use a role with read access to the resources of the stack.',
    );
  }
  if (code === 'ECONNREFUSED')
    return failure(
      `Cannot connect to ${subject}.`,
      'With --local: is npm start running? Otherwise check AWS_ENDPOINT_URL.',
    );
  return failure(
    `The check of ${subject} failed: ${name}: ${message}`,
    'Try again. If it fails again, open an issue with this line.',
  );
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), process.env, console.log);
}
