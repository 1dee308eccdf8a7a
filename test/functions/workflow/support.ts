import { randomUUID } from 'node:crypto';
import { ExecutionAlreadyExists, ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import { vi } from 'vitest';
import type { Dispatcher } from '../../../functions/queue/dispatch.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import type { Table } from '../../../functions/video/table.ts';
import type { TaskStatus } from '../../../functions/wan/client/query-task.ts';
import type { CreateTaskServices } from '../../../functions/workflow/create-task.ts';

/** Thrown where the process is meant to die; nothing in the code under test may catch it as something else. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/**
 * Counts side effects and dies after one of them, whether it succeeded or not. Dying before an effect is dying after the one
 * before it.
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

/** A table each of whose calls may be the one at which the process dies. */
export const crashingTable = (table: Table, crashing: Crashing): Table => ({
  ...table,
  client: { send: (command: never) => crashing.through(() => table.client.send(command)) } as Table['client'],
});

/** What the client says of a call that was over before it began. */
export const notSent = { outcome: 'unavailable', cause: 'aborted', retryable: true, billed: false } as const;

/** Time limits by a clock that a test turns. To be undone after the test. */
export const limitsByClock = (clock: { now: number }) =>
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
    const end = clock.now + milliseconds;
    return Object.defineProperty(new AbortController().signal, 'aborted', { get: () => clock.now >= end });
  });

/** Wan's tasks as the workflow sees them: what was created, and what a query tells. */
export function scriptedWan(now: () => number) {
  const tasks: { task_id: string; status: TaskStatus; model: string; prompt: string; img_url: string; at: number }[] =
    [];
  const wan: CreateTaskServices['wan'] = {
    async createTask({ model, input }, signal) {
      if (signal?.aborted) return notSent;
      const task_id = randomUUID();
      tasks.push({ task_id, status: 'PENDING', model, prompt: input.prompt ?? '', img_url: input.img_url, at: now() });
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
    cancelTask: () => Promise.reject(new Error('No test cancels.')),
    uploadFile: async ({ name }) => ({ outcome: 'uploaded', url: `oss://${name}` }),
  };
  return { tasks, wan };
}

/** Executions by name: which were started, and how each stands. */
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

/** Everything `createTask` takes, with a clock that a sleep turns. */
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
    resolveMediaUrls: async ({ input }: VideoRecord, transfer) => ({
      img_url: `${transfer}:${input.img_url}`,
      ...(input.audio_url ? { audio_url: `${transfer}:${input.audio_url}` } : {}),
    }),
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
