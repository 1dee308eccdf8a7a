import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { tableOf } from '../../functions/video/table.ts';
import { type Configuration, ConfigurationError, readConfiguration } from '../config.ts';
import { projectRoot } from '../synth/bundle.ts';
import { awsEnvironmentFix, localAws } from './command.ts';
import { checkAlarms, checkApi, checkDrops, checkQueues, checkStorage } from './doctor/checks.ts';
import { checkConcurrency } from './doctor/concurrency.ts';
import { type Deployment, findDeployment, localDeployment } from './doctor/deployment.ts';
import { type Finding, failure, linesOf, ok } from './doctor/finding.ts';
import { checkWanKey } from './doctor/wan-key.ts';

const usage = `Usage:
  npm run doctor                    checks the deployed stack, and prints issues with their fixes
  npm run doctor -- --stack NAME    checks another stack than that of the setting stackName
  npm run doctor -- --local         checks the stack of npm start on this machine

Region and credentials come from the AWS environment, the configuration from cdk.json and FIRSTFRAME_CONTEXT (JSON, as with -c).
It changes nothing and is free of charge.`;

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
  const check = async (subject: string, find: () => Promise<Finding[]>) => {
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
  let deployment: Deployment | undefined = options.local
    ? localDeployment(`http://127.0.0.1:${environment.PORT || 4400}`)
    : undefined;
  if (!options.local) {
    await check('the stack', async () => {
      const found = await findDeployment(clients.cloudFormation, stack);
      deployment = found.deployment;
      return found.findings;
    });
  }
  const [place, settings] = [deployment, configuration];
  if (settings && !options.local)
    await check("Lambda's quota", () => checkConcurrency(clients.lambda, settings.apiConcurrency));
  if (place && settings) {
    const { region, limitSettings } = settings;
    const wanBaseUrl = options.local ? `http://127.0.0.1:${environment.WAN_PORT || 4401}/api/v1` : settings.wanBaseUrl;
    const services = { ...clients, fetch, now: Date.now };
    await check('the API', () => checkApi(fetch, place.api_url));
    await check("Wan's key", () => checkWanKey(services, { secret: place.secret, region, wanBaseUrl }));
    await check('buckets and table', () => checkStorage(clients, place, !options.local));
    await check('the model queues', () => checkQueues(tableOf(clients.dynamoDb, place.table), limitSettings));
    await check('the drop folder', () =>
      checkDrops({
        table: tableOf(clients.dynamoDb, place.table),
        s3: clients.s3,
        uploadsBucket: place.uploads_bucket,
      }),
    );
    if (!options.local) await check('the alarms', () => checkAlarms(clients.cloudWatch, stack));
  }
  const hasFailed = findings.some(({ state }) => state === 'failure');
  print(hasFailed ? '\nSome checks failed. The indented lines are the fixes.' : '\nAll checks passed.');
  return hasFailed ? 1 : 0;
}

function readArguments(args: string[]): { stack?: string | undefined; local: boolean } | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: { stack: { type: 'string' }, local: { type: 'boolean', default: false } },
    });
    return values;
  } catch {
    return undefined;
  }
}

function clientsFor(local: boolean, environment: NodeJS.ProcessEnv) {
  const settings = local ? localAws(environment) : {};
  return {
    cloudFormation: new CloudFormationClient(settings),
    cloudWatch: new CloudWatchClient(settings),
    dynamoDb: new DynamoDBClient(settings),
    lambda: new LambdaClient(settings),
    s3: new S3Client(settings),
    secrets: new SecretsManagerClient(settings),
  };
}

async function configurationOf({ FIRSTFRAME_CONTEXT = '{}' }: NodeJS.ProcessEnv): Promise<Configuration> {
  const { context } = JSON.parse(await readFile(join(projectRoot, 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  return readConfiguration({ ...context, ...(JSON.parse(FIRSTFRAME_CONTEXT) as Record<string, unknown>) });
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
