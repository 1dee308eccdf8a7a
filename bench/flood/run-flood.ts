import { randomUUID } from 'node:crypto';
import type { Platform } from '../../functions/entries/platform.ts';
import type { FunctionName } from '../../functions/shared/environment.ts';
import { keys } from '../../functions/video/keys.ts';
import { createVideo, newVideo } from '../../functions/video/store.ts';
import { getItem } from '../../functions/video/table.ts';
import { createThrottle } from '../../local/aws/api-gateway/throttle.ts';
import { simulateAws } from '../simulation/aws.ts';
import { createVirtualClock } from '../simulation/clock.ts';
import { readDeployment } from '../simulation/deployment.ts';
import { createLatency } from '../simulation/latency.ts';
import { seededRandom } from '../simulation/random.ts';

export interface FloodOptions {
  seed: number;
  seconds: number;
  /** Settings of the stack as in cdk.json. */
  context: { apiThrottle: { rate: number; burst: number } } & Readonly<Record<string, unknown>>;
  /** Concurrent executions of the account. */
  concurrency: number;
  /** Long polls of one owner, repeated after `Retry-After`. */
  long_polls: number;
  /** Seconds over which they start. */
  spread: number;
  /** Connections of the same owner that send requests as fast as they get responses. */
  connections: number;
}

export interface FloodResult {
  /** Milliseconds of each successful request of the other owner. */
  latencies: number[];
  requests: number;
  /** Requests of the other owner with another status than 200. */
  failed: number;
  /** Invocations of the workflow that Lambda refused, because the account had no concurrency left. */
  refused_steps: number;
  /** Requests of the flood per second, and how many of them got 200. */
  flood_rate: number;
  accepted_rate: number;
  /** The highest number of long polls that waited at the same time. */
  waiting: number;
}

const START = Date.parse('2026-01-01T00:00:00Z');
/** Between a client and the API. */
const NETWORK_MILLISECONDS = 20;
/** A step of the workflow. */
const STEP_MILLISECONDS = 1000;

/** Sends requests of two owners through the stage's throttle and the account's concurrency to the functions' code. */
export async function runFlood(options: FloodOptions): Promise<FloodResult> {
  const { seed, seconds, context, concurrency, long_polls, spread, connections } = options;
  const random = seededRandom(seed);
  const clock = createVirtualClock(START);
  const latency = createLatency(clock, random);
  const unused = 'http://127.0.0.1:9';
  const deployment = await readDeployment({ awsUrl: unused, emulatorUrl: unused }, context);
  const none = { send: () => Promise.reject(new Error('This bench has no such service.')) };
  const { table, lambda } = await simulateAws({ clock, latency, random }, deployment, {
    fetch: () => Promise.reject(new Error('This bench has no network.')),
    s3: none as Partial<Platform['s3']> as Platform['s3'],
    recordMetric: () => undefined,
    sqs: () => none,
  });
  const { rate: rate_limit, burst: burst_limit } = context.apiThrottle;
  const isThrottled = createThrottle(
    [{ resource_path: '/*', http_method: '*', rate_limit, burst_limit }] as Parameters<typeof createThrottle>[0],
    clock.now,
  );
  const methods = new Map(
    Object.keys(handlers).map((resource) => [
      resource,
      { resource_path: resource, http_method: 'GET' } as Parameters<typeof isThrottled>[0],
    ]),
  );
  let running = 0;
  const result: FloodResult = {
    latencies: [],
    requests: 0,
    failed: 0,
    refused_steps: 0,
    flood_rate: 0,
    accepted_rate: 0,
    waiting: 0,
  };

  /** Takes an execution of the account for some work. @returns undefined when there is none left */
  async function execute<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    if (running >= concurrency) return undefined;
    running += 1;
    return work().finally(() => {
      running -= 1;
    });
  }

  async function get(
    owner: string,
    resource: keyof typeof handlers,
    { id, wait }: { id?: string; wait?: string } = {},
  ) {
    await clock.sleep(NETWORK_MILLISECONDS / 2);
    const respond = async (): Promise<{ status: number; retryAfter: number }> => {
      if (!isThrottled(methods.get(resource)!)) return { status: 429, retryAfter: 1 };
      const response = (await execute(() => lambda.invoke(handlers[resource], eventOf(owner, resource, id, wait)))) as
        | { statusCode: number; headers: Record<string, string> }
        | undefined;
      if (!response) return { status: 502, retryAfter: 1 };
      return { status: response.statusCode, retryAfter: Number(response.headers['retry-after'] ?? 1) };
    };
    const response = await respond();
    await clock.sleep(NETWORK_MILLISECONDS / 2);
    return response;
  }

  const [flooding, other] = ['alice', 'bob'] as const;
  const videos = { [flooding]: await storeVideo(table, flooding), [other]: await storeVideo(table, other) };
  const end = START + seconds * 1000;
  let sent = 0;
  let accepted = 0;
  const count = ({ status }: { status: number }) => {
    sent += 1;
    if (status === 200) accepted += 1;
  };
  const poller = async () => {
    await clock.sleep(random() * spread * 1000);
    while (clock.now() < end) {
      const response = await get(flooding, '/videos/{id}', { id: videos[flooding], wait: '25' });
      count(response);
      await clock.sleep(response.retryAfter * 1000);
    }
  };
  const connection = async () => {
    while (clock.now() < end) count(await get(flooding, '/models'));
  };
  const step = async () => {
    while (clock.now() < end) {
      await clock.sleep(500);
      const slots = (await getItem<{ slots?: object }>(table, keys.longPolls))?.slots ?? {};
      result.waiting = Math.max(result.waiting, Object.keys(slots).length);
      void execute(() => clock.sleep(STEP_MILLISECONDS).then(() => true)).then((done) => {
        if (!done) result.refused_steps += 1;
      });
    }
  };
  const calm = async () => {
    const requests = [
      () => get(other, '/models'),
      () => get(other, '/videos'),
      () => get(other, '/videos/{id}', { id: videos[other] }),
    ];
    // A first round starts its containers.
    for (const request of requests) await request();
    for (let index = 0; clock.now() < end; index += 1) {
      const began = clock.now();
      const { status } = await requests[index % requests.length]!();
      result.requests += 1;
      if (status === 200) result.latencies.push(clock.now() - began);
      else result.failed += 1;
      await clock.sleep(100 * (0.5 + random()));
    }
  };
  let left = 2 + long_polls + connections;
  const actors = [
    calm,
    step,
    ...Array.from({ length: long_polls }, () => poller),
    ...Array.from({ length: connections }, () => connection),
  ];
  const failures: unknown[] = [];
  for (const actor of actors) {
    void actor()
      .catch((error: unknown) => failures.push(error))
      .finally(() => {
        left -= 1;
      });
  }
  await clock.run(() => left === 0, end + 120_000);
  if (failures.length > 0) throw failures[0];
  return { ...result, flood_rate: sent / seconds, accepted_rate: accepted / seconds };
}

/** The functions of the routes that this bench uses. */
const handlers = {
  '/models': 'catalogue',
  '/videos': 'videos',
  '/videos/{id}': 'videos',
} as const satisfies Record<string, FunctionName>;

/** The event of API Gateway. */
const eventOf = (owner: string, resource: string, id: string | undefined, wait: string | undefined) => ({
  resource,
  path: resource,
  headers: {},
  multiValueHeaders: {},
  pathParameters: id ? { id } : null,
  queryStringParameters: wait ? { wait } : null,
  multiValueQueryStringParameters: wait ? { wait: [wait] } : null,
  body: null,
  isBase64Encoded: false,
  requestContext: { requestId: randomUUID(), authorizer: { owner, key_id: `key of ${owner}` } },
});

/** Stores a running video, which changes nothing during the bench. */
async function storeVideo(table: Parameters<typeof createVideo>[0], owner: string): Promise<string> {
  const id = randomUUID();
  const request = {
    id,
    owner,
    source: { type: 'api', key_id: 'k1' },
    model: 'wan2.2-i2v-plus',
    input: { prompt: 'A cat runs', media: [{ type: 'first_frame', url: 'https://example.com/cat.png' }] },
    parameters: { resolution: '480P', duration: 5 },
    metadata: {},
    warnings: [],
    request_hash: 'hash',
  } as const;
  const input = { ...request.input, media: [...request.input.media] };
  await createVideo(table, {
    ...newVideo({ ...request, input, warnings: [] }, START),
    status: 'running',
    task: {
      id: `task of ${owner}`,
      status: 'RUNNING',
      region: 'singapore',
      submit_time: new Date(START).toISOString(),
      expires_at: new Date(START + 24 * 3600_000).toISOString(),
      expected_seconds: 20,
      attempts: 1,
    },
  });
  return id;
}
