import { UpdateItemCommand, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../../bench/simulation/clock.ts';
import { listWaiting, readWait } from '../../../functions/polling/wait-item.ts';
import { createVideo, readVideo } from '../../../functions/video/store.ts';
import type { TaskStatus } from '../../../functions/wan/client/query-task.ts';
import { type CheckTaskServices, checkTask } from '../../../functions/workflow/check-task.ts';
import { createTask } from '../../../functions/workflow/create-task.ts';
import { recordFailure } from '../../../functions/workflow/record-failure.ts';
import { createStepFunctions } from '../../../local/aws/step-functions/step-functions.ts';
import { definitionOf, synthesizeStandIns } from '../../infra/support.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { scriptedWan, servicesFor } from './support.ts';

/*
 * Runs the deployed state machine and steps with an in-memory table and a virtual clock. Each test simulates the watcher.
 */

const START = Date.parse('2026-01-01T00:00:00Z');
const DAY = 24 * 3600_000;
const stateMachineArn = 'arn:aws:states:eu-central-1:123456789012:stateMachine:videos';

let definition: object;
beforeAll(async () => {
  definition = definitionOf((await synthesizeStandIns()).template);
});
let close: () => Promise<unknown> = async () => undefined;
afterEach(() => close());

interface Sleep {
  token: string;
  /** Milliseconds since 1970. */
  wake_after: number;
  wake: () => Promise<void>;
}

/**
 * Runs one execution to its end.
 * @param configuredSeconds the configured duration of tasks
 * @param statusAt returns the task's status by the seconds since the start
 * @param onSleep simulates the watcher; called when the execution waits
 */
async function run(
  configuredSeconds: number,
  statusAt: (seconds: number) => TaskStatus,
  onSleep: (sleep: Sleep, clock: ReturnType<typeof createVirtualClock>) => Promise<void> = async () => undefined,
) {
  const clock = createVirtualClock(START);
  const store = startTable(clock.now);
  const seconds = () => (clock.now() - START) / 1000;
  const { wan, tasks } = scriptedWan(clock.now);
  const queryTask: typeof wan.queryTask = async (task_id) => ({
    outcome: 'task',
    task_id,
    status: statusAt(seconds()),
    ...(statusAt(seconds()) === 'SUCCEEDED' ? { video_url: 'https://x' } : {}),
  });
  const services: ReturnType<typeof servicesFor> & CheckTaskServices = {
    ...servicesFor(store.table, { now: START }, { ...wan, queryTask }, { configuredSeconds }),
    sleep: async () => undefined,
    onUnknownStatus: () => undefined,
  };
  const calls: { state: string; at: number }[] = [];
  const timeouts: number[] = [];
  const steps: Record<string, (input: never) => Promise<unknown>> = {
    CreateTask: (input) => createTask(services, input),
    CheckTask: (input) => checkTask(services, input),
    ArchiveVideo: async ({ id, run }: { id: string; run: number }) => ({ id, run, outcome: 'archived' }),
    RecordFailure: (input) => recordFailure(services, input),
  };
  const stepFunctions = createStepFunctions({
    now: clock.now,
    sleep: clock.sleep,
    stateMachines: [{ arn: stateMachineArn, name: 'videos', definition }],
    onStatusChange: () => undefined,
    invokeFunction: (arn, payload) =>
      clock.hold(async () => {
        const state = Object.keys(steps).find((name) => arn.includes(name))!;
        calls.push({ state, at: seconds() });
        const output = (await steps[state]!(payload as never)) as { wait?: { timeout_seconds: number } };
        if (output.wait) timeouts.push(output.wait.timeout_seconds);
        return output;
      }),
    async callAws(_action, parameters) {
      const update = { ...parameters, TableName: store.table.tableName } as unknown as UpdateItemCommandInput;
      await clock.hold(() => store.client.send(new UpdateItemCommand(update)));
      const values = update.ExpressionAttributeValues!;
      const taskToken = values[':token']!.S!;
      const wake = () =>
        stepFunctions.handle('SendTaskSuccess', { taskToken, output: '{}' }).then(
          () => undefined,
          (error: Error) => expect(['TaskTimedOut', 'TaskDoesNotExist']).toContain(error.name),
        );
      void onSleep({ token: taskToken, wake_after: Number(values[':wake_after']!.N), wake }, clock);
      return {};
    },
  });
  close = async () => {
    stepFunctions.close();
  };
  const video = aVideo({ status: 'submitting', run: 1 }, START);
  await createVideo(store.table, video);
  const input = JSON.stringify({ id: video.id, run: 1 });
  await stepFunctions.handle('StartExecution', { stateMachineArn, name: `${video.id}-1`, input });
  const [execution] = stepFunctions.executions();
  await clock.run(() => execution!.status !== 'RUNNING', START + 2 * DAY);
  return {
    execution: execution!,
    calls,
    timeouts,
    checks: calls.filter(({ state }) => state === 'CheckTask').length,
    seconds: seconds(),
    tasks,
    video: (await readVideo(store.table, video.id))!,
    waiting: await listWaiting(store.table),
    item: await readWait(store.table, video.id),
  };
}

/** Wakes the execution as soon as a watcher may, regardless of the task. */
const wakeAlways = async ({ wake_after, wake }: Sleep, clock: ReturnType<typeof createVirtualClock>) => {
  // Reading the table and calling Step Functions take some time.
  await clock.sleep(wake_after - clock.now() + 100);
  await wake();
};

describe('an execution with a task that never ends', () => {
  test.each([10, 100, 300, 5000])('fits a day without a watcher into its history: tasks of %d s', async (usual) => {
    const { execution, checks, seconds, timeouts, video, waiting } = await run(usual, () => 'RUNNING');
    expect(execution.status).toBe('SUCCEEDED');
    expect(video).toMatchObject({ status: 'failed', error: { code: 'task_expired' } });
    expect(seconds).toBeGreaterThanOrEqual(24 * 3600 + 600);
    expect(seconds).toBeLessThan(24 * 3600 + 605);
    expect(checks).toBeLessThanOrEqual(110);
    expect(execution.history_events).toBeLessThanOrEqual(1500);
    expect(timeouts.every((timeout) => Number.isInteger(timeout) && timeout >= 1 && timeout <= 900)).toBe(true);
    expect(waiting).toEqual([]);
  });

  test.each([10, 100, 5000])('fits a day of premature wakes into its history: tasks of %d s', async (usual) => {
    const { execution, checks, video, waiting } = await run(usual, () => 'RUNNING', wakeAlways);
    expect(video).toMatchObject({ status: 'failed', error: { code: 'task_expired' } });
    expect(checks).toBeLessThanOrEqual(120);
    expect(execution.history_events).toBeLessThanOrEqual(1700);
    expect(waiting).toEqual([]);
  });
});

describe('an execution whose task succeeds', () => {
  const endsAfter = (end: number) => (seconds: number) => (seconds >= end ? 'SUCCEEDED' : 'RUNNING');

  test('takes seven transitions when it is woken, and leaves no open wait item', async () => {
    const { execution, calls, seconds, waiting, item, tasks } = await run(
      100,
      endsAfter(80),
      async ({ wake }, clock) => {
        await clock.sleep(81_000);
        await wake();
      },
    );
    expect(execution).toMatchObject({ status: 'SUCCEEDED', transitions: 7 });
    expect(calls.map(({ state }) => state)).toEqual(['CreateTask', 'CheckTask', 'ArchiveVideo']);
    expect(seconds).toBeLessThan(82);
    expect(tasks).toHaveLength(1);
    expect(waiting).toEqual([]);
    expect(item).not.toHaveProperty('token');
  });

  test('is archived without a watcher, with three more transitions per timeout', async () => {
    const { execution, seconds, calls } = await run(100, endsAfter(250));
    expect(execution).toMatchObject({ status: 'SUCCEEDED', transitions: 10 });
    expect(calls.filter(({ state }) => state === 'CheckTask').map(({ at }) => Math.round(at))).toEqual([200, 400]);
    expect(seconds).toBeLessThan(402);
  });

  test('ignores a token that is sent twice, and one of an earlier wait', async () => {
    const tokens: Sleep[] = [];
    const { execution, video } = await run(100, endsAfter(300), async (sleep, clock) => {
      tokens.push(sleep);
      await clock.sleep(tokens.length === 1 ? 250_000 : 120_000);
      for (const { wake } of [...tokens, ...tokens]) await wake();
    });
    expect(execution.status).toBe('SUCCEEDED');
    expect(video.status).toBe('archiving');
  });
});
