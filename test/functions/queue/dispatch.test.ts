import { beforeEach, describe, expect, test } from 'vitest';
import { type Dispatcher, dispatch, releaseAndDispatch, startQueued } from '../../../functions/queue/dispatch.ts';
import { claimPermit, readModelQueue } from '../../../functions/queue/model-queue.ts';
import { releaseResources, returnToQueue } from '../../../functions/queue/release.ts';
import { firstOfEachOwner } from '../../../functions/queue/waiting.ts';
import { ownerName } from '../../../functions/shared/environment.ts';
import { keys } from '../../../functions/video/keys.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import { type Table, updateItem } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { Crash, crashAfter, crashingTable, scriptedExecutions } from '../workflow/support.ts';

const clock = { now: 0 };
let queues = 0;
const store = startTable(() => clock.now);
beforeEach(() => {
  clock.now = Date.parse('2026-01-01T00:00:00Z');
});

/** Returns a new model queue for each test. */
function newQueue(permits: number) {
  const model = `model-${++queues}`;
  const { executions, workflow } = scriptedExecutions();
  const dispatcher: Dispatcher = {
    table: { ...store.table, now: () => ++clock.now },
    workflow,
    limitsOf: () => ({ model, permits, submit_interval_ms: 1 }),
  };
  const add = async (owner: string, count = 1): Promise<VideoRecord[]> => {
    const videos = Array.from({ length: count }, () => aVideo({ model, owner }, ++clock.now));
    for (const video of videos) await createVideo(store.table, video);
    return videos;
  };
  return { model, executions, dispatcher, add };
}

const end = async ({ dispatcher }: ReturnType<typeof newQueue>, id: string) => {
  const video = (await readVideo(store.table, id))!;
  const running = (await changeStatus(store.table, video, 'running'))!;
  await changeStatus(store.table, running, 'failed');
  await releaseAndDispatch(dispatcher, video);
};

test('starts as many videos as there are permits, oldest first, each as run 1', async () => {
  const queue = newQueue(3);
  const videos = await queue.add('alice', 5);
  const started = await dispatch(queue.dispatcher, queue.model);
  expect(started).toEqual(videos.slice(0, 3).map(({ id }) => id));
  expect([...queue.executions.keys()]).toEqual(started.map((id) => `${id}-1`));
  expect(await readVideo(store.table, started[0]!)).toMatchObject({ status: 'submitting', run: 1 });
});

test("many videos of one owner do not delay other owners' first ones", async () => {
  const queue = newQueue(2);
  await queue.add('alice', 20);
  const [first, second] = await dispatch(queue.dispatcher, queue.model);
  const [bobsVideo] = await queue.add('bob');
  const [carolsVideo] = await queue.add('carol');
  await end(queue, first!);
  await end(queue, second!);
  expect([...queue.executions.keys()].slice(2)).toEqual([`${bobsVideo!.id}-1`, `${carolsVideo!.id}-1`]);
});

test('starts each video once, within the permits, when twenty dispatchers run concurrently', async () => {
  const queue = newQueue(4);
  await queue.add('alice', 6);
  await queue.add('bob', 6);
  await Promise.all(Array.from({ length: 20 }, () => dispatch(queue.dispatcher, queue.model)));
  await dispatch(queue.dispatcher, queue.model);
  expect(queue.executions.size).toBe(4);
  expect((await readModelQueue(store.table, queue.model)).running.size).toBe(4);
});

test('starts a new video that the index does not show yet', async () => {
  const queue = newQueue(1);
  const video = aVideo({ model: queue.model });
  await createVideo(store.table, video);
  const withStaleIndex = { ...queue.dispatcher, table: withoutIndex(queue.dispatcher.table) };
  expect(await dispatch(withStaleIndex, queue.model, { include: video, limit: 1 })).toEqual([video.id]);
});

describe('a dispatcher that crashes after any of its effects', () => {
  test('leaks no permit and loses no video', async () => {
    for (let point = 1; ; point++) {
      const queue = newQueue(1);
      const [video] = await queue.add('alice');
      const crashing = crashAfter(point);
      const { client } = queue.dispatcher.workflow;
      const crashingDispatcher: Dispatcher = {
        ...queue.dispatcher,
        table: crashingTable(queue.dispatcher.table, crashing),
        workflow: {
          ...queue.dispatcher.workflow,
          client: { send: (command: never) => crashing.through(() => client.send(command)) } as typeof client,
        },
      };
      const died = await dispatch(crashingDispatcher, queue.model).then(
        () => false,
        (error) => error instanceof Crash,
      );
      if (!died) {
        expect(point).toBeGreaterThan(5);
        return;
      }
      // As the sweep does: start queued videos with a permit, then dispatch.
      for (const id of (await readModelQueue(store.table, queue.model)).running)
        await startQueued(queue.dispatcher, { id, model: queue.model });
      await dispatch(queue.dispatcher, queue.model);
      const after = await readVideo(store.table, video!.id);
      expect({ point, status: after?.status }).toEqual({ point, status: 'submitting' });
      // For a submitting record without an execution the sweep starts the same run.
      expect([0, 1]).toContain(queue.executions.size);
      expect((await readModelQueue(store.table, queue.model)).running).toEqual(new Set([video!.id]));
    }
  });
});

test('releases the permit of a video that has ended or is archiving', async () => {
  for (const status of ['succeeded', 'failed', 'canceled', 'archiving'] as const) {
    const queue = newQueue(1);
    const video = aVideo({ model: queue.model, status });
    await createVideo(store.table, video);
    await claimPermit(store.table, await queue.dispatcher.limitsOf(queue.model), video);
    expect(await startQueued(queue.dispatcher, video)).toBe(false);
    expect((await readModelQueue(store.table, queue.model)).running.size).toBe(0);
  }
});

test('releases the permit of a deleted video', async () => {
  const queue = newQueue(1);
  const video = aVideo({ model: queue.model });
  await claimPermit(store.table, await queue.dispatcher.limitsOf(queue.model), video);
  await startQueued(queue.dispatcher, video);
  expect((await readModelQueue(store.table, queue.model)).running.size).toBe(0);
});

test("starts every owner's first video before any owner's second", async () => {
  const queue = newQueue(3);
  for (const owner of ['dave', 'alice', 'carol', 'bob', 'erin']) await queue.add(owner, 6);
  const owners = async () => {
    const ids = [...queue.executions.keys()].map((name) => name.slice(0, -2));
    return Promise.all(ids.map(async (id) => (await readVideo(store.table, id))!.owner));
  };
  await dispatch(queue.dispatcher, queue.model);
  while (queue.executions.size < 15) {
    for (const id of (await readModelQueue(store.table, queue.model)).running) await end(queue, id);
  }
  const served = await owners();
  for (let round = 0; round < 15; round += 5) expect(new Set(served.slice(round, round + 5)).size).toBe(5);
});

test('serves more owners than an item of DynamoDB has space for, by keeping the times of the latest ones', async () => {
  const queue = newQueue(300);
  const { table } = queue.dispatcher;
  const name = (index: number) => `owner-${String(index).padStart(5, '0')}-${'x'.repeat(52)}`;
  const setServed = (count: number) =>
    updateItem(table, keys.modelQueue(queue.model), {
      UpdateExpression: 'SET served = :served',
      ExpressionAttributeValues: {
        ':served': Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), clock.now + index])),
      },
    });
  await expect(setServed(8000)).rejects.toThrow('maximum allowed size');
  await setServed(5400);
  for (let index = 5400; index < 5700; index++) await queue.add(name(index));
  expect(await dispatch(queue.dispatcher, queue.model)).toHaveLength(300);
  const { served } = await readModelQueue(table, queue.model);
  expect(served.size).toBe(500);
  expect(served.has(name(5399))).toBe(true);
  expect(served.has(name(5199))).toBe(false);
});

test('dispatches a round with one read of the queue', async () => {
  const queue = newQueue(7);
  for (let index = 10; index < 40; index++) await queue.add(`owner-${index}`);
  const sent: string[] = [];
  const send = async (command: { constructor: { name: string } }) => {
    sent.push(command.constructor.name);
    return store.table.client.send(command as never);
  };
  const table = { ...queue.dispatcher.table, client: { send } as never };
  expect(await dispatch({ ...queue.dispatcher, table }, queue.model)).toHaveLength(7);
  // One query for the owners after the one served last, one for those before.
  expect(sent.filter((name) => name === 'QueryCommand').length).toBeLessThanOrEqual(3);
});

test('makes one read when all permits are held', async () => {
  const queue = newQueue(1);
  await queue.add('alice', 3);
  await dispatch(queue.dispatcher, queue.model);
  const sent: string[] = [];
  const send = async (command: { constructor: { name: string } }) => {
    sent.push(command.constructor.name);
    return store.table.client.send(command as never);
  };
  await dispatch({ ...queue.dispatcher, table: { ...queue.dispatcher.table, client: { send } as never } }, queue.model);
  expect(sent).toEqual(['GetCommand']);
});

test('gives a permit that a video cannot use to the next one in the same dispatch', async () => {
  const queue = newQueue(1);
  const [gone] = await queue.add('alice');
  const [next] = await queue.add('bob');
  // The index still shows a canceled video.
  await changeStatus(store.table, gone!, 'canceled');
  expect(await dispatch(queue.dispatcher, queue.model, { include: gone!, limit: 1 })).toEqual([next!.id]);
});

test('a read that starts after an owner wraps around and returns each owner once', async () => {
  const queue = newQueue(1);
  for (const owner of ['alice', 'bob', 'carol']) await queue.add(owner, 2);
  const query = { started: new Set<string>(), after: 'bob' };
  const owners = (await firstOfEachOwner(store.table, queue.model, query)).map(({ owner }) => owner);
  expect(owners).toEqual(['carol', 'alice', 'bob']);
});

test("finds an owner's next video behind any number of started ones that the index still shows", async () => {
  const queue = newQueue(40);
  const videos = await queue.add('alice', 40);
  const started = new Set(videos.slice(0, 39).map(({ id }) => id));
  const waiting = await firstOfEachOwner(store.table, queue.model, { started });
  expect(waiting).toEqual([{ owner: 'alice', id: videos[39]!.id }]);
});

/** A table that runs another action before the first release of a permit. */
function interruptedTable(table: Table, meanwhile: () => Promise<unknown>): Table {
  let interrupted = false;
  const send = async (command: { input: { UpdateExpression?: string } }) => {
    if (command.input.UpdateExpression?.startsWith('DELETE running') && !interrupted) {
      interrupted = true;
      await meanwhile();
    }
    return table.client.send(command as never);
  };
  return { ...table, client: { send } as never };
}
const holds = async ({ model }: { model: string }, { id }: { id: string }) =>
  (await readModelQueue(store.table, model)).running.has(id);

describe('a video that starts while another process releases its permit keeps the permit', () => {
  test('when it was retried', async () => {
    const queue = newQueue(1);
    const video = aVideo({ model: queue.model, status: 'failed' });
    await createVideo(store.table, video);
    await claimPermit(store.table, await queue.dispatcher.limitsOf(queue.model), video);
    const table = interruptedTable(queue.dispatcher.table, async () => {
      await releaseAndDispatch(queue.dispatcher, video);
      await changeStatus(store.table, video, 'queued');
      expect(await dispatch(queue.dispatcher, queue.model)).toEqual([video.id]);
    });
    await releaseAndDispatch({ ...queue.dispatcher, table }, video);
    expect(await holds(queue, video)).toBe(true);
  });

  test('when it was returned to its queue and started again', async () => {
    const queue = newQueue(1);
    const [video] = await queue.add('alice');
    await dispatch(queue.dispatcher, queue.model);
    const submitting = (await readVideo(store.table, video!.id))!;
    const table = interruptedTable(queue.dispatcher.table, () => startQueued(queue.dispatcher, submitting));
    expect(await returnToQueue(table, submitting, false)).toBe(true);
    expect(await readVideo(store.table, video!.id)).toMatchObject({ status: 'submitting', run: 2 });
    expect(await holds(queue, video!)).toBe(true);
  });

  test('when it starts after both reads of the releasing process', async () => {
    const queue = newQueue(1);
    const [video] = await queue.add('alice');
    await claimPermit(store.table, await queue.dispatcher.limitsOf(queue.model), video!);
    let interrupted = false;
    const send = async (command: { input: { UpdateExpression?: string } }) => {
      if (command.input.UpdateExpression?.includes('#status = :to') && !interrupted) {
        interrupted = true;
        await releaseResources(store.table, video, video!);
      }
      return store.table.client.send(command as never);
    };
    const table = { ...queue.dispatcher.table, client: { send } as never };
    expect(await startQueued({ ...queue.dispatcher, table }, video!)).toBe(true);
    expect(await holds(queue, video!)).toBe(true);
  });
});

test.each(['constructor', 'toString', 'hasOwnProperty'])('serves an owner named %s like any other', async (owner) => {
  const queue = newQueue(1);
  await queue.add(owner, 3);
  await queue.add('zoe', 3);
  const served: string[] = [];
  for (let count = 0; count < 4; count++) {
    const [id] = await dispatch(queue.dispatcher, queue.model, { limit: 1 });
    served.push((await readVideo(store.table, id!))!.owner);
    const video = (await changeStatus(store.table, (await readVideo(store.table, id!))!, 'failed'))!;
    await releaseResources(store.table, video, video);
  }
  expect(served.filter((name) => name === owner)).toHaveLength(2);
});

test('rejects owner names that a map cannot hold', () => {
  expect(ownerName.safeParse('__proto__').success).toBe(false);
  expect(ownerName.safeParse('__proto__s').success).toBe(true);
});

test('an error with the next video does not fail the release of an ended one', async () => {
  const queue = newQueue(1);
  const video = aVideo({ model: queue.model, status: 'failed' });
  await createVideo(store.table, video);
  await claimPermit(store.table, await queue.dispatcher.limitsOf(queue.model), video);
  await queue.add('bob');
  const broken = { send: () => Promise.reject(new Error('Step Functions is down.')) };
  const workflow = { ...queue.dispatcher.workflow, client: broken as never };
  await releaseAndDispatch({ ...queue.dispatcher, workflow }, video);
  expect((await readModelQueue(store.table, queue.model)).running.has(video.id)).toBe(false);
});

const withoutIndex = (table: Dispatcher['table']): Dispatcher['table'] => ({
  ...table,
  client: {
    send: async (command: { constructor: { name: string } }) =>
      command.constructor.name === 'QueryCommand' ? { Items: [] } : table.client.send(command as never),
  } as unknown as Dispatcher['table']['client'],
});
