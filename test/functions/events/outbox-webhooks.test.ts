import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { readDelivery } from '../../../functions/events/deliveries.ts';
import { putSubscription } from '../../../functions/events/subscriptions.ts';
import { keys } from '../../../functions/video/keys.ts';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import { answers, aWebhookStage, HOUR, MINUTE } from './support.ts';

let stage: ReturnType<typeof aWebhookStage>;
beforeEach(() => {
  stage = aWebhookStage();
});

const bodyOf = (post: { body: string }) => JSON.parse(post.body) as { type: string; data: { sequence: number } };

test('the record and the delivery exist before the event is published', async () => {
  const seen: unknown[] = [];
  stage.behavior.onPutEvents = async (details) => {
    for (const { id, sequence, status } of details) {
      const record = await readVideo(stage.table, id);
      const delivery = await readDelivery(stage.table, id, sequence);
      seen.push([record?.timeline[sequence - 1]?.status === status, delivery?.state]);
    }
  };
  await stage.video({ webhook: { url: 'https://one.example/hook', events: 'all' } }, 'submitting', 'failed');
  expect(seen).toEqual([
    [true, 'pending'],
    [true, 'pending'],
    [true, 'pending'],
  ]);
});

describe('a crash', () => {
  test('between the delivery and the event loses neither: the minute job sends the webhook', async () => {
    stage.behavior.onPutEvents = () => Promise.reject(new Error('The process died.'));
    const video = await stage.video({}).catch(() => undefined);
    expect(video).toBeUndefined();
    stage.behavior.onPutEvents = async () => undefined;
    const created = await stage.video({});
    stage.behavior.onPutEvents = () => Promise.reject(new Error('The process died.'));
    await expect(stage.move(created, 'failed')).rejects.toThrow();
    const failed = (await readVideo(stage.table, created.id))!;
    expect(await stage.delivery(failed)).toMatchObject({ state: 'pending', type: 'video.failed' });
    expect(stage.fast).toEqual([]);
    await stage.pass(6 * MINUTE);
    expect(stage.posts.map(bodyOf)).toMatchObject([{ type: 'video.failed', data: { sequence: 2 } }]);
    // What the sweep publishes again is not sent again.
    stage.behavior.onPutEvents = async () => undefined;
    await stage.publish(failed);
    expect(stage.published.map(({ status }) => status)).toEqual(['queued', 'failed']);
    expect(stage.fast).toHaveLength(1);
    await stage.pass(HOUR);
    expect(stage.posts).toHaveLength(1);
  });

  test('at any call to the table or the bus loses no ending, and posts it once when the receiver answers', async () => {
    for (let survived = 0; ; survived++) {
      stage = aWebhookStage();
      const created = await stage.video({});
      let calls = 0;
      const die = () => {
        if (calls++ >= survived) throw new Error('The process died.');
      };
      stage.behavior.onPutEvents = async () => die();
      const client = {
        send: async (command: never) => {
          die();
          return stage.table.client.send(command);
        },
      } as Table['client'];
      const failed = await changeStatus(stage.table, created, 'failed');
      await stage.publish(failed!, { ...stage.table, client }).catch(() => undefined);
      const died = calls > survived;
      calls = -1000;
      await stage.publish(failed!);
      await stage.drain();
      await stage.pass(HOUR);
      expect(stage.posts.map(bodyOf), `after ${survived} calls`).toMatchObject([{ type: 'video.failed' }]);
      expect(stage.published.at(-1)).toMatchObject({ status: 'failed', webhook: true });
      if (!died) {
        expect(survived).toBeGreaterThan(3);
        return;
      }
    }
  });
});

test('a repeated event keeps the delivery, and its state, unchanged', async () => {
  const created = await stage.video({}, 'failed');
  await stage.drain();
  const before = await stage.delivery(created);
  stage.clock.now += HOUR;
  await stage.forgetPublished(created);
  await Promise.all([stage.publish(created), stage.publish(created)]);
  expect(stage.fast.length).toBeGreaterThan(0);
  await stage.drain();
  expect(await stage.delivery(created)).toEqual(before);
  expect(stage.posts).toHaveLength(1);
});

test('a video with the id of one that has expired is announced anew', async () => {
  const { table, clock } = stage;
  const video = await stage.video({}, 'submitting', 'running', 'failed');
  await stage.drain();
  // DynamoDB deletes expired items in any order, days late.
  await table.client.send(new DeleteCommand({ TableName: table.tableName, Key: { pk: keys.video(video.id) } }));
  clock.now += 40 * 24 * HOUR;
  const again = await stage.video({ id: video.id }, 'submitting', 'running', 'failed');
  await stage.drain();
  expect(stage.published.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
  expect(stage.posts).toHaveLength(2);
  expect(stage.posts[1]!.body).toContain(again.timeline.at(-1)!.at);
  expect(await stage.delivery(again)).toMatchObject({ state: 'delivered', attempts: 1 });
});

test("an owner's subscription holds for later events only", async () => {
  const video = await stage.video({ webhook: undefined } as never, 'submitting');
  await putSubscription(stage.table, 'alice', { url: 'https://one.example/hook', events: 'all' });
  await stage.move(video, 'running', 'failed');
  await stage.drain();
  expect(stage.posts.map((post) => bodyOf(post).type)).toEqual(['video.running', 'video.failed']);
  expect(stage.published.map(({ webhook }) => webhook)).toEqual([false, false, true, true]);
});

test('deliveries and events contain no URL of a webhook', async () => {
  const url = 'https://one.example/very-secret?token=very-secret';
  stage.behavior.send = answers(500);
  const video = await stage.video({ webhook: { url, events: 'all' } }, 'failed');
  await stage.drain();
  expect(JSON.stringify(stage.published)).not.toContain('very-secret');
  const { url: own, ...rest } = (await stage.delivery(video))!;
  expect(own).toBe(url);
  expect(JSON.stringify(rest)).not.toContain('very-secret');
  expect(JSON.stringify(await stage.receiver())).not.toContain('very-secret');
});
