import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import {
  composeActions,
  composeCatalogue,
  composeDashscope,
  composeSubmit,
  composeUploads,
  composeVideos,
} from '../../../functions/entries/api.ts';
import { createVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { aDashscopeRequest } from '../api/dashscope/support.ts';
import { aRequest, body, responseOf } from '../api/support.ts';
import { aContext } from '../log-lines.ts';
import { aPlatform } from './platform.ts';

const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
const store = startTable(() => clock.now);
const environment = {
  CORS: [] as string[],
  TABLE_NAME: 'videos',
  EVENT_BUS_NAME: 'videos',
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:0:stateMachine:videos',
  LIMIT_SETTINGS: { extra_permits: 0, models: {} },
  UPLOADS_BUCKET: 'uploads',
  VIDEOS_BUCKET: 'videos',
  WAN_SECRET_ARN: 'arn:secret',
  WAN_BASE_URL: 'https://dashscope-intl.aliyuncs.com/api/v1',
  WAN_REGION: 'singapore',
  TRUSTED_ORIGINS: [] as string[],
  ROTATED_IMAGES: 'accept',
  LOOPBACK_WEBHOOKS: false,
  MONTHLY_SPENDING_LIMIT: undefined,
  TYPICAL_SECONDS: undefined,
  VIDEO_RETENTION_DAYS: undefined,
  REQUEST_RATE: { per_second: 1, burst: 3 },
  LONG_POLLS: { per_owner: 1, total: 10 },
  FILE_LINK_SECRET_ARN: 'arn:links',
  MODEL_PRICES: {},
  WATERMARK: 'requested',
  CATALOGUE: {},
} as const;
const platform = aPlatform(store.table, {
  stepFunctions: { send: async () => ({}) },
  clock: {
    now: store.table.now,
    sleep: async (milliseconds) => {
      clock.now += milliseconds;
    },
  },
});
const functionOf = (handler: unknown) => (event: unknown) =>
  (handler as (...args: unknown[]) => Promise<APIGatewayProxyResult>)(event, aContext).then(responseOf);
const videos = functionOf(composeVideos(environment, platform));
const submit = functionOf(composeSubmit(environment, platform));

describe('an owner above the rate', () => {
  const native = { code: 'too_many_requests', status: 429, title: expect.any(String), detail: expect.any(String) };
  test.each([
    ['submit', submit, (owner: string) => aRequest({ owner, body: {} }), native],
    ['videos', videos, (owner: string) => aRequest({ owner, resource: '/usage' }), native],
    [
      'actions',
      functionOf(composeActions(environment, platform)),
      (owner: string) => aRequest({ owner, resource: '/videos/{id}/cancel', id: randomUUID() }),
      native,
    ],
    [
      'catalogue',
      functionOf(composeCatalogue(environment, platform)),
      (owner: string) => aRequest({ owner, resource: '/models' }),
      native,
    ],
    [
      'uploads',
      functionOf(composeUploads(environment, platform)),
      (owner: string) => aRequest({ owner, resource: '/uploads', body: {} }),
      native,
    ],
    [
      'dashscope',
      functionOf(composeDashscope(environment, platform)),
      (owner: string) => aDashscopeRequest({ owner, path: `tasks/${randomUUID()}` }),
      { code: 'Throttling.RateQuota', message: expect.any(String) },
    ],
  ])('gets 429 with Retry-After from %s, and another owner does not', async (_name, handle, request, expected) => {
    const [flooding, calm] = [randomUUID(), randomUUID()];
    for (let requests = 0; requests < 3; requests++) expect((await handle(request(flooding))).status).not.toBe(429);
    expect(await handle(request(flooding))).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
      body: expected,
    });
    expect((await handle(request(calm))).status).not.toBe(429);
    clock.now += 1000;
    expect((await handle(request(flooding))).status).not.toBe(429);
  });

  test('is counted over all functions together', async () => {
    const owner = randomUUID();
    const catalogue = functionOf(composeCatalogue(environment, platform));
    for (let requests = 0; requests < 3; requests++) await catalogue(aRequest({ owner, resource: '/models' }));
    expect((await videos(aRequest({ owner, resource: '/usage' }))).status).toBe(429);
  });
});

test('an owner above the limit of long polls gets the current state immediately, from both functions that wait', async () => {
  const owner = randomUUID();
  const video = aVideo({ status: 'running', owner });
  await createVideo(store.table, video);
  const waiting = (wait: string) => aRequest({ owner, resource: '/videos/{id}', id: video.id, query: { wait } });
  // Holds the only slot for as long as it takes the others to respond.
  let hold!: () => void;
  const held = new Promise<void>((resolve) => {
    hold = resolve;
  });
  let isHeld!: () => void;
  const acquired = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  const holding = functionOf(
    composeVideos(
      environment,
      aPlatform(store.table, {
        clock: {
          now: store.table.now,
          sleep: async (milliseconds) => {
            isHeld();
            await held;
            clock.now += milliseconds;
          },
        },
      }),
    ),
  )(waiting('25'));
  await acquired;
  const began = clock.now;
  const second = await videos(waiting('25'));
  expect(second).toMatchObject({ status: 200, body: { id: video.id, status: 'running' } });
  expect(second.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  const created = await submit(aRequest({ owner, body: body(), headers: { Prefer: 'wait=25' } }));
  expect(created.status).toBe(202);
  expect(created.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  expect(created.headers).not.toHaveProperty('preference-applied');
  expect(clock.now).toBe(began);
  hold();
  expect(await holding).toMatchObject({ status: 200 });
  expect(clock.now).toBe(began + 25_000);
});
