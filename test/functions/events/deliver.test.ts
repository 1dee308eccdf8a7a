import { beforeEach, describe, expect, test } from 'vitest';
import { testWebhook } from '../../../functions/events/deliver.ts';
import { listDeliveries, redeliver } from '../../../functions/events/deliveries.ts';
import type { PublishedItem } from '../../../functions/events/outbox.ts';
import { deleteSubscription, putSubscription, readSubscription } from '../../../functions/events/subscriptions.ts';
import { requeueVideo } from '../../../functions/submissions/restart.ts';
import { keys } from '../../../functions/video/keys.ts';
import { getItem, type Table } from '../../../functions/video/table.ts';
import type { RequestedWebhook } from '../../../functions/wan/validation/webhook.ts';
import { answers, aWebhookStage, HOUR, MINUTE, master, start } from './support.ts';

let stage: ReturnType<typeof aWebhookStage>;
beforeEach(() => {
  stage = aWebhookStage();
});

const all = { url: 'https://one.example/hook', events: 'all' } as const;
const sequences = () =>
  stage.posts.map(({ body }) => (JSON.parse(body) as { data: { sequence: number } }).data.sequence);

describe('an event is delivered', () => {
  test('to the webhook of its request, with the body that the delivery shows', async () => {
    const video = await stage.video({ metadata: { project: 'spring' } }, 'submitting', 'failed');
    await stage.drain();
    expect(stage.posts).toHaveLength(1);
    const [{ url, body, headers, loopback }] = stage.posts as [(typeof stage.posts)[0]];
    const { webhook, ...data } = stage.published.at(-1)!;
    expect({ url, loopback, webhook }).toEqual({ url: 'https://one.example/hook', loopback: true, webhook: true });
    expect(JSON.parse(body)).toEqual({ type: 'video.failed', timestamp: data.at, data });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^firstframe\/\d+\.\d+\.\d+$/),
      'webhook-id': `msg_${video.id}_3`,
      'webhook-timestamp': String(start / 1000),
      'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
    });
    expect(await listDeliveries(stage.table, video)).toEqual([
      expect.objectContaining({ sequence: 3, state: 'delivered', attempts: 1, body, host: 'one.example' }),
    ]);
  });

  test('for endings only, or for all status changes', async () => {
    await stage.video({}, 'submitting', 'running', 'canceled');
    await stage.video({ webhook: all }, 'submitting', 'failed');
    await stage.drain();
    expect(sequences()).toEqual([4, 1, 2, 3]);
    expect(stage.published.map(({ webhook }) => webhook)).toEqual([false, false, false, true, true, true, true]);
  });

  test('to the subscription of the owner, which a webhook of the request replaces', async () => {
    await stage.video({ webhook: undefined } as never, 'canceled');
    await putSubscription(stage.table, 'alice', { url: 'https://two.example/hook', events: 'endings' });
    await putSubscription(stage.table, 'bob', { url: 'https://bob.example/hook', events: 'endings' });
    await stage.video({ webhook: undefined } as never, 'canceled');
    await stage.video({}, 'canceled');
    await stage.drain();
    expect(stage.posts.map(({ url }) => url)).toEqual(['https://two.example/hook', 'https://one.example/hook']);
    await deleteSubscription(stage.table, 'alice');
    await stage.video({ webhook: undefined } as never, 'canceled');
    await stage.drain();
    expect(stage.posts).toHaveLength(2);
  });

  test('to the current URL of the owner, not to the one when it was published', async () => {
    await putSubscription(stage.table, 'alice', { url: 'https://old.example/hook', events: 'endings' });
    const video = await stage.video({ webhook: undefined } as never, 'canceled');
    const other = await stage.video({ webhook: undefined } as never);
    await putSubscription(stage.table, 'alice', { url: 'https://new.example/hook', events: 'endings' });
    await stage.drain();
    expect(stage.posts.map(({ url }) => url)).toEqual(['https://new.example/hook']);
    await stage.move(other, 'canceled');
    await deleteSubscription(stage.table, 'alice');
    await stage.drain();
    expect(stage.posts).toHaveLength(1);
    expect(await stage.delivery(video, 2)).toMatchObject({ state: 'delivered' });
    expect(await stage.delivery(other, 2)).toMatchObject({ state: 'dropped' });
  });
});

describe('order', () => {
  test('an older event is dropped once a newer one was delivered', async () => {
    const video = await stage.video({ webhook: all }, 'submitting', 'failed');
    const [first, second, third] = stage.fast.splice(0);
    await stage.deliver([third!]);
    await stage.deliver([first!, second!]);
    expect(sequences()).toEqual([3]);
    const states = (await listDeliveries(stage.table, video)).map(({ state }) => state);
    expect(states).toEqual(['dropped', 'dropped', 'delivered']);
    await stage.pass(HOUR);
    expect(sequences()).toEqual([3]);
  });

  test('a failed newer event drops nothing', async () => {
    const video = await stage.video({ webhook: all }, 'failed');
    stage.behavior.send = answers(500, 200);
    const [first, second] = stage.fast.splice(0);
    await stage.deliver([second!]);
    await stage.deliver([first!]);
    await stage.drain();
    expect(sequences()).toEqual([2, 1]);
    await stage.pass(5 * MINUTE);
    expect(sequences()).toEqual([2, 1, 2]);
    expect(await stage.delivery(video, 1)).toMatchObject({ state: 'delivered' });
  });
});

describe('a failed attempt', () => {
  test('is repeated after 1, 2, 4, … minutes up to 4 hours, and given up after 24 hours with a metric', async () => {
    // A receiver that is never paused, since another delivery to it succeeds in between.
    stage.behavior.send = answers(503);
    const video = await stage.video({}, 'failed');
    await stage.drain();
    const waits: number[] = [];
    for (let attempts = 1; (await stage.delivery(video))!.state === 'pending'; attempts++) {
      const delivery = (await stage.delivery(video))!;
      expect(delivery.attempts).toBe(attempts);
      waits.push((Date.parse(delivery.next_at) - stage.clock.now) / MINUTE);
      stage.clock.now = Date.parse(delivery.next_at) - 1;
      expect(await stage.enqueueDue()).toBe(0);
      stage.clock.now++;
      await forgetFailures();
      expect(await stage.enqueueDue()).toBe(1);
      await stage.drain();
    }
    // With 10 % of jitter.
    const expected = [1.1, 2.2, 4.4, 8.8, 17.6, 35.2, 70.4, 140.8, 264, 264, 264, 264];
    expect(waits.slice(0, -1).map((wait) => Math.round(wait * 10) / 10)).toEqual(expected);
    expect(stage.clock.now).toBe(start + 24 * HOUR);
    const delivery = (await stage.delivery(video))!;
    expect(delivery).toMatchObject({ state: 'failed', attempts: 14 });
    expect(delivery.last_attempts).toHaveLength(10);
    expect(delivery.last_attempts.at(-1)).toEqual({
      at: new Date(start + 24 * HOUR).toISOString(),
      status: 503,
      milliseconds: 5,
    });
    expect(stage.metrics).toEqual(['WebhookFailed']);
    await stage.pass(2 * HOUR);
    expect(stage.posts).toHaveLength(14);
  });

  test('also ends after 24 hours when the receiver was paused all the time', async () => {
    stage.behavior.send = answers('timeout');
    const videos = await Promise.all(Array.from({ length: 6 }, () => stage.video({}, 'failed')));
    await stage.drain();
    await stage.pass(25 * HOUR);
    for (const video of videos) expect(await stage.delivery(video)).toMatchObject({ state: 'failed' });
    expect(stage.metrics).toEqual(videos.map(() => 'WebhookFailed'));
    // One probe each 15 minutes, not one attempt per delivery.
    expect(stage.posts.length).toBeLessThan(6 + 25 * 4 + 5);
    expect(stage.posts.length).toBeGreaterThan(50);
  });

  async function forgetFailures(): Promise<void> {
    const { failures = 0 } = await stage.receiver();
    if (failures < 2) return;
    const { send } = stage.behavior;
    stage.behavior.send = answers(200);
    await stage.video({}, 'failed');
    const posts = stage.posts.length;
    await stage.drain();
    stage.posts.splice(posts);
    stage.behavior.send = send;
  }
});

describe('410', () => {
  test("ends the owner's subscription, unless it was replaced meanwhile", async () => {
    await putSubscription(stage.table, 'alice', { url: 'https://one.example/hook', events: 'endings' });
    stage.behavior.send = answers(410);
    const video = await stage.video({ webhook: undefined } as never, 'failed');
    const other = await stage.video({ webhook: undefined } as never, 'failed');
    const [first, second] = stage.fast.splice(0);
    await stage.deliver([first!]);
    expect(await readSubscription(stage.table, 'alice')).toMatchObject({ ended_at: new Date(start).toISOString() });
    await stage.deliver([second!]);
    expect(await stage.delivery(video)).toMatchObject({ state: 'failed', last_attempts: [{ status: 410 }] });
    expect(await stage.delivery(other)).toMatchObject({ state: 'dropped', attempts: 0 });
    await stage.video({ webhook: undefined } as never, 'failed');
    expect(stage.fast).toEqual([]);

    await putSubscription(stage.table, 'alice', { url: 'https://one.example/hook', events: 'endings' });
    expect(await readSubscription(stage.table, 'alice')).not.toHaveProperty('ended_at');
    for (const url of ['https://one.example/hook', 'https://new.example/hook']) {
      stage.behavior.send = async () => {
        stage.clock.now += 5;
        await putSubscription(stage.table, 'alice', { url, events: 'endings' });
        return { status: 410, milliseconds: 5 };
      };
      await stage.video({ webhook: undefined } as never, 'failed');
      await stage.drain();
      expect(await readSubscription(stage.table, 'alice')).not.toHaveProperty('ended_at');
    }
    expect(stage.metrics).toEqual([]);
  });

  test("ends the request's own webhook for this video only", async () => {
    stage.behavior.send = answers(410, 200);
    const video = await stage.video({ webhook: all }, 'submitting');
    await stage.deliver(stage.fast.splice(0, 1));
    await stage.drain();
    await stage.move(video, 'failed');
    await stage.video({ webhook: all });
    await stage.drain();
    expect(sequences()).toEqual([1, 1]);
    expect((await listDeliveries(stage.table, video)).map(({ state }) => state)).toEqual(['failed', 'dropped']);
  });
});

test("410 of a request's webhook does not end the one that a restarted drop has instead", async () => {
  stage.behavior.send = answers(410, 200);
  const refused = await stage.video({}, 'failed');
  await stage.drain();
  const other: RequestedWebhook = { url: 'https://two.example/hook', events: 'endings' };
  const restarted = await requeueVideo(stage.table, refused, { webhook: other });
  await stage.move(restarted!, 'failed');
  await stage.drain();
  expect(stage.posts.map(({ url }) => url)).toEqual(['https://one.example/hook', 'https://two.example/hook']);
});

describe('three failures in a row pause a receiver', () => {
  test('for 1, 2, 4, 8 and 15 minutes, with one probe after each', async () => {
    stage.behavior.send = answers(500);
    for (let count = 0; count < 3; count++) await stage.video({}, 'failed');
    await stage.drain();
    expect(stage.posts).toHaveLength(3);
    await Promise.all(Array.from({ length: 20 }, () => stage.video({}, 'failed')));
    const pauses: number[] = [];
    for (let probes = 0; probes < 7; probes++) {
      const { paused_until } = await stage.receiver();
      pauses.push((Date.parse(paused_until!) - stage.clock.now) / MINUTE);
      await stage.drain();
      stage.clock.now = Date.parse(paused_until!) - 1;
      await stage.enqueueDue();
      await stage.drain();
      expect(stage.posts, 'during the pause').toHaveLength(3 + probes);
      // Everything is due, and arrives in batches of ten.
      stage.clock.now += 2 * MINUTE;
      await stage.enqueueDue();
      await stage.drain();
      expect(stage.posts, 'after the pause').toHaveLength(4 + probes);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 15, 15, 15]);
  });

  test('and however many deliveries wait, ten a second come due', async () => {
    stage.behavior.send = answers(500);
    for (let count = 0; count < 3; count++) await stage.video({}, 'failed');
    await stage.drain();
    const videos = await Promise.all(Array.from({ length: 40 }, () => stage.video({}, 'failed')));
    await stage.drain();
    const times = await Promise.all(
      videos.map(async (video) => Date.parse((await stage.delivery(video))!.next_at) - start),
    );
    expect(times.sort((one, other) => one - other)).toEqual(videos.map((_, index) => MINUTE + 100 * index));
  });

  test('and a successful probe ends the pause for all', async () => {
    stage.behavior.send = answers(500, 500, 500, 200);
    for (let count = 0; count < 12; count++) await stage.video({}, 'failed');
    // Before the pause begins, one batch of ten is in progress.
    await stage.deliver(stage.fast.splice(0, 3));
    await stage.drain();
    expect(stage.posts).toHaveLength(3);
    await stage.pass(10 * MINUTE);
    expect(stage.posts).toHaveLength(15);
    expect(await stage.receiver()).not.toHaveProperty('paused_until');
  });

  test('attempts that were in progress when it began do not prolong it', async () => {
    stage.behavior.send = answers(500);
    for (let count = 0; count < 10; count++) await stage.video({}, 'failed');
    await stage.deliver(stage.fast.splice(0, 10));
    expect(await stage.receiver()).toMatchObject({ failures: 10, pause_seconds: 60 });
  });

  test('but not the receivers of other owners at the same host, nor other hosts of the owner', async () => {
    stage.behavior.send = answers(500);
    for (let count = 0; count < 3; count++) await stage.video({}, 'failed');
    await stage.drain();
    stage.behavior.send = answers(200);
    await stage.video({ owner: 'bob' }, 'failed');
    await stage.video({ webhook: { url: 'https://two.example/', events: 'endings' } }, 'failed');
    await stage.drain();
    expect(stage.posts).toHaveLength(5);
  });
});

describe('the slow queue', () => {
  test('gets the deliveries to a receiver that failed last, so that it occupies no execution of the others', async () => {
    stage.behavior.send = answers(500, 200);
    await stage.video({}, 'failed');
    await stage.drain();
    await stage.video({}, 'failed');
    await stage.deliver(stage.fast.splice(0));
    expect(stage.posts).toHaveLength(1);
    expect(stage.slow).toHaveLength(1);
    expect(stage.slow[0]).toMatchObject({ slow: true });
    await stage.deliver(stage.slow.splice(0));
    expect(stage.posts).toHaveLength(2);
    await stage.video({}, 'failed');
    await stage.deliver(stage.fast.splice(0));
    expect([stage.posts.length, stage.slow.length]).toEqual([3, 0]);
  });

  test('repeats an attempt that was cut off after 2 seconds with 10 seconds, before it counts as failed', async () => {
    const timeouts: (number | undefined)[] = [];
    stage.behavior.send = async ({ timeout }) => {
      timeouts.push(timeout);
      return timeout ? { error: 'too late', milliseconds: timeout } : { status: 200, milliseconds: 8000 };
    };
    const [first, second] = [await stage.video({}, 'failed'), await stage.video({}, 'failed')];
    await stage.deliver(stage.fast.splice(0, 1));
    expect(await stage.delivery(first)).toMatchObject({ state: 'pending', attempts: 0 });
    expect(await stage.receiver()).not.toHaveProperty('failures');
    await stage.drain();
    for (const video of [first, second])
      expect(await stage.delivery(video)).toMatchObject({ state: 'delivered', attempts: 1 });
    // The second one is not tried outside of the slow queue again.
    expect(timeouts).toEqual([2000, undefined, undefined]);
    expect((await stage.delivery(first))!.last_attempts).toMatchObject([{ milliseconds: 2000 }, { status: 200 }]);
  });

  test('gets as many deliveries as a slow receiver answers in a minute, and the others wait in the table', async () => {
    stage.behavior.send = async () => ({ status: 200, milliseconds: 10_000 });
    await stage.video({}, 'failed');
    await stage.drain();
    // An average of 3 s, of five concurrent deliveries: one each 0.6 s.
    await Promise.all(Array.from({ length: 130 }, () => stage.video({}, 'failed')));
    while (stage.fast.length > 0) await stage.deliver(stage.fast.splice(0, 10));
    expect(stage.slow).toHaveLength(101);
    await stage.pass(5 * MINUTE);
    expect(stage.posts).toHaveLength(131);
  });

  test('gets those to a receiver that takes more than a second on average, until it is fast again', async () => {
    let milliseconds = 3000;
    stage.behavior.send = async () => ({ status: 200, milliseconds });
    const queue = async () => {
      await stage.video({}, 'failed');
      await stage.deliver(stage.fast.splice(0));
      const moved = stage.slow.length > 0;
      await stage.deliver(stage.slow.splice(0));
      return moved ? 'slow' : 'fast';
    };
    expect([await queue(), await queue(), await queue()]).toEqual(['fast', 'fast', 'slow']);
    milliseconds = 100;
    const queues: string[] = [];
    for (let count = 0; count < 6; count++) queues.push(await queue());
    expect(queues[0]).toBe('slow');
    expect(queues.at(-1)).toBe('fast');
  });
});

describe('redelivery', () => {
  test('is sent although it was delivered, and although a newer event was', async () => {
    const video = await stage.video({ webhook: all }, 'failed');
    await stage.drain();
    stage.clock.now += 48 * HOUR;
    for (const sequence of [1, 2]) {
      const again = await redeliver(stage.table, video.id, sequence);
      expect(again).toMatchObject({ state: 'pending', forced: true, attempts: 0 });
      await stage.deliver([{ detail: { id: video.id, sequence } }]);
    }
    expect(sequences()).toEqual([1, 2, 1, 2]);
    expect((await listDeliveries(stage.table, video)).map(({ state, forced }) => ({ state, forced }))).toEqual([
      { state: 'delivered' },
      { state: 'delivered' },
    ]);
    expect(stage.posts[0]!.headers['webhook-id']).toBe(stage.posts[2]!.headers['webhook-id']);
    expect(stage.posts[0]!.body).toBe(stage.posts[2]!.body);
    expect(await redeliver(stage.table, video.id, 3)).toBeUndefined();
  });

  test('has 24 hours of its own, and its message may be lost', async () => {
    stage.behavior.send = answers(500);
    const video = await stage.video({}, 'failed');
    await stage.drain();
    await stage.pass(25 * HOUR);
    expect(await stage.delivery(video)).toMatchObject({ state: 'failed' });
    stage.behavior.send = answers(200);
    await redeliver(stage.table, video.id, 2);
    const posts = stage.posts.length;
    await stage.pass(30 * MINUTE);
    expect(stage.posts).toHaveLength(posts + 1);
    expect(await stage.delivery(video)).toMatchObject({ state: 'delivered' });
  });
});

describe('messages may be lost, repeated and concurrent', () => {
  test('a delivery whose message is lost is sent by the minute job after 5 minutes, and again after 15', async () => {
    await stage.video({}, 'failed');
    stage.fast.splice(0);
    stage.clock.now += 5 * MINUTE - 1;
    expect(await stage.enqueueDue()).toBe(0);
    stage.clock.now++;
    expect(await stage.enqueueDue()).toBe(1);
    expect(stage.fast).toHaveLength(1);
    expect(await stage.enqueueDue()).toBe(0);
    stage.fast.splice(0);
    stage.clock.now += 15 * MINUTE;
    expect(await stage.enqueueDue()).toBe(1);
    await stage.drain();
    expect(stage.posts).toHaveLength(1);
    expect(await stage.enqueueDue()).toBe(0);
  });

  test('concurrent minute jobs enqueue each delivery once, however many there are', async () => {
    await Promise.all(Array.from({ length: 35 }, () => stage.video({}, 'failed')));
    stage.fast.splice(0);
    stage.clock.now += HOUR;
    const counts = await Promise.all([stage.enqueueDue(), stage.enqueueDue(), stage.enqueueDue()]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(35);
    expect(new Set(stage.fast.map(({ detail }) => detail.id)).size).toBe(35);
  });

  test('concurrent duplicates post once', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    stage.behavior.send = async () => {
      await held;
      return { status: 200, milliseconds: 5 };
    };
    await stage.video({}, 'failed');
    const [message] = stage.fast.splice(0);
    const deliveries = [stage.deliver([message!, message!, message!]), stage.deliver([message!])];
    const late = stage.deliver([message!]);
    await late.catch(() => undefined);
    release();
    await Promise.all(deliveries);
    await stage.deliver([message!]);
    expect(stage.posts).toHaveLength(1);
  });

  test('a duplicate does not shorten the wait after a failure', async () => {
    stage.behavior.send = answers(500);
    await stage.video({}, 'failed');
    const [message] = stage.fast.splice(0);
    await stage.deliver([message!]);
    await stage.deliver([message!]);
    await stage.drain();
    expect(stage.posts).toHaveLength(1);
  });

  test('an attempt that dies is repeated', async () => {
    stage.behavior.send = () => Promise.reject(new Error('The process died.'));
    const video = await stage.video({}, 'failed');
    const again = await stage.deliver(stage.fast.splice(0));
    expect(again).toHaveLength(1);
    stage.behavior.send = answers(200);
    // The message arrives during the claim of the attempt that died, and is not repeated.
    expect(await stage.deliver(again)).toEqual([]);
    expect(stage.posts).toHaveLength(1);
    await stage.pass(3 * MINUTE);
    expect(await stage.delivery(video)).toMatchObject({ state: 'delivered', attempts: 1 });
  });

  test('a failure of the table keeps its message, and no other of the batch', async () => {
    const repeated: boolean[] = [];
    for (let survived = 0; ; survived++) {
      stage = aWebhookStage();
      const videos = [await stage.video({}, 'failed'), await stage.video({}, 'failed')];
      let calls = 0;
      const failing = {
        ...stage.table,
        client: {
          send: async (command: never) => {
            if (JSON.stringify(command).includes(videos[0]!.id) && calls++ >= survived) throw new Error('ECONNRESET');
            return stage.table.client.send(command);
          },
        } as Table['client'],
      };
      const kept = await stage.deliver(stage.fast.splice(0), failing);
      expect(await stage.delivery(videos[1]!)).toMatchObject({ state: 'delivered' });
      if (kept.length === 0) {
        expect(survived).toBeGreaterThan(3);
        // A failure after the success was remembered repeats nothing.
        expect(new Set(repeated)).toEqual(new Set([true, false]));
        return;
      }
      expect(kept.map(({ detail }) => detail.id)).toEqual([videos[0]!.id]);
      stage.clock.now += 5 * MINUTE;
      const posts = stage.posts.length;
      const { delivered } = (await getItem<PublishedItem>(stage.table, keys.published(videos[0]!.id)))!;
      await stage.deliver(kept);
      repeated.push(stage.posts.length > posts);
      expect(repeated.at(-1)).toBe(delivered === undefined);
      expect(await stage.delivery(videos[0]!)).toMatchObject({ state: 'delivered' });
    }
  });
});

describe('a test of the webhook', () => {
  const services = () => ({
    table: stage.table,
    master: async () => master,
    loopback: false,
    send: async (request: (typeof stage.posts)[0]) => {
      stage.posts.push(request);
      return stage.behavior.send(request);
    },
  });

  test('is sent immediately, and has no effect on deliveries and pauses', async () => {
    expect(await testWebhook(services(), 'alice')).toBeUndefined();
    await putSubscription(stage.table, 'alice', { url: 'https://one.example/hook', events: 'endings' });
    stage.behavior.send = answers(500);
    for (let count = 0; count < 4; count++) {
      expect(await testWebhook(services(), 'alice')).toEqual({ status: 500, milliseconds: 5 });
    }
    expect(JSON.parse(stage.posts[0]!.body)).toEqual({
      type: 'webhook.test',
      timestamp: new Date(start).toISOString(),
      data: { owner: 'alice' },
    });
    expect(stage.posts[0]!.headers['webhook-signature']).toMatch(/^v1,/);
    expect(await stage.receiver()).toEqual({});
  });
});
