import { randomUUID } from 'node:crypto';
import { ExecutionAlreadyExists, ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import { vi } from 'vitest';
import type { Dispatcher } from '../../../functions/queue/dispatch.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import type { Table } from '../../../functions/video/table.ts';
import type { TaskStatus } from '../../../functions/wan/client/query-task.ts';
import type { CreateTaskServices } from '../../../functions/workflow/create-task.ts';
import { urlOfMedia } from '../../support/videos.ts';

/** Thrown to simulate a crash of the process. The code under test must not handle it. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/**
 * Counts side effects and crashes after one of them, whether it succeeded or not. A crash before an effect equals one after the
 * previous effect.
 */
export function crashAfter(point: number) {
  let effects = 0;
  return {
    get effects() {
      return effects;
    },
    get died() {
      return effects >= point;
    },
    async through<Result>(effect: () => Promise<Result>): Promise<Result> {
      effects++;
      if (effects !== point) return effect();
      await effect().catch(() => undefined);
      throw new Crash(`after effect ${point}`);
    },
  };
}
export type Crashing = ReturnType<typeof crashAfter>;

/** A table in which any call may crash the process. */
export const crashingTable = (table: Table, crashing: Crashing): Table => ({
  ...table,
  client: { send: (command: never) => crashing.through(() => table.client.send(command)) } as Table['client'],
});

/** The client's outcome for a call that was aborted before it was sent. */
export const notSent = { outcome: 'unavailable', cause: 'aborted', retryable: true, billed: false } as const;

/** Makes `AbortSignal.timeout` use the test's clock. Restore the mocks after the test. */
export const limitsByClock = (clock: { now: number }) =>
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
    const end = clock.now + milliseconds;
    return Object.defineProperty(new AbortController().signal, 'aborted', { get: () => clock.now >= end });
  });

/** A Wan in memory: creates, queries and lists tasks. */
export function scriptedWan(now: () => number) {
  const tasks: { task_id: string; status: TaskStatus; model: string; prompt: string; img_url: string; at: number }[] =
    [];
  const wan: CreateTaskServices['wan'] = {
    async createTask({ model, input }, signal) {
      if (signal?.aborted) return notSent;
      const task_id = randomUUID();
      tasks.push({
        task_id,
        status: 'PENDING',
        model,
        prompt: input.prompt ?? '',
        img_url: urlOfMedia(input) ?? '',
        at: now(),
      });
      return { outcome: 'created', task_id, task_status: 'PENDING' };
    },
    async queryTask(taskId) {
      const task = tasks.find(({ task_id }) => task_id === taskId);
      if (!task) return { outcome: 'task', status: 'UNKNOWN', task_id: taskId };
      const submit_time = new Date(task.at).toISOString();
      return { outcome: 'task', status: task.status, task_id: taskId, orig_prompt: task.prompt, submit_time };
    },
    async listTasks({ model, start_time, end_time }) {
      const listed = tasks
        .filter((task) => task.model === model && task.at >= Date.parse(start_time) && task.at <= Date.parse(end_time))
        .map(({ task_id, status }) => ({ task_id, status }));
      return { outcome: 'tasks', tasks: listed, page_no: 1, total_page: 1 };
    },
    cancelTask: () => Promise.reject(new Error('The workflow cancels no task.')),
    uploadFile: async ({ name }) => ({ outcome: 'uploaded', url: `oss://${name}` }),
  };
  return { tasks, wan };
}

/** Step Functions in memory: started executions and their status, by name. */
export function scriptedExecutions() {
  const executions = new Map<string, 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT'>();
  const send = async (command: { input: { name?: string; executionArn?: string } }) => {
    const { name, executionArn } = command.input;
    if (name) {
      if (executions.has(name)) throw new ExecutionAlreadyExists({ message: name, $metadata: {} });
      executions.set(name, 'RUNNING');
      return {};
    }
    const status = executions.get(executionArn!.split(':').at(-1)!);
    if (!status) throw new ExecutionDoesNotExist({ message: 'none', $metadata: {} });
    return { status };
  };
  const client = { send } as unknown as Dispatcher['workflow']['client'];
  return { executions, workflow: { client, stateMachineArn: 'arn:aws:states:us-east-1:0:stateMachine:videos' } };
}

/** The services of `createTask`, with a sleep that advances the clock. */
export function servicesFor(
  table: Table,
  clock: { now: number },
  wan: CreateTaskServices['wan'],
  given: Partial<CreateTaskServices> = {},
): CreateTaskServices {
  return {
    table,
    workflow: scriptedExecutions().workflow,
    limitsOf: (model) => ({ model, permits: 4, submit_interval_ms: 500 }),
    wan,
    resolveMediaUrls: async ({ input }: VideoRecord, transfer) =>
      input.media.map(({ type, url }) => ({ type, url: `${transfer}:${url}` })),
    mediaTransfer: 'url',
    wanRegion: 'singapore',
    uncertainSeconds: 120,
    monthlySpendingLimit: undefined,
    configuredSeconds: 60,
    recordMetric: () => undefined,
    onAmbiguous: () => undefined,
    startWatcher: async () => undefined,
    onWatcherNotStarted: () => undefined,
    sleep: async (milliseconds) => {
      clock.now += Math.max(0, milliseconds);
    },
    ...given,
  };
}
