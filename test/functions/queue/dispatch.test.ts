import { beforeEach, describe, expect, test } from 'vitest';
import { type Dispatcher, dispatch, releaseAndDispatch, startQueued } from '../../../functions/queue/dispatch.ts';
import { claimPermit, readModelQueue } from '../../../functions/queue/model-queue.ts';
import { releaseResources, returnToQueue } from '../../../functions/queue/release.ts';
import { firstOfEachOwner } from '../../../functions/queue/waiting.ts';
import { ownerName } from '../../../functions/shared/environment.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { Crash, crashAfter, crashingTable, scriptedExecutions } from '../workflow/support.ts';

const clock = { now: 0 };
let lanes = 0;
const store = startTable(() => clock.now);
beforeEach(() => {
  clock.now = Date.parse('2026-01-01T00:00:00Z');
});

/** A lane of its own for each test. */
function lane(permits: number) {
  const model = `model-${++lanes}`;
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

const end = async ({ dispatcher }: ReturnType<typeof lane>, id: string) => {
  const video = (await readVideo(store.table, id))!;
  const running = (await changeStatus(store.table, video, 'running'))!;
  await changeStatus(store.table, running, 'failed');
  await releaseAndDispatch(dispatcher, video);
};

test('starts as many as there are permits, oldest first, each as run 1', async () => {
  const own = lane(3);
  const videos = await own.add('alice', 5);
  const started = await dispatch(own.dispatcher, own.model);
  expect(started).toEqual(videos.slice(0, 3).map(({ id }) => id));
  expect([...own.executions.keys()]).toEqual(started.map((id) => `${id}-1`));
  expect(await readVideo(store.table, started[0]!)).toMatchObject({ status: 'submitting', run: 1 });
});

test("one owner's many do not hold up another's first", async () => {
  const own = lane(2);
  await own.add('alice', 20);
  const [first, second] = await dispatch(own.dispatcher, own.model);
  const [bobs] = await own.add('bob');
  const [carols] = await own.add('carol');
  await end(own, first!);
  await end(own, second!);
  expect([...own.executions.keys()].slice(2)).toEqual([`${bobs!.id}-1`, `${carols!.id}-1`]);
});

test('twenty dispatchers at once start each video once and never more than there are permits', async () => {
  const own = lane(4);
  await own.add('alice', 6);
  await own.add('bob', 6);
  await Promise.all(Array.from({ length: 20 }, () => dispatch(own.dispatcher, own.model)));
  await dispatch(own.dispatcher, own.model);
  expect(own.executions.size).toBe(4);
  expect((await readModelQueue(store.table, own.model)).running.size).toBe(4);
});

test('a video that the index does not show yet is started when it is named', async () => {
  const own = lane(1);
  const video = aVideo({ model: own.model });
  await createVideo(store.table, video);
  const blind = { ...own.dispatcher, table: withoutIndex(own.dispatcher.table) };
  expect(await dispatch(blind, own.model, { include: video, limit: 1 })).toEqual([video.id]);
});

describe('a dispatcher that dies between any two of its effects', () => {
  test('leaks no permit and loses no video', async () => {
    for (let point = 1; ; point++) {
      const own = lane(1);
      const [video] = await own.add('alice');
      const crashing = crashAfter(point);
      const { client } = own.dispatcher.workflow;
      const dying: Dispatcher = {
        ...own.dispatcher,
        table: crashingTable(own.dispatcher.table, crashing),
        workflow: {
          ...own.dispatcher.workflow,
          client: { send: (command: never) => crashing.through(() => client.send(command)) } as typeof client,
        },
      };
      const died = await dispatch(dying, own.model).then(
        () => false,
        (error) => error instanceof Crash,
      );
      if (!died) {
        expect(point).toBeGreaterThan(5);
        return;
      }
      // What the sweep does: carry on with whoever holds a permit, then dispatch.
      for (const id of (await readModelQueue(store.table, own.model)).running)
        await startQueued(own.dispatcher, { id, model: own.model });
      await dispatch(own.dispatcher, own.model);
      const after = await readVideo(store.table, video!.id);
      expect({ point, status: after?.status }).toEqual({ point, status: 'submitting' });
      // A record that was moved without an execution is the sweep's: it starts the very same run.
      expect([0, 1]).toContain(own.executions.size);
      expect((await readModelQueue(store.table, own.model)).running).toEqual(new Set([video!.id]));
    }
  });
});

test('a permit whose video has ended or has gone on to its archive is given back', async () => {
  for (const status of ['succeeded', 'failed', 'canceled', 'archiving'] as const) {
    const own = lane(1);
    const video = aVideo({ model: own.model, status });
    await createVideo(store.table, video);
    await claimPermit(store.table, own.dispatcher.limitsOf(own.model), video);
    expect(await startQueued(own.dispatcher, video)).toBe(false);
    expect((await readModelQueue(store.table, own.model)).running.size).toBe(0);
  }
});

test('a permit whose video is gone is given back', async () => {
  const own = lane(1);
  const video = aVideo({ model: own.model });
  await claimPermit(store.table, own.dispatcher.limitsOf(own.model), video);
  await startQueued(own.dispatcher, video);
  expect((await readModelQueue(store.table, own.model)).running.size).toBe(0);
});

test("when several owners drop many at once, everybody's first is started before anybody's second", async () => {
  const own = lane(3);
  for (const owner of ['dave', 'alice', 'carol', 'bob', 'erin']) await own.add(owner, 6);
  const owners = async () => {
    const ids = [...own.executions.keys()].map((name) => name.slice(0, -2));
    return Promise.all(ids.map(async (id) => (await readVideo(store.table, id))!.owner));
  };
  await dispatch(own.dispatcher, own.model);
  while (own.executions.size < 15) {
    for (const id of (await readModelQueue(store.table, own.model)).running) await end(own, id);
  }
  const served = await owners();
  for (let round = 0; round < 15; round += 5) expect(new Set(served.slice(round, round + 5)).size).toBe(5);
});

test('a round is dispatched by one look into the queue', async () => {
  const own = lane(7);
  for (let index = 10; index < 40; index++) await own.add(`owner-${index}`);
  const sent: string[] = [];
  const send = async (command: { constructor: { name: string } }) => {
    sent.push(command.constructor.name);
    return store.table.client.send(command as never);
  };
  const table = { ...own.dispatcher.table, client: { send } as never };
  expect(await dispatch({ ...own.dispatcher, table }, own.model)).toHaveLength(7);
  // Two laps: what comes after the owner served last, and what comes before.
  expect(sent.filter((name) => name === 'QueryCommand').length).toBeLessThanOrEqual(3);
});

test('a full lane costs its dispatcher one read', async () => {
  const own = lane(1);
  await own.add('alice', 3);
  await dispatch(own.dispatcher, own.model);
  const sent: string[] = [];
  const send = async (command: { constructor: { name: string } }) => {
    sent.push(command.constructor.name);
    return store.table.client.send(command as never);
  };
  await dispatch({ ...own.dispatcher, table: { ...own.dispatcher.table, client: { send } as never } }, own.model);
  expect(sent).toEqual(['GetCommand']);
});

test('a permit that a video can not use goes to the next in the same dispatch', async () => {
  const own = lane(1);
  const [gone] = await own.add('alice');
  const [next] = await own.add('bob');
  // The index still shows a video that was canceled just now.
  await changeStatus(store.table, gone!, 'canceled');
  expect(await dispatch(own.dispatcher, own.model, { include: gone!, limit: 1 })).toEqual([next!.id]);
});

test('a look that begins after an owner goes around, and shows each owner once', async () => {
  const own = lane(1);
  for (const owner of ['alice', 'bob', 'carol']) await own.add(owner, 2);
  const look = { started: new Set<string>(), after: 'bob' };
  const owners = (await firstOfEachOwner(store.table, own.model, look)).map(({ owner }) => owner);
  expect(owners).toEqual(['carol', 'alice', 'bob']);
});

test('an owner may have any number of videos that the index still shows after their start', async () => {
  const own = lane(40);
  const videos = await own.add('alice', 40);
  const started = new Set(videos.slice(0, 39).map(({ id }) => id));
  const waiting = await firstOfEachOwner(store.table, own.model, { started });
  expect(waiting).toEqual([{ owner: 'alice', id: videos[39]!.id }]);
});

/** A table before whose first release somebody else comes. */
function overtakenTable(table: Table, meanwhile: () => Promise<unknown>): Table {
  let overtaken = false;
  const send = async (command: { input: { UpdateExpression?: string } }) => {
    if (command.input.UpdateExpression?.startsWith('DELETE running') && !overtaken) {
      overtaken = true;
      await meanwhile();
    }
    return table.client.send(command as never);
  };
  return { ...table, client: { send } as never };
}
const holds = async ({ model }: { model: string }, { id }: { id: string }) =>
  (await readModelQueue(store.table, model)).running.has(id);

describe('a video that is started while somebody gives back what it held keeps its permit', () => {
  test('when it ended and was tried again', async () => {
    const own = lane(1);
    const video = aVideo({ model: own.model, status: 'failed' });
    await createVideo(store.table, video);
    await claimPermit(store.table, own.dispatcher.limitsOf(own.model), video);
    const table = overtakenTable(own.dispatcher.table, async () => {
      await releaseAndDispatch(own.dispatcher, video);
      await changeStatus(store.table, video, 'queued');
      expect(await dispatch(own.dispatcher, own.model)).toEqual([video.id]);
    });
    await releaseAndDispatch({ ...own.dispatcher, table }, video);
    expect(await holds(own, video)).toBe(true);
  });

  test('when it went back to its queue and was carried on with', async () => {
    const own = lane(1);
    const [video] = await own.add('alice');
    await dispatch(own.dispatcher, own.model);
    const submitting = (await readVideo(store.table, video!.id))!;
    const table = overtakenTable(own.dispatcher.table, () => startQueued(own.dispatcher, submitting));
    expect(await returnToQueue(table, submitting, false)).toBe(true);
    expect(await readVideo(store.table, video!.id)).toMatchObject({ status: 'submitting', run: 2 });
    expect(await holds(own, video!)).toBe(true);
  });

  test('when it is carried on with after both looks at it', async () => {
    const own = lane(1);
    const [video] = await own.add('alice');
    await claimPermit(store.table, own.dispatcher.limitsOf(own.model), video!);
    let overtaken = false;
    const send = async (command: { input: { UpdateExpression?: string } }) => {
      if (command.input.UpdateExpression?.includes('#status = :to') && !overtaken) {
        overtaken = true;
        await releaseResources(store.table, video, video!);
      }
      return store.table.client.send(command as never);
    };
    const table = { ...own.dispatcher.table, client: { send } as never };
    expect(await startQueued({ ...own.dispatcher, table }, video!)).toBe(true);
    expect(await holds(own, video!)).toBe(true);
  });
});

test.each(['constructor', 'toString', 'hasOwnProperty'])(
  'an owner called %s has its turn like others',
  async (owner) => {
    const own = lane(1);
    await own.add(owner, 3);
    await own.add('zoe', 3);
    const served: string[] = [];
    for (let count = 0; count < 4; count++) {
      const [id] = await dispatch(own.dispatcher, own.model, { limit: 1 });
      served.push((await readVideo(store.table, id!))!.owner);
      const video = (await changeStatus(store.table, (await readVideo(store.table, id!))!, 'failed'))!;
      await releaseResources(store.table, video, video);
    }
    expect(served.filter((name) => name === owner)).toHaveLength(2);
  },
);

test('nobody is called what a map of owners can not hold', () => {
  expect(ownerName.safeParse('__proto__').success).toBe(false);
  expect(ownerName.safeParse('__proto__s').success).toBe(true);
});

test('a video that ended is not troubled by whoever comes next', async () => {
  const own = lane(1);
  const video = aVideo({ model: own.model, status: 'failed' });
  await createVideo(store.table, video);
  await claimPermit(store.table, own.dispatcher.limitsOf(own.model), video);
  await own.add('bob');
  const broken = { send: () => Promise.reject(new Error('Step Functions is down.')) };
  const workflow = { ...own.dispatcher.workflow, client: broken as never };
  await releaseAndDispatch({ ...own.dispatcher, workflow }, video);
  expect((await readModelQueue(store.table, own.model)).running.has(video.id)).toBe(false);
});

const withoutIndex = (table: Dispatcher['table']): Dispatcher['table'] => ({
  ...table,
  client: {
    send: async (command: { constructor: { name: string } }) =>
      command.constructor.name === 'QueryCommand' ? { Items: [] } : table.client.send(command as never),
  } as unknown as Dispatcher['table']['client'],
});
