import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { reserveSpending, settleSpending } from '../../../functions/ledger/spending.ts';
import { acceptRequest } from '../../../functions/submissions/accept-request.ts';
import { replaceWithTombstone } from '../../../functions/video/deletion.ts';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aDeployment, aVideo, fileOf } from '../../support/videos.ts';
import { anApi, anOwner, anS3, body, dataUrl, type StoredObjects } from '../api/support.ts';
import { png } from '../media/support.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const store = startTable(() => now);

const keyed = (sent: unknown, owner: string) => ({ body: sent, owner, headers: { 'Idempotency-Key': 'key-1' } });
const inline = body({ input: { prompt: 'A cat runs', img_url: dataUrl(png(400, 400)) } });

describe('a new video', () => {
  test('stores its estimated cost and spending month', async () => {
    const { body: video } = await anApi(store.table).submit({ body: body({ parameters: { resolution: '480P' } }) });
    expect(await readVideo(store.table, video.id)).toMatchObject({
      estimated_cost: { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5 },
      spending_month: '2026-01',
    });
    const { body: beijing } = await anApi(store.table, { deployment: aDeployment('beijing') }).submit({ body: body() });
    expect((await readVideo(store.table, beijing.id))?.estimated_cost).toMatchObject({ amount: 3.5, currency: 'CNY' });
  });

  test('records one metric by model and source, even for repeated requests', async () => {
    const metrics: unknown[][] = [];
    const api = anApi(store.table, { recordMetric: (...args) => void metrics.push(args) });
    const owner = anOwner();
    for (let times = 0; times < 3; times++) await api.submit(keyed(body(), owner));
    await api.submit({ body: { model: 'wan2.2-i2v-plus' } });
    expect(metrics).toEqual([['Submitted', 1, { model: 'wan2.2-i2v-plus', source: 'api' }]]);
  });

  test('makes two concurrent reads, one write and one read for the response', async () => {
    const { client } = store.table;
    const sent: string[] = [];
    const send = (command: { constructor: { name: string } }) => {
      sent.push(command.constructor.name);
      return client.send(command as never);
    };
    const api = anApi({ ...store.table, client: { send } as typeof client }, { monthlySpendingLimit: 100 });
    expect((await api.submit(keyed(inline, anOwner()))).status).toBe(202);
    // Record and spending, then the new record, then the record after the dispatch.
    expect(sent).toEqual(['GetCommand', 'GetCommand', 'PutCommand', 'GetCommand']);
  });

  test('may have unknown fields in tolerant mode', async () => {
    const services = { ...acceptServices(), mode: 'tolerant' as const };
    const sent = { ...body(), task_group: 'aigc', webhook_url: 'https://example.com/hook' };
    const submission = {
      body: sent,
      identity: { id: randomUUID(), repeatable: false },
      caller: { owner: 'alice', key_id: 'k' },
    };
    await expect(acceptRequest(services, { ...submission, mode: 'strict' })).rejects.toMatchObject({
      status: 400,
      members: { errors: [{ code: 'unknown_field' }] },
    });
    const { video, created } = await acceptRequest(services, { ...submission, mode: 'tolerant' });
    expect(created).toBe(true);
    expect(video.warnings.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(['/task_group unknown_field']);
    expect(video.webhook).toEqual({ url: sent.webhook_url, events: 'endings' });
  });
});

function acceptServices() {
  return {
    table: store.table,
    s3: anS3(),
    recordMetric: () => undefined,
    trustedOrigins: [],
    uploadsBucket: 'uploads',
    deployment: aDeployment(),
    monthlySpendingLimit: undefined,
    dispatch: async () => {},
    onDispatchError: () => {},
  };
}

test('creates one record and one object for fifty concurrent calls with one identity, and reports one creation', async () => {
  const objects: StoredObjects = new Map();
  const services = { ...acceptServices(), s3: anS3(objects) };
  const identity = { id: randomUUID(), repeatable: true };
  const caller = { owner: anOwner(), key_id: 'k' };
  const results = await Promise.all(
    Array.from({ length: 50 }, () => acceptRequest(services, { body: inline, mode: 'strict', identity, caller })),
  );
  expect(results.filter(({ created }) => created)).toHaveLength(1);
  expect(new Set(results.map(({ video }) => video.id))).toEqual(new Set([identity.id]));
  const record = await readVideo(store.table, identity.id);
  expect([...objects.keys()]).toEqual([fileOf(record!)!.key]);
});

describe('a request whose video was deleted', () => {
  test('answers 410 with the fix, pays for nothing and stores nothing', async () => {
    const owner = anOwner();
    const api = anApi(store.table);
    const { body: video } = await api.submit(keyed(inline, owner));
    await replaceWithTombstone(store.table, (await readVideo(store.table, video.id))!);
    api.objects.clear();
    const again = await api.submit(keyed(inline, owner));
    expect(again).toMatchObject({
      status: 410,
      headers: { 'content-type': 'application/problem+json' },
      body: { code: 'video_deleted', detail: expect.stringContaining('another Idempotency-Key') },
    });
    expect(api.objects.size).toBe(0);
    expect(api.dispatched).toEqual([video.id]);
  });

  test('answers 410 when the video is deleted during the repeated request', async () => {
    const owner = anOwner();
    const first = anApi(store.table);
    const late = anApi(store.table, {
      s3: {
        send: async () => {
          const { body: video } = await first.submit(keyed(inline, owner));
          await replaceWithTombstone(store.table, (await readVideo(store.table, video.id))!);
          return { VersionId: 'v1' } as never;
        },
      },
    });
    expect(await late.submit(keyed(inline, owner))).toMatchObject({ status: 410, body: { code: 'video_deleted' } });
    expect(late.dispatched).toEqual([]);
  });
});

describe('a spending limit', () => {
  /** An owner who has spent 0.5 USD this month and has reserved 0.5 USD. */
  async function anOwnerWhoSpent() {
    const owner = anOwner();
    const estimated_cost = { amount: 0.5, currency: 'USD', unit_price: 0.1, seconds: 5, as_of: '2026-01-01' } as const;
    for (const status of ['succeeded', 'running'] as const) {
      const video = aVideo({ owner, status: 'submitting', run: 1, estimated_cost }, now);
      await reserveSpending(store.table, video, undefined);
      await settleSpending(store.table, { ...video, status });
    }
    return owner;
  }

  test('answers 403 with limit, month and fix for a video above it, and stores nothing', async () => {
    const owner = await anOwnerWhoSpent();
    const api = anApi(store.table, { monthlySpendingLimit: 1.49 });
    const response = await api.submit(keyed(inline, owner));
    expect(response).toMatchObject({
      status: 403,
      headers: { 'content-type': 'application/problem+json' },
      body: {
        code: 'spending_limit_reached',
        detail: expect.stringMatching(/2026-01 is 1\.49 USD.*0\.5 USD.*0\.5 USD.*0\.5 USD.*cheaper.*GET \/usage/),
      },
    });
    expect(api.objects.size).toBe(0);
    expect((await api.list({ owner })).body.data).toEqual([]);
  });

  test('allows a video that reaches it exactly, and a cheaper one', async () => {
    const owner = await anOwnerWhoSpent();
    expect((await anApi(store.table, { monthlySpendingLimit: 1.5 }).submit({ body: body(), owner })).status).toBe(202);
    const cheaper = { body: body({ parameters: { resolution: '480P' } }), owner };
    expect((await anApi(store.table, { monthlySpendingLimit: 1.1 }).submit(cheaper)).status).toBe(202);
  });

  test('applies per owner and month', async () => {
    const owner = await anOwnerWhoSpent();
    const limited = { monthlySpendingLimit: 1 };
    expect((await anApi(store.table, limited).submit({ body: body(), owner })).status).toBe(403);
    expect((await anApi(store.table, limited).submit({ body: body(), owner: anOwner() })).status).toBe(202);
    const nextMonth = { ...store.table, now: () => Date.parse('2026-02-01T00:00:00Z') };
    expect((await anApi(nextMonth, limited).submit({ body: body(), owner })).status).toBe(202);
  });

  test('does not apply to a repeated request', async () => {
    const owner = await anOwnerWhoSpent();
    const { body: video } = await anApi(store.table).submit(keyed(inline, owner));
    const again = await anApi(store.table, { monthlySpendingLimit: 0.01 }).submit(keyed(inline, owner));
    expect(again).toMatchObject({ status: 200, body: { id: video.id } });
  });
});

test('compares a repeated request with the first body, even after the video has ended', async () => {
  const owner = anOwner();
  const api = anApi(store.table);
  const { body: video } = await api.submit(keyed(inline, owner));
  await changeStatus(store.table, (await readVideo(store.table, video.id))!, 'canceled');
  expect(await api.submit(keyed(body(), owner))).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
});

describe('a repeated request that would be refused today', () => {
  const trusted = { trustedOrigins: ['http://127.0.0.1:9'] };
  const once = body({ input: { prompt: 'A cat runs', img_url: 'http://127.0.0.1:9/cat.png' } });

  test('returns its video', async () => {
    const owner = anOwner();
    const { body: video } = await anApi(store.table, trusted).submit(keyed(once, owner));
    const strictApi = anApi(store.table);
    expect(await strictApi.submit(keyed(once, owner))).toMatchObject({ status: 200, body: { id: video.id } });
    expect(await strictApi.submit(keyed(once, anOwner()))).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  test('answers 409 for another body, valid or not', async () => {
    const owner = anOwner();
    await anApi(store.table, trusted).submit(keyed(once, owner));
    for (const other of [{ ...once, model: 'wan9' }, [], null]) {
      expect(await anApi(store.table).submit(keyed(JSON.stringify(other), owner))).toMatchObject({
        status: 409,
        body: { code: 'idempotency_conflict' },
      });
    }
  });

  test('reads nothing for an unreadable body or without a key', async () => {
    const sent: string[] = [];
    const { client } = store.table;
    const send = (command: { constructor: { name: string } }) => {
      sent.push(command.constructor.name);
      return client.send(command as never);
    };
    const api = anApi({ ...store.table, client: { send } as typeof client });
    expect((await api.submit(keyed('{', anOwner()))).status).toBe(400);
    expect((await api.submit({ body: once })).status).toBe(400);
    expect(sent).toEqual([]);
  });
});
