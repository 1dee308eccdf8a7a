import { createApiKey, revokeApiKey } from '../../functions/api/auth/api-keys.ts';
import { listVideos } from '../../functions/video/list.ts';
import { tableOf } from '../../functions/video/table.ts';
import { offeredModels, priceOf } from '../../functions/wan/prices.ts';
import { sampleImage } from '../../local/demo/sample-image.ts';
import type { Configuration } from '../config.ts';
import { type Clients, clientsFor } from './clients.ts';
import { awsEnvironmentFix, type Command, configurationOf, readArguments, runCommand, UsageError } from './command.ts';
import { type Deployment, findDeployment, localDeployment } from './doctor/deployment.ts';
import { type Finding, linesOf, warning } from './doctor/finding.ts';
import {
  checkDoubleSlash,
  checkLargeBody,
  checkThrottled,
  notProvoked,
  type Throttled,
  throttleHealth,
} from './smoke/api-checks.ts';
import { type Authentication, createApiCaller } from './smoke/requests.ts';
import {
  type SmokeRequest,
  type SmokeTest,
  smokeOwner,
  VIDEO_SECONDS,
  videoByApi,
  videoByDrop,
  wanAccess,
} from './smoke/videos.ts';

const usage = `Usage:
  npm run smoke                              prints what it would do and what it costs
  npm run smoke -- --yes                     makes two videos on the deployed stack, and checks what only a real account can show
  npm run smoke -- --yes --keep              does not delete the two videos
  npm run smoke -- --yes --throttle-health   also makes GET /health fail for some seconds, to see responses and metrics
  npm run smoke -- --stack NAME, --local     another stack, or that of npm start on this machine

Region and credentials come from the AWS environment, the configuration from cdk.json and FIRSTFRAME_CONTEXT (JSON, as with -c).
With auth: jwt, SMOKE_TOKEN must have a token of the identity provider.`;

/**
 * `npm run smoke`: makes one video by API and one by drop, and reports what could not be tested without a real account. The report
 * has no key, prompt or link.
 * @returns the exit status: 1 when a check fails, or without `--yes`
 */
export const run: Command = (args, environment, print, printError) =>
  runCommand(printError, async () => {
    const { values: options } = readArguments(
      {
        args,
        options: {
          yes: { type: 'boolean', default: false },
          keep: { type: 'boolean', default: false },
          local: { type: 'boolean', default: false },
          'throttle-health': { type: 'boolean', default: false },
          stack: { type: 'string' },
        },
      },
      usage,
    );
    const configuration = await configurationOf(environment);
    // The stack of `npm start` has its own owner of drops.
    if (options.local) configuration.drop.owner = 'local';
    const request = cheapestRequest(configuration);
    printPlan(print, request, options['throttle-health']);
    if (!options.yes) {
      print('\nNothing was done. To do it: npm run smoke -- --yes');
      return 1;
    }
    print('');
    const findings: Finding[] = [];
    const report = (found: readonly Finding[]) => {
      for (const finding of found) for (const line of linesOf(finding)) print(line);
      findings.push(...found);
    };
    const clients = clientsFor(options.local, environment);
    const stack = options.stack ?? configuration.stackName;
    const deployment = options.local
      ? localDeployment(`http://127.0.0.1:${environment.PORT || 4400}`)
      : await deploymentOf(clients, stack);
    const table = tableOf(clients.dynamoDb, deployment.table);
    const authentication = await authenticate({ configuration, clients, table, environment });
    try {
      const call = createApiCaller(deployment.api_url, authentication.header, fetch);
      const test = { clients, configuration, deployment, table, call, request, environment, local: options.local };
      await makeVideos(test, { print, report, keep: options.keep, stack, throttle: options['throttle-health'] });
    } finally {
      await authentication.end();
    }
    const hasFailed = findings.some(({ state }) => state === 'failure');
    print(hasFailed ? '\nSome checks failed. The indented lines are the fixes.' : '\nThe smoke test passed.');
    return hasFailed ? 1 : 0;
  });

/** The cheapest video of the deployment. @throws UsageError where no model is offered */
function cheapestRequest({ region, wanBaseUrl, prices, catalogue }: Configuration): SmokeRequest {
  const deployment = { region, base_url: wanBaseUrl, prices, changes: catalogue };
  const requests = offeredModels(deployment).flatMap(({ name: model, resolutions, durations }) => {
    const seconds = durations.kind === 'set' ? Math.min(...durations.values) : durations.min;
    return resolutions.flatMap((resolution) => {
      const price = priceOf(model, resolution, seconds, deployment);
      return price ? [{ model, resolution, price }] : [];
    });
  });
  const [cheapest] = requests.sort((one, other) => one.price.amount - other.price.amount);
  if (!cheapest) throw new UsageError(`No model has a price in ${region}. Set prices in catalogue.json.`);
  return cheapest;
}

function printPlan(print: (line: string) => void, { model, resolution, price }: SmokeRequest, throttle: boolean): void {
  const { amount, currency, seconds, as_of } = price;
  const total = Math.round(2 * amount * 1e6) / 1e6;
  print(`The smoke test makes two videos: one through the API, one by a drop.`);
  print(`  Model      ${model}, ${resolution}, ${seconds} s`);
  print(`  Wan bills  2 × ${amount} = ${total} ${currency} (prices of ${as_of}); AWS less than 0.01 USD`);
  print(`  Duration   2 to 5 minutes, at most ${(2 * VIDEO_SECONDS) / 60}`);
  print(`  Afterwards it deletes the videos (unless --keep), the drop, its result and the API keys that it creates.`);
  if (throttle) print(`  It throttles the function health: GET /health fails for some seconds.`);
}

async function deploymentOf({ cloudFormation }: Clients, stack: string): Promise<Deployment> {
  const { deployment, findings } = await findDeployment(cloudFormation, stack).catch((error: Error) => {
    if (error.name === 'CredentialsProviderError' || error.message === 'Region is missing')
      throw new UsageError(`AWS cannot be called: ${error.message}. ${awsEnvironmentFix}`);
    throw error;
  });
  if (deployment) return deployment;
  throw new UsageError(findings.flatMap(linesOf).join('\n'));
}

/** Creates a key for the test, or takes the caller's own credentials. `end` revokes what was created. */
async function authenticate({
  configuration: { auth },
  clients,
  table,
  environment: { SMOKE_TOKEN },
}: Pick<SmokeTest, 'configuration' | 'clients' | 'table' | 'environment'>): Promise<{
  header: Authentication;
  end: () => Promise<unknown>;
}> {
  const nothing = async () => undefined;
  if (auth.mode === 'iam') return { header: { signer: clients.cloudFormation }, end: nothing };
  if (auth.mode === 'jwt') {
    if (!SMOKE_TOKEN) throw new UsageError(`Set SMOKE_TOKEN to a token of your identity provider.\n\n${usage}`);
    return { header: { authorization: `Bearer ${SMOKE_TOKEN}` }, end: nothing };
  }
  const { key, item } = await createApiKey(table, smokeOwner);
  return { header: { authorization: `Bearer ${key}` }, end: () => revokeApiKey(table, item.key_id) };
}

/** The order of the checks: the metrics of a throttled function appear minutes later, so that comes first and is read last. */
async function makeVideos(
  test: SmokeTest,
  options: {
    print: (line: string) => void;
    report: (findings: readonly Finding[]) => void;
    keep: boolean;
    stack: string;
    throttle: boolean;
  },
): Promise<void> {
  const { clients, call, table } = test;
  const { print, report, keep, stack } = options;
  const image = sampleImage(640, 480);
  const throttled: Throttled | undefined = options.throttle
    ? await throttleHealth(clients, stack, call, print)
    : undefined;
  report(await checkDoubleSlash(call));
  report(await checkLargeBody(call));
  const wan = await wanAccess(test);
  print('… making a video by API');
  report(await videoByApi(test, { image, wan, keep }));
  print('… making a video by drop');
  report(await videoByDrop(test, { image, keep }));
  if (throttled) {
    print('… waiting for the metrics of the throttled requests');
    report(await checkThrottled(clients, stack, throttled));
  }
  report(notProvoked(throttled !== undefined));
  if (keep) return;
  const { videos } = await listVideos(table, { owner: smokeOwner, limit: 10 });
  report(
    videos.map(({ id, status }) =>
      warning(
        `The video ${id} of the owner ${smokeOwner} is left (${status}).`,
        `npm run api-key -- create --owner ${smokeOwner}, then DELETE /videos/${id} with this key`,
      ),
    ),
  );
}

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), process.env, console.log, console.error);
}
