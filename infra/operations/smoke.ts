import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { createApiKey, revokeApiKey } from '../../functions/api/auth/api-keys.ts';
import { ownerOf } from '../../functions/drops/drop-key.ts';
import { resultKey } from '../../functions/drops/result-object.ts';
import { listVideos } from '../../functions/video/list.ts';
import { isTerminal, type VideoRecord } from '../../functions/video/record.ts';
import { readVideo } from '../../functions/video/store.ts';
import { type Table, tableOf } from '../../functions/video/table.ts';
import type { Resolution } from '../../functions/wan/catalogue.ts';
import { offeredModels, type Price, priceOf } from '../../functions/wan/prices.ts';
import { sampleImage } from '../../local/demo/sample-image.ts';
import type { Configuration } from '../config.ts';
import { type Clients, clientsFor } from './clients.ts';
import { awsEnvironmentFix, type Command, configurationOf, readArguments, runCommand, UsageError } from './command.ts';
import { type Deployment, findDeployment, localDeployment } from './doctor/deployment.ts';
import { type Finding, failure, linesOf, ok, unchecked, warning } from './doctor/finding.ts';
import {
  checkDoubleSlash,
  checkLargeBody,
  checkThrottled,
  notProvoked,
  type Throttled,
  throttleHealth,
} from './smoke/api-checks.ts';
import { type Authentication, type CallApi, createApiCaller, poll } from './smoke/requests.ts';
import { checkResultHost, checkTaskList, describeLinks, type WanAccess } from './smoke/wan-checks.ts';

const usage = `Usage:
  npm run smoke                              prints what it would do and what it costs
  npm run smoke -- --yes                     makes two videos on the deployed stack, and checks what only a real account can show
  npm run smoke -- --yes --keep              does not delete the two videos
  npm run smoke -- --yes --throttle-health   also makes GET /health fail for some seconds, to see responses and metrics
  npm run smoke -- --stack NAME, --local     another stack, or that of npm start on this machine

Region and credentials come from the AWS environment, the configuration from cdk.json and FIRSTFRAME_CONTEXT (JSON, as with -c).
With auth: jwt, SMOKE_TOKEN must have a token of the identity provider.`;

/** Much longer than a video takes: a task has no result after 3 hours at the latest, usually after 2 minutes. */
const VIDEO_SECONDS = 1800;

/** An owner that no caller is expected to use. */
const smokeOwner = 'firstframe-smoke';

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

interface SmokeRequest {
  model: string;
  resolution: Resolution;
  price: Price;
}

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

interface SmokeTest {
  clients: Clients;
  configuration: Configuration;
  deployment: Deployment;
  table: Table;
  call: CallApi;
  request: SmokeRequest;
  environment: NodeJS.ProcessEnv;
  local: boolean;
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

async function wanAccess({ clients, configuration, deployment, environment, local }: SmokeTest): Promise<WanAccess> {
  const { SecretString = '' } = await clients.secrets.send(new GetSecretValueCommand({ SecretId: deployment.secret }));
  const baseUrl = local ? `http://127.0.0.1:${environment.WAN_PORT || 4401}/api/v1` : configuration.wanBaseUrl;
  return { baseUrl, key: SecretString.trim(), fetch };
}

/** Unique, so that the task is recognized, and harmless. */
const newPrompt = (): string => `A calm sea at sunset, slow camera, study ${randomUUID()}`;

async function videoByApi(
  { call, table, request, configuration, local, environment }: SmokeTest,
  { image, wan, keep }: { image: Buffer; wan: WanAccess; keep: boolean },
): Promise<Finding[]> {
  const prompt = newPrompt();
  const { model, resolution } = request;
  const img_url = `data:image/png;base64,${image.toString('base64')}`;
  const body = JSON.stringify({ model, input: { prompt, img_url }, parameters: { resolution } });
  const created = await call('videos', { method: 'POST', body });
  const id = String(created.body.id);
  if (created.status !== 202)
    return [
      failure(`POST /videos is answered with ${created.status} (${String(created.body.code)}).`, 'npm run doctor'),
    ];
  const started = await poll(
    async () => {
      const video = await readVideo(table, id);
      return video?.task || (video && isTerminal(video.status)) ? video : undefined;
    },
    { seconds: VIDEO_SECONDS, every: 0.5 },
  );
  const { task } = started ?? {};
  if (!task) return [notEnded('API', id, started)];
  const findings = await checkTaskList(wan, { ...task, model }, prompt);
  const ended = await endedVideo(table, id);
  if (ended?.status !== 'succeeded' || !ended.video) return [...findings, notEnded('API', id, ended)];
  findings.push(ok(`The video by API succeeded in ${secondsOf(ended)} s.`));
  const origin = new URL(wan.baseUrl).origin;
  const trustedOrigins = local ? [origin, `http://127.0.0.1:${environment.WAN_PORT || 4401}`] : [];
  findings.push(...(await checkResultHost(wan, task, { videoHosts: configuration.videoHosts, trustedOrigins })));
  const content = await call(`videos/${id}/content`);
  const link = content.headers.get('location') ?? '';
  const bytes = link ? (await (await fetch(link)).arrayBuffer()).byteLength : 0;
  findings.push(
    bytes === ended.video.bytes
      ? ok(`The link of GET /videos/{id}/content serves all ${bytes} bytes of the archived file.`)
      : failure(`The link serves ${bytes} bytes of ${ended.video.bytes}.`, 'Check the policy of the videos bucket.'),
    ...describeLinks(link, configuration.imageTransfer, ended),
  );
  if (!keep) findings.push(...(await deleteVideo(call, id)));
  return findings;
}

async function videoByDrop(test: SmokeTest, { image, keep }: { image: Buffer; keep: boolean }): Promise<Finding[]> {
  const { clients, table, request, deployment, configuration } = test;
  const { s3 } = clients;
  const Bucket = deployment.uploads_bucket;
  const { owners } = configuration.drop;
  // A folder that the table of owners lists, otherwise one of its own.
  const folder = typeof owners === 'object' ? (Object.keys(owners)[0] ?? smokeOwner) : smokeOwner;
  const Key = `drop/${folder}/smoke-${randomUUID()}.png`;
  const owner = ownerOf(Key, { owners }, configuration.drop)!;
  const { model, resolution } = request;
  await s3.send(
    new PutObjectCommand({ Bucket, Key, Body: image, Metadata: { prompt: newPrompt(), model, resolution } }),
  );
  const { LastModified } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
  const isOurs = ({ source }: VideoRecord) => source.type === 'drop' && source.key === Key;
  const found = await poll(
    async () => (await listVideos(table, { owner, limit: 20 })).videos.find(isOurs),
    // The sweep finds a drop whose event was lost after ten minutes.
    { seconds: 900, every: 1 },
  );
  if (!found)
    return [failure('The drop became no video within 15 minutes.', `npm run doctor, and the log of the function drop`)];
  // S3 cuts the time of an object to whole seconds.
  const delay = (Date.parse(found.created_at) - LastModified!.getTime()) / 1000;
  const range = `${Math.max(0, delay - 1).toFixed(1)} to ${Math.max(0, delay).toFixed(1)} s`;
  const findings: Finding[] = [
    delay < 60
      ? ok(`The event of the drop led to a record after ${range}.`)
      : warning(
          `The drop became a video only after ${range}: S3 sends events about five minutes after the first deployment.`,
          'Run the smoke test again.',
        ),
  ];
  const ended = await endedVideo(table, found.id);
  if (ended?.status !== 'succeeded') return [...findings, notEnded('drop', found.id, ended)];
  findings.push(ok(`The video by drop succeeded in ${secondsOf(ended)} s.`));
  const written = await poll(
    () => s3.send(new HeadObjectCommand({ Bucket, Key: resultKey(Key) })).catch(() => undefined),
    { seconds: 60, every: 1 },
  );
  findings.push(
    written
      ? ok('The result was written next to the image.')
      : warning('The result is not written yet.', 'The sweep writes it within 5 minutes.'),
  );
  if (!keep) findings.push(...(await removeDrop(test, { id: found.id, owner, Key })));
  return findings;
}

/** Deletes the drop's video as its owner, and the objects of the drop. */
async function removeDrop(
  { clients, configuration, deployment, table }: SmokeTest,
  { id, owner, Key }: { id: string; owner: string; Key: string },
): Promise<Finding[]> {
  const Bucket = deployment.uploads_bucket;
  const objects = [Key, resultKey(Key), ...(configuration.drop.copyVideo ? [`${Key}.mp4`] : [])];
  for (const object of objects) await clients.s3.send(new DeleteObjectCommand({ Bucket, Key: object }));
  if (configuration.auth.mode !== 'api-key') {
    return [unchecked(`the deletion of the drop's video ${id}`, `DELETE /videos/${id} as its owner ${owner}`)];
  }
  const { key, item } = await createApiKey(table, owner);
  try {
    const call = createApiCaller(deployment.api_url, { authorization: `Bearer ${key}` }, fetch);
    return await deleteVideo(call, id);
  } finally {
    await revokeApiKey(table, item.key_id);
  }
}

async function deleteVideo(call: CallApi, id: string): Promise<Finding[]> {
  const { status } = await call(`videos/${id}`, { method: 'DELETE' });
  return status === 204 ? [] : [warning(`DELETE /videos/${id} is answered with ${status}.`, 'Delete it later.')];
}

const endedVideo = (table: Table, id: string): Promise<VideoRecord | undefined> =>
  poll(
    async () => {
      const video = await readVideo(table, id);
      return video && isTerminal(video.status) ? video : undefined;
    },
    { seconds: VIDEO_SECONDS, every: 1 },
  );

const secondsOf = ({ created_at, updated_at }: VideoRecord): number =>
  Math.round((Date.parse(updated_at) - Date.parse(created_at)) / 1000);

const notEnded = (by: string, id: string, video: VideoRecord | undefined): Finding =>
  failure(
    video
      ? `The video ${id} by ${by} ended as ${video.status} (${video.error?.code ?? 'no code'}).`
      : `The video ${id} by ${by} did not end in ${VIDEO_SECONDS / 60} minutes. It was not deleted.`,
    video?.error?.hint ?? 'npm run doctor',
  );

if (process.argv[1] === import.meta.filename) {
  process.exitCode = await run(process.argv.slice(2), process.env, console.log, console.error);
}
