import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { resumeWhenDead, sweep } from '../../../functions/maintenance/sweep.ts';
import { listWaiting, waitFor } from '../../../functions/polling/wait-item.ts';
import { acquireLease } from '../../../functions/polling/watcher-lease.ts';
import type { Dispatcher } from '../../../functions/queue/dispatch.ts';
import { claimPermit, readModelQueue, releasePermit } from '../../../functions/queue/model-queue.ts';
import { keys } from '../../../functions/video/keys.ts';
import type { Status, VideoRecord } from '../../../functions/video/record.ts';
import { createVideo, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aTask, aVideo } from '../../support/videos.ts';
import { writeToken } from '../polling/write-token.ts';
import { scriptedExecutions } from '../workflow/support.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const clock = { now: start };
let dispatcher: Dispatcher;
let executions: ReturnType<typeof scriptedExecutions>['executions'];
const store = startTable(() => clock.now);
beforeEach(() => {
  clock.now = start;
  const scripted = scriptedExecutions();
  executions = scripted.executions;
  dispatcher = {
    table: store.table,
    workflow: scripted.workflow,
    limitsOf: (model) => ({ model, permits: 1, submit_interval_ms: 1 }),
  };
});

async function add(status: Status, given: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const video = aVideo({ status, run: 1, model: `model-${Math.random()}`, ...given }, clock.now);
  await createVideo(store.table, video);
  return video;
}
const later = (seconds: number) => {
  clock.now = start + seconds * 1000;
};

test.each(['submitting', 'running', 'archiving'] as const)(
  'starts the next run, once, of a %s video whose execution has ended',
  async (status) => {
    const video = await add(status);
    executions.set(`${video.id}-1`, 'FAILED');
    later(30);
    expect((await sweep(dispatcher, [])).resumed).toContain(video.id);
    expect(executions.get(`${video.id}-2`)).toBe('RUNNING');
    expect((await sweep(dispatcher, [])).resumed).not.toContain(video.id);
    expect(await readVideo(store.table, video.id)).toMatchObject({ status, run: 2 });
  },
);

test('starts the same run, once, of a video whose execution never started', async () => {
  const video = await add('submitting');
  expect((await sweep(dispatcher, [])).resumed).toContain(video.id);
  expect((await sweep(dispatcher, [])).resumed).not.toContain(video.id);
  expect([...executions.keys()].filter((name) => name.startsWith(video.id))).toEqual([`${video.id}-1`]);
});

test('does not restart a video whose execution runs, regardless of its age', async () => {
  const video = await add('running');
  executions.set(`${video.id}-1`, 'RUNNING');
  later(20 * 3600);
  expect((await sweep(dispatcher, [])).resumed).not.toContain(video.id);
});

test.each(['FAILED', 'ABORTED', 'TIMED_OUT', 'SUCCEEDED'] as const)(
  'restarts a video immediately the first time its execution ends as %s',
  async (ending) => {
    const video = await add('running');
    executions.set(`${video.id}-1`, ending);
    expect(await resumeWhenDead(dispatcher, video.id)).toBe(true);
    expect(executions.get(`${video.id}-2`)).toBe('RUNNING');
  },
);

test.each(['queued', 'succeeded', 'failed', 'canceled'] as const)(
  'does not restart a %s video, regardless of its execution',
  async (status) => {
    const video = await add(status);
    executions.set(`${video.id}-1`, 'ABORTED');
    later(30);
    expect(await resumeWhenDead(dispatcher, video.id)).toBe(false);
    expect([...executions.keys()]).toEqual([`${video.id}-1`]);
  },
);

test('restarts a workflow that keeps failing at growing intervals', async () => {
  const video = await add('running', { run: 5 });
  executions.set(`${video.id}-5`, 'FAILED');
  later(10 * 2 ** 3 - 1);
  expect((await sweep(dispatcher, [])).resumed).not.toContain(video.id);
  later(10 * 2 ** 3);
  expect((await sweep(dispatcher, [])).resumed).toContain(video.id);
});

test('releases permits of ended videos, starts queued videos with a permit, and dispatches', async () => {
  const ended = await add('failed', { model: 'sweeper' });
  const waiting = await add('queued', { model: 'sweeper', run: 0 });
  await claimPermit(store.table, await dispatcher.limitsOf('sweeper'), ended);
  expect(await sweep(dispatcher, ['sweeper'])).toMatchObject({ dispatched: [waiting.id] });
  expect([...(await readModelQueue(store.table, 'sweeper')).running]).toEqual([waiting.id]);

  const claimed = await add('queued', { model: 'claimed', run: 0 });
  await claimPermit(store.table, await dispatcher.limitsOf('claimed'), claimed);
  expect(await sweep(dispatcher, ['claimed'])).toMatchObject({ dispatched: [claimed.id] });
  expect(executions.get(`${claimed.id}-1`)).toBe('RUNNING');
});

test('an error with one video does not stop the others, and is reported', async () => {
  const videos = [await add('running'), await add('archiving'), await add('submitting')];
  const [broken, ...others] = videos;
  const { client } = dispatcher.workflow;
  const send = async (command: { input: { executionArn?: string } }) => {
    if (command.input.executionArn?.includes(broken!.id)) throw new Error('Step Functions is unavailable.');
    return client.send(command as never);
  };
  dispatcher.workflow = { ...dispatcher.workflow, client: { send } as never };
  const report = await sweep(dispatcher, []);
  expect(report.resumed).toEqual(expect.arrayContaining(others.map(({ id }) => id)));
  expect(report.failed.map(({ step }) => step)).toContain(broken!.id);
});

test('restores the permit of a running video, but not of one whose task has ended', async () => {
  const model = 'lost-permits';
  const running = await add('running', { model });
  const archiving = await add('archiving', { model });
  for (const { id } of [running, archiving]) {
    executions.set(`${id}-1`, 'RUNNING');
    await releasePermit(store.table, model, id);
  }
  await sweep(dispatcher, [model]);
  expect([...(await readModelQueue(store.table, model)).running]).toEqual([running.id]);
});

test('does not write a queue whose videos all have their permits, because writes of large items are expensive', async () => {
  const model = 'kept-permits';
  const limits = { ...(await dispatcher.limitsOf(model)), permits: 3 };
  for (let count = 0; count < 3; count++) {
    const video = await add('running', { model });
    executions.set(`${video.id}-1`, 'RUNNING');
    await claimPermit(store.table, limits, video);
  }
  let writes = 0;
  const client = {
    send: (command: { input: { Key?: { pk?: string } } }) => {
      if (command instanceof UpdateCommand && command.input.Key?.pk === `queue#${model}`) writes++;
      return store.table.client.send(command as never);
    },
  } as typeof store.table.client;
  await sweep({ ...dispatcher, table: { ...store.table, client } }, [model]);
  expect(writes).toBe(0);
});

test('removes the times of owners served more than an hour ago', async () => {
  const video = await add('running', { model: 'remembered' });
  await claimPermit(store.table, await dispatcher.limitsOf('remembered'), video);
  later(3600);
  await sweep(dispatcher, ['remembered']);
  expect((await readModelQueue(store.table, 'remembered')).served.size).toBe(1);
  later(3600 + 1);
  await sweep(dispatcher, ['remembered']);
  expect((await readModelQueue(store.table, 'remembered')).served.size).toBe(0);
});

describe('with a separate table', () => {
  let own: ReturnType<typeof startTable>;
  let sweeper: Dispatcher;
  beforeEach(() => {
    own = startTable(() => clock.now);
    sweeper = { ...dispatcher, table: own.table };
  });
  const add = async (status: Status, given: Partial<VideoRecord> = {}) => {
    const video = aVideo({ status, run: 1, ...given }, clock.now);
    await createVideo(own.table, video);
    executions.set(`${video.id}-1`, 'RUNNING');
    return video;
  };

  test('reports when the first task of an unarchived video expires, if there is one', async () => {
    await add('succeeded', {
      task: aTask({ id: '2026-01-01T10:00:00.000Z', expires_at: '2026-01-01T10:00:00.000Z' }),
    });
    await add('submitting');
    expect((await sweep(sweeper, [])).first_expiry).toBeUndefined();
    await add('running', {
      task: aTask({ id: '2026-01-01T20:00:00.000Z', expires_at: '2026-01-01T20:00:00.000Z' }),
    });
    await add('archiving', {
      task: aTask({ id: '2026-01-01T19:00:00.000Z', expires_at: '2026-01-01T19:00:00.000Z' }),
    });
    expect((await sweep(sweeper, [])).first_expiry).toBe('2026-01-01T19:00:00.000Z');
  });

  test('reports how long executions have waited without a watcher, and 0 while one is alive', async () => {
    const video = await add('running', { task: aTask() });
    await writeToken(
      own.table,
      'token',
      waitFor({ ...video, task: video.task! }, { now: clock.now, typicalSeconds: 100 }),
    );
    await acquireLease(own.table, 'watcher', false);
    clock.now += 14_000;
    expect((await sweep(sweeper, [])).unwatched_seconds).toBe(0);
    clock.now += 301_000;
    expect((await sweep(sweeper, [])).unwatched_seconds).toBe(300);
  });

  /** Records the time of each DescribeExecution. Time passes while the sweep sleeps and during each call. */
  function recordDescribes(answerMilliseconds = 0) {
    const described: { name: string; at: number }[] = [];
    const { client } = sweeper.workflow;
    const send = async (command: { input: { executionArn?: string } }) => {
      const name = command.input.executionArn?.split(':').at(-1);
      if (name) described.push({ name, at: (clock.now - start) / 1000 });
      clock.now += answerMilliseconds;
      return client.send(command as never);
    };
    sweeper.workflow = { ...sweeper.workflow, client: { send } as never };
    return described;
  }
  const sleep = async (milliseconds: number) => {
    clock.now += milliseconds;
  };

  test('describes 150 executions within the quota of Step Functions: a burst of 100, then 10 per second', async () => {
    await Promise.all(Array.from({ length: 150 }, () => add('running')));
    const described = recordDescribes();
    const report = await sweep(sweeper, [], sleep);
    expect(described).toHaveLength(150);
    expect(report).toMatchObject({ left: 0, failed: [] });
    expect(described.filter(({ at }) => at === 0)).toHaveLength(101);
    expect(described.at(-1)!.at).toBeCloseTo(4.9);
  });

  test('skips the most recently changed videos when time runs out', async () => {
    const videos = [];
    for (let count = 0; count < 105; count++) {
      clock.now = start + count;
      videos.push(await add('running'));
    }
    clock.now = start;
    const described = recordDescribes(1500);
    expect((await sweep(sweeper, [], sleep)).left).toBe(4);
    expect(described.map(({ name }) => name)).toEqual(videos.slice(0, 101).map(({ id }) => `${id}-1`));
  });
});

test('closes only wait items that failed executions left open', async () => {
  const running = await add('running');
  executions.set(`${running.id}-1`, 'RUNNING');
  const ended = [await add('archiving'), await add('succeeded'), await add('canceled'), { id: 'a-deleted-video' }];
  for (const { id } of [running, ...ended]) {
    const waiting = new UpdateCommand({
      TableName: store.table.tableName,
      Key: { pk: keys.wait(id) },
      UpdateExpression: 'SET #run = :run, open_status = :waiting, open_order = :order',
      ExpressionAttributeNames: { '#run': 'run' },
      ExpressionAttributeValues: { ':run': 1, ':waiting': 'waiting', ':order': `a-model#${id}` },
    });
    await store.table.client.send(waiting);
  }
  expect(await listWaiting(store.table)).toHaveLength(5);
  expect((await sweep(dispatcher, [])).failed).toEqual([]);
  expect(await listWaiting(store.table)).toEqual([{ id: running.id, model: 'a-model', task_id: running.id }]);
});
