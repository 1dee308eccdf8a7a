import { beforeEach, describe, expect, test } from 'vitest';
import { preferredWait } from '../../../../functions/api/videos/long-poll.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import { changeStatus, readVideo } from '../../../../functions/video/store.ts';
import { startTable } from '../../../support/table.ts';
import { anApi, anOwner, body } from '../support.ts';

describe('Prefer: wait=N', () => {
  test.each<[string | string[], number | undefined]>([
    ['wait=10', 10],
    ['WAIT = 10', 10],
    ['wait="10"', 10],
    ['respond-async, wait=10', 10],
    ['return=minimal, wait=7; x=1', 7],
    [['respond-async', 'wait=3'], 3],
    ['wait=3, wait=9', 3],
    ['wait=25', 25],
    ['wait=26', 25],
    [`wait=${'9'.repeat(400)}`, 25],
    ['wait=0', undefined],
    ['wait', undefined],
    ['wait=', undefined],
    ['wait=-1', undefined],
    ['wait=1.5', undefined],
    ['wait=ten', undefined],
    ['wait="10', undefined],
    ['await=10', undefined],
    ['x="wait=10"', undefined],
    ['x="a, wait=10, b"', undefined],
    ['x="a\\", wait=10, \\\\", wait=4', 4],
    ['x="a, wait=10', undefined],
    ['x="a, wait=10\\', undefined],
    [`${'",'.repeat(20_000)}wait=10`, 10],
    ['wait=soon, wait=4', 4],
    ['', undefined],
  ])('parses %j as %s seconds', (prefer, seconds) => {
    expect(preferredWait({ headers: {}, multiValueHeaders: { Prefer: [prefer].flat() } })).toBe(seconds);
  });

  test('is undefined without the header', () => {
    expect(preferredWait({ headers: null })).toBeUndefined();
  });
});

describe('a request with Prefer: wait', () => {
  const clock = { now: 0 };
  const store = startTable(() => clock.now);
  beforeEach(() => {
    clock.now = Date.parse('2026-01-01T00:00:00Z');
  });
  const started = Date.parse('2026-01-01T00:00:00Z');
  const waiting = (seconds: number, owner = anOwner()) => ({
    body: body(),
    owner,
    headers: { Prefer: `wait=${seconds}`, 'Idempotency-Key': 'key-1' },
  });
  /** An API whose sleeps advance the clock, and which runs `action` at a time. */
  const anApiWith = (at: number, action: () => Promise<unknown> = async () => {}) => {
    let done = false;
    return anApi(store.table, {
      sleep: async (milliseconds) => {
        clock.now += milliseconds;
        if (done || clock.now - started < at) return;
        done = true;
        await action();
      },
    });
  };
  const dispatchedVideo = async (api: ReturnType<typeof anApi>) => (await readVideo(store.table, api.dispatched[0]!))!;

  test('answers 200 when the video has ended', async () => {
    const api = anApiWith(6000, async () => changeStatus(store.table, await dispatchedVideo(api), 'canceled'));
    const response = await api.submit(waiting(20));
    expect(response).toMatchObject({
      status: 200,
      headers: { 'preference-applied': 'wait', location: `videos/${response.body.id}` },
      body: { status: 'canceled' },
    });
    expect(response.headers).not.toHaveProperty('retry-after');
    expect(clock.now - started).toBeLessThan(7500);
  });

  test('answers 202 with the current video when the time is up, and never later', async () => {
    const api = anApiWith(5000, async () => changeStatus(store.table, await dispatchedVideo(api), 'submitting'));
    const response = await api.submit(waiting(8));
    expect(response).toMatchObject({
      status: 202,
      headers: { 'preference-applied': 'wait' },
      body: { status: 'submitting' },
    });
    expect(clock.now - started).toBe(8000);
  });

  test('waits at most 25 s from the arrival of the request', async () => {
    const api = anApi(store.table, {
      dispatch: async () => {
        clock.now += 10_000;
      },
      sleep: async (milliseconds) => {
        clock.now += milliseconds;
      },
    });
    expect(await api.submit(waiting(3600))).toMatchObject({ status: 202 });
    expect(clock.now - started).toBe(25_000);
  });

  test('answers a repeated request with 200 only if the video has ended', async () => {
    const owner = anOwner();
    const api = anApiWith(Number.POSITIVE_INFINITY);
    await api.submit(waiting(1, owner));
    expect(await api.submit(waiting(1, owner))).toMatchObject({ status: 202 });
    await changeStatus(store.table, await dispatchedVideo(api), 'canceled');
    const slept = clock.now;
    expect(await api.submit(waiting(10, owner))).toMatchObject({ status: 200, body: { status: 'canceled' } });
    expect(clock.now).toBe(slept);
  });

  test('answers 410 when the video is deleted while it waits', async () => {
    const api = anApiWith(2000, async () => replaceWithTombstone(store.table, await dispatchedVideo(api)));
    expect(await api.submit(waiting(20))).toMatchObject({ status: 410, body: { code: 'video_deleted' } });
  });

  test('answers 202 when the table fails while it waits', async () => {
    const { client } = store.table;
    let failing = false;
    const send = (command: never) => (failing ? Promise.reject(new Error('DynamoDB failed')) : client.send(command));
    const api = anApi(
      { ...store.table, client: { send } as typeof client },
      {
        sleep: async () => {
          failing = true;
        },
      },
    );
    expect(await api.submit(waiting(20))).toMatchObject({ status: 202, body: { status: 'queued' } });
  });

  test('ignores an invalid preference', async () => {
    const api = anApi(store.table);
    const response = await api.submit({ body: body(), headers: { Prefer: 'wait=soon' } });
    expect(response.status).toBe(202);
    expect(response.headers).not.toHaveProperty('preference-applied');
  });
});
