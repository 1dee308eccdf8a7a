import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { tableOf } from '../../functions/video/table.ts';
import { type Configuration, ConfigurationError, readConfiguration } from '../config.ts';
import { projectRoot } from '../synth/bundle.ts';
import { localAws } from './command.ts';
import { checkAlarms, checkApi, checkDrops, checkQueues, checkStorage } from './doctor/checks.ts';
import { type Deployment, findDeployment, localDeployment } from './doctor/deployment.ts';
import { type Finding, failure, linesOf, ok } from './doctor/finding.ts';
import { checkWanKey } from './doctor/wan-key.ts';

const usage = `Usage:
  npm run doctor                    looks at the deployed stack: what is wrong with it, and how to mend it
  npm run doctor -- --stack NAME    one of another name than firstframe
  npm run doctor -- --local         the one of npm start on this machine

Region and credentials come from the usual AWS environment, the configuration from cdk.json and FIRSTFRAME_CONTEXT (JSON, as with -c).
It changes nothing and costs nothing.`;

/**
 * `npm run doctor`: looks at everything that a deployment needs and says what is wrong and how to mend it.
 * @returns the exit status: 1 when something is wrong
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
  const look = async (what: string, check: () => Promise<Finding[]>) => {
    const found = await check().catch((error: unknown) => [couldNot(what, error)]);
    for (const finding of found) for (const line of linesOf(finding)) print(line);
    findings.push(...found);
  };
  const clients = clientsFor(options.local, environment);
  let configuration: Configuration | undefined;
  await look('the configuration', async () => {
    configuration = await configurationOf(environment);
    return [ok(`The configuration is right (region ${configuration.region}).`)];
  });
  let deployment: Deployment | undefined = options.local
    ? localDeployment(`http://127.0.0.1:${environment.PORT || 4400}`)
    : undefined;
  if (!options.local) {
    await look('the stack', async () => {
      const found = await findDeployment(clients.cloudFormation, options.stack);
      deployment = found.deployment;
      return found.findings;
    });
  }
  const [place, settings] = [deployment, configuration];
  if (place && settings) {
    const { region, limitSettings } = settings;
    const wanBaseUrl = options.local ? `http://127.0.0.1:${environment.WAN_PORT || 4401}/api/v1` : settings.wanBaseUrl;
    const services = { ...clients, fetch, now: Date.now };
    await look('the API', () => checkApi(fetch, place.api_url));
    await look("Wan's key", () => checkWanKey(services, { secret: place.secret, region, wanBaseUrl }));
    await look('buckets and table', () => checkStorage(clients, place, !options.local));
    await look('the lanes', () => checkQueues(tableOf(clients.dynamoDb, place.table), limitSettings));
    await look('the drop folder', () =>
      checkDrops({
        table: tableOf(clients.dynamoDb, place.table),
        s3: clients.s3,
        uploadsBucket: place.uploads_bucket,
      }),
    );
    if (!options.local) await look('the alarms', () => checkAlarms(clients.cloudWatch, options.stack));
  }
  const isWrong = findings.some(({ state }) => state === 'failure');
  print(isWrong ? '\nSomething is wrong; the indented lines say how to mend it.' : '\nAll is well.');
  return isWrong ? 1 : 0;
}

function readArguments(args: string[]): { stack: string; local: boolean } | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: { stack: { type: 'string', default: 'firstframe' }, local: { type: 'boolean', default: false } },
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

/** A look that failed is a finding as well: what an operator can mend is said in a sentence. */
function couldNot(what: string, error: unknown): Finding {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (error instanceof ConfigurationError)
    return failure(message, 'Correct it in cdk.json, or in the -c that you deploy with.');
  if (name === 'CredentialsProviderError' || message === 'Region is missing') {
    return failure(
      `AWS can't be asked: ${message}.`,
      'Set AWS_PROFILE or AWS_ACCESS_KEY_ID and its secret, and AWS_REGION.',
    );
  }
  if (/^(ExpiredToken|InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId)/.test(name)) {
    return failure(`AWS does not take these credentials (${name}).`, 'Log in again, or check AWS_PROFILE.');
  }
  if (/AccessDenied|UnauthorizedOperation/.test(name)) {
    return failure(`You may not look at ${what}: ${message}`, 'Use a role that may read what the stack has.');
  }
  if (code === 'ECONNREFUSED')
    return failure(
      `Nothing answers where ${what} should be.`,
      'With --local: is npm start running? Else check AWS_ENDPOINT_URL.',
    );
  return failure(
    `Looking at ${what} failed: ${name}: ${message}`,
    'Try again; if it stays, ask in an issue with this line.',
  );
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), process.env, console.log);
}
