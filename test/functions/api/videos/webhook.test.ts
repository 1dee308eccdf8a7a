import { randomUUID } from 'node:crypto';
import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, test } from 'vitest';
import document from '../../../../functions/api/openapi/document.ts';
import type { Platform } from '../../../../functions/entries/platform.ts';
import { composeWebhooks } from '../../../../functions/entries/webhooks.ts';
import { createDelivery } from '../../../../functions/events/deliveries.ts';
import { endSubscription } from '../../../../functions/events/subscriptions.ts';
import type { WebhookAnswer, WebhookRequest } from '../../../../functions/events/webhook-request.ts';
import { keys } from '../../../../functions/video/keys.ts';
import { createVideo } from '../../../../functions/video/store.ts';
import { getItem } from '../../../../functions/video/table.ts';
import { readContract } from '../../../support/contract.ts';
import { startTable } from '../../../support/table.ts';
import { aVideo } from '../../../support/videos.ts';
import { aPlatform } from '../../entries/platform.ts';
import { aContext, linesOf } from '../../log-lines.ts';
import { anOwner, aRequest, responseOf } from '../support.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const HOUR = 3600_000;
const clock = { now: start };
afterEach(() => {
  clock.now = start;
});
const { table } = startTable(() => clock.now);
const enqueued: unknown[] = [];
const posts: WebhookRequest[] = [];
let answer: WebhookAnswer = { status: 204, milliseconds: 3 };
let readSecret = async () => ({ SecretString: 'the master' });
const secretUrl = 'https://hooks.example:8443/secret-path?secret=token';
const host = 'hooks.example:8443';

const handle = composeWebhooks(
  {
    TABLE_NAME: table.tableName,
    REQUEST_RATE: { per_second: 1000, burst: 1000 },
    CORS: [],
    WEBHOOK_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/0/fast',
    WEBHOOK_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:0:secret:webhooks',
    LOOPBACK_WEBHOOKS: false,
  },
  aPlatform(table, {
    sqs: {
      send: async ({ input }: SendMessageBatchCommand) => {
        enqueued.push(...input.Entries!.map(({ MessageBody }) => JSON.parse(MessageBody!)));
        return {};
      },
    } as unknown as Platform['sqs'],
    secrets: { send: () => readSecret() } as unknown as Platform['secrets'],
    sendWebhook: async (request) => {
      posts.push(request);
      return answer;
    },
  }),
);

const contract = readContract(JSON.parse(JSON.stringify(document)));

/** Returns the error of a response that the contract does not describe. */
function contractFault(method: string, path: string, { status, body }: ReturnType<typeof responseOf>) {
  const route = contract.routes.find((each) => each.method === method && each.path === path)!;
  const described = route.responses[status];
  if (!described) return `no response ${status}`;
  const [content] = Object.values(described.content ?? {});
  return content ? contract.faultOf(content.schema, body) : body && 'a body';
}

/** Calls a route, and checks the response against the contract, and that nothing has the webhook's URL. */
async function call(
  owner: string,
  method: string,
  resource: string,
  more: { body?: unknown; id?: string; sequence?: string } = {},
) {
  const { id, sequence, body } = more;
  const request = {
    ...aRequest({ owner, resource, body, ...(id ? { id } : {}) }),
    httpMethod: method,
    ...(sequence ? { pathParameters: { id: id!, sequence } } : {}),
  };
  let response!: ReturnType<typeof responseOf>;
  const lines = await linesOf(async () => {
    response = responseOf((await handle(request, aContext('request'))) as APIGatewayProxyResult);
  });
  expect(JSON.stringify([response, lines])).not.toMatch(/secret-path|secret=token/);
  expect(contractFault(method, resource, response), `${method} ${resource}`).toBeUndefined();
  return response;
}
const put = (owner: string, body: unknown = { url: secretUrl }) => call(owner, 'PUT', '/webhook', { body });
const redeliver = (owner: string, id: string, sequence: string) =>
  call(owner, 'POST', '/videos/{id}/deliveries/{sequence}/redeliver', { id, sequence });

/** A video of an owner, whose first event a webhook gets. */
async function aDelivery(owner: string, url?: string) {
  const video = aVideo({ id: randomUUID(), owner }, clock.now);
  await createVideo(table, video);
  const { id } = video;
  const detail = {
    version: '1',
    id,
    owner,
    sequence: 1,
    status: 'queued',
    at: video.created_at,
    model: video.model,
    source: 'api',
    metadata: {},
    webhook: true,
  } as const;
  await createDelivery(table, { video, detail, type: 'video.queued', url, host });
  return id;
}

describe('/webhook', () => {
  test('is set, shown by its host, and deleted', async () => {
    const owner = anOwner();
    expect(await call(owner, 'GET', '/webhook')).toMatchObject({ status: 404, body: { code: 'webhook_not_found' } });
    const first = await put(owner);
    const view = { host, events: 'endings', state: 'active', secret_version: 1 };
    expect(first).toMatchObject({ status: 200, body: { ...view, secret: expect.stringMatching(/^whsec_/) } });
    expect(await call(owner, 'GET', '/webhook')).toMatchObject({ status: 200, body: view });
    expect((await put(owner, { url: secretUrl, events: 'all' })).body).toEqual({ ...view, events: 'all' });
    for (let times = 0; times < 2; times++) expect((await call(owner, 'DELETE', '/webhook')).status).toBe(204);
    expect((await call(owner, 'GET', '/webhook')).status).toBe(404);
    expect((await put(owner)).body).toEqual(view);
  });

  test('shows the first secret in one of two concurrent responses', async () => {
    const owner = anOwner();
    const responses = await Promise.all([put(owner), put(owner)]);
    expect(responses.filter(({ body }) => 'secret' in body)).toHaveLength(1);
    expect(responses.map(({ body }) => body.secret_version)).toEqual([1, 1]);
  });

  test('shows the first secret when the request is repeated after it could not be made', async () => {
    const owner = anOwner();
    const readable = readSecret;
    readSecret = () => Promise.reject(new Error('The secret cannot be read now.'));
    // The value that is cached is older.
    clock.now += HOUR;
    expect((await put(owner)).status).toBe(500);
    readSecret = readable;
    expect((await put(owner)).body).toHaveProperty('secret');
  });

  test('is of one owner', async () => {
    const [owner, other] = [anOwner(), anOwner()];
    const { secret } = (await put(owner)).body;
    expect((await call(other, 'GET', '/webhook')).status).toBe(404);
    await call(other, 'DELETE', '/webhook');
    expect((await call(owner, 'GET', '/webhook')).status).toBe(200);
    expect((await put(other)).body.secret).not.toBe(secret);
  });

  test('is ended by its receiver until it is set again', async () => {
    const owner = anOwner();
    await put(owner);
    await endSubscription(table, owner, secretUrl, new Date(table.now()).toISOString());
    expect((await call(owner, 'GET', '/webhook')).body).toMatchObject({
      state: 'ended',
      ended_at: '2026-01-01T00:00:00.000Z',
    });
    expect((await put(owner)).body.state).toBe('active');
  });

  test.each<[string, unknown, string, string]>([
    ['no URL', {}, '/url', 'missing'],
    ['a list', [], '', 'wrong_type'],
    ['a number', { url: 7 }, '/url', 'wrong_type'],
    ['an empty URL', { url: '' }, '/url', 'invalid_url'],
    ['plain http', { url: 'http://hooks.example/' }, '/url', 'unsupported_url_scheme'],
    ['a loopback URL', { url: 'http://127.0.0.1:9/' }, '/url', 'unsupported_url_scheme'],
    ['a metadata address', { url: 'https://169.254.169.254/' }, '/url', 'private_url'],
    ['a password', { url: 'https://a:secret=token@hooks.example/' }, '/url', 'credentials_in_url'],
    ['a long URL', { url: `https://hooks.example/${'é'.repeat(700)}` }, '/url', 'url_too_long'],
    ['unknown events', { url: secretUrl, events: 'some' }, '/events', 'invalid_value'],
    ['an unknown field', { url: secretUrl, secret: 'mine' }, '/secret', 'unknown_field'],
  ])('is refused with %s', async (_, body, pointer, code) => {
    const owner = anOwner();
    const response = await put(owner, body);
    expect(response).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: [{ pointer, code }] } });
    expect(await getItem(table, keys.webhook(owner))).toBeUndefined();
  });
});

describe('POST /webhook/secret', () => {
  test('shows each version once, and both sign for 24 hours', async () => {
    const owner = anOwner();
    const { secret: first } = (await put(owner)).body;
    const rotated = await call(owner, 'POST', '/webhook/secret');
    const until = '2026-01-02T00:00:00.000Z';
    expect(rotated).toMatchObject({ status: 201, body: { version: 2, previous_valid_until: until } });
    expect((await call(owner, 'GET', '/webhook')).body).toEqual({
      ...{ host, events: 'endings', state: 'active', secret_version: 2 },
      previous_secret_valid_until: until,
    });
    const secrets = [first, rotated.body.secret];
    expect(new Set(secrets).size).toBe(2);
    await call(owner, 'POST', '/webhook/test');
    expect(secrets.map((secret) => verifies(secret, posts.at(-1)!))).toEqual([true, true]);
    clock.now += 24 * 3600_000;
    await call(owner, 'POST', '/webhook/test');
    expect(secrets.map((secret) => verifies(secret, posts.at(-1)!))).toEqual([false, true]);
    expect((await call(owner, 'GET', '/webhook')).body).not.toHaveProperty('previous_secret_valid_until');
  });

  test('shows the first version to an owner without a webhook', async () => {
    const owner = anOwner();
    const { status, body } = await call(owner, 'POST', '/webhook/secret');
    expect({ status, body }).toEqual({ status: 201, body: { secret: expect.any(String), version: 1 } });
    expect((await call(owner, 'GET', '/webhook')).status).toBe(404);
    expect((await put(owner)).body).not.toHaveProperty('secret');
  });
});

/** Verifies at the time of the test's clock. */
function verifies(secret: string, { body, headers }: WebhookRequest): boolean {
  const at = Number(headers['webhook-timestamp']);
  expect(at).toBe(clock.now / 1000);
  const signed = new Webhook(secret).sign(headers['webhook-id']!, new Date(at * 1000), body);
  return headers['webhook-signature']!.split(' ').includes(signed);
}

describe('POST /webhook/test', () => {
  test('returns how the receiver answered', async () => {
    const owner = anOwner();
    expect((await call(owner, 'POST', '/webhook/test')).status).toBe(404);
    await put(owner);
    expect(await call(owner, 'POST', '/webhook/test')).toMatchObject({
      status: 200,
      body: { host, delivered: true, status: 204, milliseconds: 3 },
    });
    expect(posts.at(-1)!.url).toBe(secretUrl);
    expect(JSON.parse(posts.at(-1)!.body)).toMatchObject({ type: 'webhook.test' });
    answer = { status: 500, error: 'The receiver answered with status 500.', milliseconds: 9 };
    expect((await call(owner, 'POST', '/webhook/test')).body).toEqual({ host, delivered: false, ...answer });
  });
});

describe('deliveries', () => {
  test('of a video are listed without URL and body', async () => {
    const owner = anOwner();
    const id = await aDelivery(owner, secretUrl);
    const { status, body } = await call(owner, 'GET', '/videos/{id}/deliveries', { id });
    expect(status).toBe(200);
    expect(body).toEqual({
      data: [
        {
          ...{ sequence: 1, type: 'video.queued', host, state: 'pending', attempts: 0, last_attempts: [] },
          ...{ created_at: '2026-01-01T00:00:00.000Z', deliver_until: '2026-01-02T00:00:00.000Z' },
          next_at: '2026-01-01T00:05:00.000Z',
        },
      ],
    });
  });

  test('of a video without webhooks are an empty list', async () => {
    const video = aVideo({ id: randomUUID(), owner: anOwner() });
    await createVideo(table, video);
    const { body } = await call(video.owner, 'GET', '/videos/{id}/deliveries', { id: video.id });
    expect(body).toEqual({ data: [] });
  });

  test('are sent again immediately', async () => {
    const owner = anOwner();
    const id = await aDelivery(owner, secretUrl);
    clock.now += 3600_000;
    const response = await redeliver(owner, id, '1');
    expect(response).toMatchObject({
      status: 202,
      body: { state: 'pending', deliver_until: '2026-01-02T01:00:00.000Z' },
    });
    expect(enqueued.at(-1)).toEqual({ detail: { id, sequence: 1 } });
  });

  test("of another owner's video are answered as those of an unknown id", async () => {
    const id = await aDelivery(anOwner(), secretUrl);
    const other = anOwner();
    const count = enqueued.length;
    for (const named of [id, randomUUID(), 'no-id']) {
      const listed = await call(other, 'GET', '/videos/{id}/deliveries', { id: named });
      expect(listed).toMatchObject({ status: 404, body: { code: 'video_not_found' } });
      expect(await redeliver(other, named, '1')).toMatchObject({ status: 404, body: { code: 'video_not_found' } });
    }
    expect(enqueued).toHaveLength(count);
  });

  test.each(['2', '0', '-1', '1.0', '1e0', 'x', '9'.repeat(400)])('do not have the sequence %s', async (sequence) => {
    const owner = anOwner();
    const id = await aDelivery(owner, secretUrl);
    expect(await redeliver(owner, id, sequence)).toMatchObject({ status: 404, body: { code: 'delivery_not_found' } });
  });

  test("of the owner's webhook need that webhook to be sent again", async () => {
    const owner = anOwner();
    const id = await aDelivery(owner);
    const refused = { status: 409, body: { code: 'no_webhook' } };
    expect(await redeliver(owner, id, '1')).toMatchObject(refused);
    await put(owner);
    expect((await redeliver(owner, id, '1')).status).toBe(202);
    await endSubscription(table, owner, secretUrl, new Date(table.now()).toISOString());
    expect(await redeliver(owner, id, '1')).toMatchObject(refused);
  });
});
