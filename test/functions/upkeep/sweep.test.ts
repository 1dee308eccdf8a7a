import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sweep } from '../../../functions/upkeep/sweep.ts';
import { claimPermit, readLane } from '../../../functions/video/lane.ts';
import type { Status, VideoRecord } from '../../../functions/video/record.ts';
import { createVideo, readVideo } from '../../../functions/video/store.ts';
import type { Dispatcher } from '../../../functions/workflow/dispatch.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { scriptedExecutions } from '../workflow/support.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const clock = { now: start };
let store: Awaited<ReturnType<typeof startTable>>;
let dispatcher: Dispatcher;
let executions: ReturnType<typeof scriptedExecutions>['executions'];
beforeAll(async () => {
  store = await startTable(() => clock.now);
});
afterAll(() => store.close());
beforeEach(() => {
  clock.now = start;
  const scripted = scriptedExecutions();
  executions = scripted.executions;
  dispatcher = {
    table: store.table,
    workflow: scripted.workflow,
    laneOf: (model) => ({ model, permits: 1, submit_interval_ms: 1 }),
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
  'a %s video whose execution ended is started as its next run, once',
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

test('a video whose execution was never started is started as the run it is, once', async () => {
  const video = await add('submitting');
  expect((await sweep(dispatcher, [])).resumed).toContain(video.id);
  expect((await sweep(dispatcher, [])).resumed).not.toContain(video.id);
  expect([...executions.keys()].filter((name) => name.startsWith(video.id))).toEqual([`${video.id}-1`]);
});

test('a video whose execution runs is left alone, however old it is', async () => {
  const video = await add('running');
  executions.set(`${video.id}-1`, 'RUNNING');
  later(20 * 3600);
  expect((await sweep(dispatcher, [])).resumed).not.toContain(video.id);
});

test('a workflow that keeps dying is started less and less often', async () => {
  const video = await add('running', { run: 5 });
  executions.set(`${video.id}-5`, 'FAILED');
  later(10 * 2 ** 4 - 1);
  expect((await sweep(dispatcher, [])).resumed).not.toContain(video.id);
  later(10 * 2 ** 4);
  expect((await sweep(dispatcher, [])).resumed).toContain(video.id);
});

test('permits of the dead are freed, a claimed one is carried on, and the queue goes on', async () => {
  const ended = await add('failed', { model: 'swept' });
  const waiting = await add('queued', { model: 'swept', run: 0 });
  await claimPermit(store.table, dispatcher.laneOf('swept'), ended);
  expect(await sweep(dispatcher, ['swept'])).toMatchObject({ dispatched: [waiting.id] });
  expect([...(await readLane(store.table, 'swept')).running]).toEqual([waiting.id]);

  const claimed = await add('queued', { model: 'claimed', run: 0 });
  await claimPermit(store.table, dispatcher.laneOf('claimed'), claimed);
  expect(await sweep(dispatcher, ['claimed'])).toMatchObject({ dispatched: [claimed.id] });
  expect(executions.get(`${claimed.id}-1`)).toBe('RUNNING');
});

test('what fails with one video keeps no other from its turn, and is told', async () => {
  const videos = [await add('running'), await add('archiving'), await add('submitting')];
  const [broken, ...others] = videos;
  const { client } = dispatcher.workflow;
  const send = async (command: { input: { executionArn?: string } }) => {
    if (command.input.executionArn?.includes(broken!.id)) throw new Error('Step Functions is out of order.');
    return client.send(command as never);
  };
  dispatcher.workflow = { ...dispatcher.workflow, client: { send } as never };
  const report = await sweep(dispatcher, []);
  expect(report.resumed).toEqual(expect.arrayContaining(others.map(({ id }) => id)));
  expect(report.failed.map(({ what }) => what)).toContain(broken!.id);
});
