import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openSubmission, settleSubmission } from '../../../functions/ledger/submission.ts';
import { acquireLease, releaseLease } from '../../../functions/polling/watcher-lease.ts';
import { claimPermit, isPaused, readModelQueue } from '../../../functions/queue/model-queue.ts';
import { keys } from '../../../functions/video/keys.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, changeVideo, createVideo, readVideo } from '../../../functions/video/store.ts';
import { createWanClient } from '../../../functions/wan/client/client.ts';
import type { Task } from '../../../functions/wan/client/query-task.ts';
import { checkTask } from '../../../functions/workflow/check-task.ts';
import { type CreateTaskServices, createTask } from '../../../functions/workflow/create-task.ts';
import { recordFailure } from '../../../functions/workflow/record-failure.ts';
import { taskRequestOf } from '../../../functions/workflow/task-request.ts';
import { startTable } from '../../support/table.ts';
import { aVideo, firstFrame, storedInput, urlOfMedia } from '../../support/videos.ts';
import { crashAfter, crashingTable, limitsByClock, scriptedExecutions, scriptedWan, servicesFor } from './support.ts';

const clock = { now: 0 };
const store = startTable(() => clock.now);
beforeEach(() => {
  clock.now = Date.parse('2026-01-01T00:00:00Z');
});

afterEach(() => vi.restoreAllMocks());

/** Creates a video whose execution was just started, with a unique prompt by default. */
async function submitting(given: Partial<VideoRecord> = {}, prompt?: string): Promise<VideoRecord> {
  const video = aVideo({ status: 'submitting', run: 1, ...given }, clock.now);
  video.input.prompt = prompt ?? `A cat runs, ${video.id}`;
  await createVideo(store.table, video);
  return video;
}

/** Retries after errors, with pauses, as the state machine does, until there is an outcome. */
async function untilOutcome(services: CreateTaskServices, { id, run }: VideoRecord) {
  for (let calls = 0; calls < 60; calls++) {
    try {
      return await createTask(services, { id, run });
    } catch {
      clock.now += 30_000;
    }
  }
  throw new Error('There was no outcome.');
}

describe('a video has one paid task', () => {
  test('after a submission without errors', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    expect(await createTask(servicesFor(store.table, clock, wan), video)).toMatchObject({ outcome: 'created' });
    const after = await readVideo(store.table, video.id);
    expect(tasks).toHaveLength(1);
    expect(after).toMatchObject({
      status: 'running',
      task: { id: tasks[0]!.task_id, attempts: 1, expires_at: '2026-01-02T00:00:00.000Z' },
      submission: { attempt: 1, state: 'settled' },
    });
  });

  const answers: Record<string, (wan: CreateTaskServices['wan']) => CreateTaskServices['wan']['createTask'][]> = {
    'Wan responds immediately': () => [],
    'Wan throttles first': () => [
      async () => ({ outcome: 'throttled', retryable: true, code: 'X', message: '', billed: false }),
    ],
    'the response of a created task is lost': (wan) => [
      async (request) => {
        await wan.createTask(request);
        return { outcome: 'unknown', cause: 'ECONNRESET', retryable: false };
      },
    ],
    'a response is lost without a task': () => [
      async () => ({ outcome: 'unknown', cause: 'ECONNRESET', retryable: false }),
    ],
  };

  // Counts the effects first, so that new ones are covered automatically.
  describe.each(Object.keys(answers))('when %s', (name) => {
    const scripted = (crashing: ReturnType<typeof crashAfter>) => {
      const { wan, tasks } = scriptedWan(() => clock.now);
      const first = answers[name]!(wan);
      const createTask: CreateTaskServices['wan']['createTask'] = (request) =>
        crashing.through(() => (first.shift() ?? wan.createTask)(request));
      const services = servicesFor(crashingTable(store.table, crashing), clock, { ...wan, createTask });
      return { wan, tasks, services };
    };

    test('and the process crashes between any two effects', async () => {
      let point = 1;
      for (let died = true; died; point++) {
        const crashing = crashAfter(point);
        const { wan, tasks, services } = scripted(crashing);
        const video = await submitting();
        const outcome = await untilOutcome(services, video);
        const after = await readVideo(store.table, video.id);
        expect({ point, ...outcome }).toMatchObject({ point, outcome: 'created' });
        expect({ point, tasks: tasks.length }).toEqual({ point, tasks: 1 });
        expect(after).toMatchObject({ status: 'running', task: { id: tasks[0]!.task_id } });
        // The prompt lock is free for the next video with this prompt.
        const twin = await submitting({}, video.input.prompt);
        expect(await createTask(servicesFor(store.table, clock, wan), twin)).toMatchObject({ outcome: 'created' });
        // The number of effects varies by one, because a slot takes one or two writes.
        died = crashing.died;
      }
      expect(point).toBeGreaterThan(6);
    });
  });

  test.each([
    ['for a minute', 60_000],
    ['until another invocation has finished', 0],
  ])('when an invocation is frozen before any of its effects %s', async (_, milliseconds) => {
    limitsByClock(clock);
    for (let point = 1; ; point++) {
      const { wan, tasks } = scriptedWan(() => clock.now);
      const video = await submitting();
      const services = servicesFor(store.table, clock, wan);
      let effects = 0;
      const freezing = async <Result>(effect: () => Promise<Result>): Promise<Result> => {
        if (++effects !== point) return effect();
        clock.now += milliseconds;
        if (milliseconds === 0) await untilOutcome(services, video);
        return effect();
      };
      const late = servicesFor(
        {
          ...store.table,
          client: { send: (command: never) => freezing(() => store.table.client.send(command)) } as never,
        },
        clock,
        { ...wan, createTask: (request, signal) => freezing(() => wan.createTask(request, signal)) },
      );
      await createTask(late, video).catch(() => undefined);
      expect((await untilOutcome(services, video)).outcome).toBe('created');
      expect({ point, tasks: tasks.length }).toEqual({ point, tasks: 1 });
      if (effects < point) {
        expect(point).toBeGreaterThan(8);
        return;
      }
    }
  });

  test('when an invocation opens the ledger with a record read before another one opened and settled it', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const first = await openSubmission(store.table, video);
    const settled = (await settleSubmission(store.table, first!))!;
    const second = await openSubmission(store.table, settled);
    await settleSubmission(store.table, second!);
    for (const stale of [video, settled]) expect(await openSubmission(store.table, stale)).toBeUndefined();
    await createTask(servicesFor(store.table, clock, wan), video);
    expect((await readVideo(store.table, video.id))?.task?.attempts).toBe(3);
    expect(tasks).toHaveLength(1);
  });

  test('when it is called many times concurrently', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const services = servicesFor(store.table, clock, wan);
    await Promise.allSettled(Array.from({ length: 10 }, () => createTask(services, video)));
    expect((await untilOutcome(services, video)).outcome).toBe('created');
    expect(tasks).toHaveLength(1);
  });
});

describe('a lost response', () => {
  const lost = { outcome: 'unknown', cause: 'ECONNRESET', retryable: false } as const;
  const withPrompt = async (video: VideoRecord, { input }: VideoRecord) => {
    await changeVideo(store.table, video, { set: { input } });
    video.input = input;
  };
  /** Runs two workflows concurrently, each retried after errors. */
  const alternately = async (services: CreateTaskServices, ...videos: VideoRecord[]) => {
    const outcomes = new Map<VideoRecord, Awaited<ReturnType<typeof createTask>>>();
    for (let calls = 0; calls < 60 && outcomes.size < videos.length; calls++) {
      for (const video of videos) {
        const outcome = outcomes.has(video) ? undefined : await createTask(services, video).catch(() => undefined);
        if (outcome) outcomes.set(video, outcome);
      }
      clock.now += 10_000;
    }
    return videos.map((video) => outcomes.get(video) ?? { outcome: 'none' });
  };
  const droppingResponses = (wan: CreateTaskServices['wan'], arrives: boolean): CreateTaskServices['wan'] => {
    let lost = false;
    return {
      ...wan,
      async createTask(request) {
        if (lost) return wan.createTask(request);
        lost = true;
        if (arrives) await wan.createTask(request);
        return { outcome: 'unknown', cause: 'ECONNRESET', retryable: false };
      },
    };
  };

  test('whose task exists: adopts the task and sends nothing again', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    expect((await untilOutcome(servicesFor(store.table, clock, droppingResponses(wan, true)), video)).outcome).toBe(
      'created',
    );
    expect(tasks).toHaveLength(1);
    expect((await readVideo(store.table, video.id))?.task).toMatchObject({ id: tasks[0]!.task_id, attempts: 1 });
  });

  test('whose task is adopted counts one task, and a second task separately', async () => {
    const { wan } = scriptedWan(() => clock.now);
    const measured: unknown[][] = [];
    const services = (once: CreateTaskServices['wan']) =>
      servicesFor(store.table, clock, once, { recordMetric: (...figure) => measured.push(figure) });
    const video = await submitting();
    await untilOutcome(services(droppingResponses(wan, true)), video);
    await createTask(services(wan), video);
    expect(await readVideo(store.table, video.id)).toMatchObject({ upstream_tasks: 1 });
    await untilOutcome(services(wan), await submitting({ upstream_tasks: 1 }));
    expect(measured).toEqual([
      ['UpstreamTasksPerVideo', 1],
      ['UpstreamTasksPerVideo', 2],
    ]);
  });

  test('of a retried video never adopts the task of the previous attempt', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const first = await submitting();
    await createTask(servicesFor(store.table, clock, wan), first);
    const ended = (await changeStatus(store.table, (await readVideo(store.table, first.id))!, 'failed'))!;
    const queued = (await changeStatus(store.table, ended, 'queued', { remove: ['task'] }))!;
    const again = (await changeStatus(store.table, queued, 'submitting', { set: { run: 2 } }))!;
    expect((await untilOutcome(servicesFor(store.table, clock, droppingResponses(wan, true)), again)).outcome).toBe(
      'created',
    );
    expect(tasks).toHaveLength(2);
    expect((await readVideo(store.table, first.id))?.task).toMatchObject({ id: tasks[1]!.task_id, attempts: 2 });
  });

  test('whose task does not exist: searches for two minutes, then sends again', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const started = clock.now;
    await untilOutcome(servicesFor(store.table, clock, droppingResponses(wan, false)), video);
    expect(tasks).toHaveLength(1);
    expect(tasks[0]!.at - started).toBeGreaterThanOrEqual(120_000);
    expect((await readVideo(store.table, video.id))?.task?.attempts).toBe(2);
  });

  test('blocks other videos with the same prompt, but not with another prompt', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const services = servicesFor(store.table, clock, droppingResponses(wan, false));
    await expect(createTask(services, video)).rejects.toThrow(expect.objectContaining({ name: 'SubmissionUncertain' }));
    const twin = await submitting({}, video.input.prompt);
    await expect(createTask(services, twin)).rejects.toThrow(expect.objectContaining({ name: 'PromptLocked' }));
    expect((await createTask(services, await submitting())).outcome).toBe('created');
    expect((await untilOutcome(services, video)).outcome).toBe('created');
    expect((await untilOutcome(services, twin)).outcome).toBe('created');
    expect(tasks).toHaveLength(3);
  });

  test('does not adopt the task of a twin that has not claimed it yet', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const twin = await submitting({}, video.input.prompt);
    // Both calls are concurrent; the twin's response arrives after the first video has started to search.
    const slow: CreateTaskServices['wan'] = {
      ...wan,
      async createTask(request) {
        const answer = await wan.createTask(request);
        await expect(
          createTask(servicesFor(store.table, clock, droppingResponses(wan, false)), video),
        ).rejects.toThrow();
        return answer;
      },
    };
    // The first one acquires the lock before it is escalated, so that both hold it.
    const lost = servicesFor(store.table, clock, {
      ...wan,
      createTask: async () => {
        await createTask(servicesFor(store.table, clock, slow), twin);
        return { outcome: 'unknown', cause: 'ECONNRESET', retryable: false };
      },
    });
    await expect(createTask(lost, video)).rejects.toThrow();
    await untilOutcome(servicesFor(store.table, clock, wan), video);
    const owners = await Promise.all([video, twin].map(async ({ id }) => (await readVideo(store.table, id))?.task?.id));
    expect(new Set(owners).size).toBe(2);
    expect(tasks).toHaveLength(2);
  });

  test('that matches two tasks ends as submission_uncertain and sends nothing again', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const measured: unknown[][] = [];
    const services = servicesFor(store.table, clock, droppingResponses(wan, true), {
      recordMetric: (...figure) => measured.push(figure),
    });
    await expect(createTask(services, video)).rejects.toThrow();
    // Another program with the same account created an equal task.
    await wan.createTask({
      model: 'wan2.2-i2v-plus',
      input: { ...video.input },
      parameters: video.parameters as never,
    });
    expect(await untilOutcome(services, video)).toMatchObject({
      outcome: 'failed',
      error: { code: 'submission_uncertain' },
    });
    expect(tasks).toHaveLength(2);
    expect(measured).toEqual([['UpstreamTasksPerVideo', 2]]);
  });

  test('of two twins with one task between them: neither adopts it', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const [video, twin] = [await submitting(), await submitting()];
    await withPrompt(twin, video);
    // Both calls are in progress when the connection breaks; one has reached Wan.
    const inner = servicesFor(store.table, clock, {
      ...wan,
      createTask: async (request) => {
        await wan.createTask(request);
        return lost;
      },
    });
    const outer = servicesFor(store.table, clock, {
      ...wan,
      createTask: async () => {
        await expect(createTask(inner, twin)).rejects.toThrow();
        return lost;
      },
    });
    await expect(createTask(outer, video)).rejects.toThrow();
    const services = servicesFor(store.table, clock, wan);
    for (const each of [video, twin]) {
      const outcome = await untilOutcome(services, each);
      expect(outcome).toMatchObject({ outcome: 'failed', error: { code: 'submission_uncertain' } });
      const dispatcher = { ...services, workflow: scriptedExecutions().workflow };
      if (outcome.outcome === 'failed') await recordFailure(dispatcher, outcome);
    }
    expect(tasks).toHaveLength(1);
    expect((await createTask(services, await submitting({}, video.input.prompt))).outcome).toBe('created');
  });

  test("is not ambiguous because of a twin's task that the twin is about to claim", async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const [video, twin] = [await submitting(), await submitting()];
    await withPrompt(twin, video);
    const services = servicesFor(store.table, clock, wan);
    const twins = servicesFor(store.table, clock, {
      ...wan,
      createTask: async (request) => {
        const answer = await wan.createTask(request);
        // Both tasks are in the list and unclaimed.
        await expect(createTask(services, video)).rejects.toThrow(
          expect.objectContaining({ name: 'SubmissionUncertain' }),
        );
        return answer;
      },
    });
    const dropsBothResponses = servicesFor(store.table, clock, {
      ...wan,
      createTask: async (request) => {
        await wan.createTask(request);
        await createTask(twins, twin);
        return lost;
      },
    });
    await expect(createTask(dropsBothResponses, video)).rejects.toThrow();
    expect((await untilOutcome(services, video)).outcome).toBe('created');
    expect(tasks).toHaveLength(2);
  });

  test('and a twin that crashed between any two effects do not wait for each other forever', async () => {
    const counting = crashAfter(Number.POSITIVE_INFINITY);
    const { wan: calm } = scriptedWan(() => clock.now);
    await createTask(servicesFor(crashingTable(store.table, counting), clock, calm), await submitting());
    for (let point = 1; point <= counting.effects; point++) {
      const { wan, tasks } = scriptedWan(() => clock.now);
      const [video, twin] = [await submitting(), await submitting()];
      await withPrompt(twin, video);
      const crashing = crashAfter(point);
      const dying = servicesFor(crashingTable(store.table, crashing), clock, wan);
      const dropsOneResponse = servicesFor(store.table, clock, {
        ...wan,
        createTask: async () => {
          await createTask(dying, twin).catch(() => undefined);
          return lost;
        },
      });
      await expect(createTask(dropsOneResponse, video)).rejects.toThrow();
      const services = servicesFor(store.table, clock, wan);
      const outcomes = (await alternately(services, video, twin)).map(({ outcome }) => outcome);
      // Neither adopts a task whose owner cannot be determined.
      expect({ point, outcomes }).toEqual({
        point,
        outcomes: outcomes.includes('failed') ? ['failed', 'failed'] : ['created', 'created'],
      });
      expect(tasks.length).toBeLessThanOrEqual(2);
    }
  });

  test.each([
    ['an additional space', (prompt: string) => `${prompt} `],
    ['an end that Wan cuts off', (prompt: string) => `${prompt}${' and on'.repeat(400)}`],
  ])('blocks a video whose prompt Wan reports as equal: with %s', async (_, variant) => {
    const { wan } = scriptedWan(() => clock.now);
    const prompt = `${Math.random()} ${'A cat runs and runs. '.repeat(60)}`.trim();
    const services = servicesFor(store.table, clock, droppingResponses(wan, false));
    await expect(createTask(services, await submitting({}, prompt))).rejects.toThrow();
    await expect(createTask(services, await submitting({}, variant(prompt)))).rejects.toThrow(
      expect.objectContaining({ name: 'PromptLocked' }),
    );
  });

  test('is not sent again while a task of that time has no prompt yet', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    let showsPrompt = false;
    const video = await submitting();
    const services = servicesFor(store.table, clock, {
      ...droppingResponses(wan, true),
      async queryTask(id) {
        const { orig_prompt, ...answer } = (await wan.queryTask(id)) as Task;
        return showsPrompt && orig_prompt !== undefined ? { ...answer, orig_prompt } : answer;
      },
    });
    await expect(createTask(services, video)).rejects.toThrow();
    for (let minute = 0; minute < 10; minute++) {
      await expect(createTask(services, video)).rejects.toThrow();
      clock.now += 60_000;
    }
    showsPrompt = true;
    expect((await createTask(services, video)).outcome).toBe('created');
    expect(tasks).toHaveLength(1);
  });

  test('whose task is on two pages of the list counts one task', async () => {
    const { wan } = scriptedWan(() => clock.now);
    const video = await submitting();
    const services = servicesFor(store.table, clock, {
      ...droppingResponses(wan, true),
      async listTasks(query) {
        const list = await wan.listTasks(query);
        return list.outcome === 'tasks' ? { ...list, total_page: 2 } : list;
      },
    });
    expect((await untilOutcome(services, video)).outcome).toBe('created');
  });

  test.each([
    [0, 80_000],
    [79_000, 1000],
    [80_000, undefined],
    [300_000, undefined],
  ])('has a deadline: %i ms after its ledger entry a call has %s ms left', async (waited, left) => {
    const timeouts = vi.spyOn(AbortSignal, 'timeout');
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const send = async (command: { input: { Key: { pk: string } } }) => {
      if (command.input.Key.pk.startsWith('spending#')) clock.now = Math.max(clock.now, started + waited);
      return store.table.client.send(command as never);
    };
    const started = clock.now;
    const table = { ...store.table, client: { send } as never };
    const services = servicesFor(table, clock, wan, { sleep: async () => undefined });
    if (left === undefined) {
      await expect(createTask(services, video)).rejects.toThrow(expect.objectContaining({ name: 'WanUnavailable' }));
      expect(timeouts).not.toHaveBeenCalled();
      expect(tasks).toHaveLength(0);
      expect((await readVideo(store.table, video.id))?.submission?.state).toBe('settled');
    } else {
      await createTask(services, video);
      expect(timeouts.mock.calls).toEqual([[left]]);
    }
  });

  test('after the deadline is known not to have been sent', async () => {
    const fetch = vi.fn();
    const baseUrl = 'https://wan.test/api/v1';
    const wan = createWanClient({ baseUrl, apiKey: async () => 'sk-1', fetch });
    const request = taskRequestOf(await submitting(), firstFrame('https://example.com/cat.png'));
    expect(await wan.createTask(request, AbortSignal.abort())).toMatchObject({ outcome: 'unavailable' });
    expect(fetch).not.toHaveBeenCalled();
  });

  test('fails the video when Wan was unreachable until the task expired, and sends nothing again', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const services = servicesFor(store.table, clock, droppingResponses(wan, true));
    await expect(createTask(services, video)).rejects.toThrow();
    clock.now += 24 * 3600 * 1000;
    const listTasks: typeof wan.listTasks = async () => ({ outcome: 'tasks', tasks: [], page_no: 1, total_page: 0 });
    const afterExpiry = servicesFor(store.table, clock, { ...wan, listTasks });
    expect(await untilOutcome(afterExpiry, video)).toMatchObject({
      outcome: 'failed',
      error: { code: 'task_expired' },
    });
    expect(tasks).toHaveLength(1);
  });

  test('waits while the list is unavailable', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const services = servicesFor(store.table, clock, {
      ...droppingResponses(wan, true),
      listTasks: async () => ({ outcome: 'unavailable', cause: 'http_502', retryable: true, billed: false }),
    });
    for (let minute = 0; minute < 10; minute++) {
      await expect(createTask(services, video)).rejects.toThrow(
        expect.objectContaining({ name: 'SubmissionUncertain' }),
      );
      clock.now += 60_000;
    }
    expect(tasks).toHaveLength(1);
  });
});

describe('a definite response of Wan', () => {
  const respondingWith = (...answers: Awaited<ReturnType<CreateTaskServices['wan']['createTask']>>[]) => {
    const { wan } = scriptedWan(() => clock.now);
    const sent: string[] = [];
    const audioUrls: (string | undefined)[] = [];
    const services = servicesFor(store.table, clock, {
      ...wan,
      async createTask({ input }) {
        sent.push(urlOfMedia(input)!);
        audioUrls.push(urlOfMedia(input, 'driving_audio'));
        return answers.shift()!;
      },
    });
    return { services, sent, audioUrls };
  };
  const details = { code: 'X', message: '', billed: false } as const;
  const refused = (reason: 'input' | 'image_download') =>
    ({ outcome: 'refused', retryable: false, ...details, code: 'InvalidURL', reason }) as Parameters<
      typeof respondingWith
    >[0];
  const created = { outcome: 'created', task_id: 'task-9', task_status: 'PENDING' } as const;

  test.each([
    ['throttled', { outcome: 'throttled', retryable: true, ...details } as const, 'WanThrottled'],
    [
      'unavailable',
      { outcome: 'unavailable', cause: 'ECONNREFUSED', retryable: true, billed: false } as const,
      'WanUnavailable',
    ],
  ])('%s: is retried by name and sent again immediately', async (_, answer, name) => {
    const { services, sent } = respondingWith(answer, { ...created, task_id: `task-${name}` });
    const video = await submitting();
    await expect(createTask(services, video)).rejects.toThrow(expect.objectContaining({ name }));
    expect((await createTask(services, video)).outcome).toBe('created');
    expect(sent).toHaveLength(2);
  });

  const lost = { outcome: 'unknown', cause: 'ECONNRESET', retryable: false } as const;
  const throttled = { outcome: 'throttled', retryable: true, ...details } as const;
  test.each<[string, Parameters<typeof respondingWith>, 'created' | 'failed' | 'settled']>([
    ['throttled for a while', [throttled, throttled, throttled, { ...created, task_id: 'task-after' }], 'created'],
    ['lost, without a task', [lost, { ...created, task_id: 'task-second' }], 'created'],
    ['refused', [refused('input')], 'failed'],
    ['account_refused', [{ outcome: 'account_refused', reason: 'arrears', retryable: true, ...details }], 'settled'],
    ['not sent, over the spending limit', [], 'failed'],
  ])('%s: leaves no holder in the prompt lock, whose item holds 400 KB', async (_, answers, outcome) => {
    const { services } = respondingWith(...answers);
    const price = { amount: 2, currency: 'USD', unit_price: 0.4, seconds: 5, as_of: '2025-12-29' } as const;
    const video = await submitting({ estimated_cost: price });
    const monthlySpendingLimit = answers.length === 0 ? 1 : undefined;
    expect(await untilOutcome({ ...services, monthlySpendingLimit }, video)).toMatchObject({ outcome });
    const Key = { pk: keys.promptLock(video.model, video.input.prompt) };
    const { Item } = await store.table.client.send(new GetCommand({ TableName: store.table.tableName, Key }));
    expect(Item).toEqual({ ...Key, ttl: expect.any(Number) });
  });

  test('refused: returns the failure as a value and sends nothing again', async () => {
    const { services, sent } = respondingWith(refused('input'));
    const video = await submitting();
    expect(await createTask(services, video)).toMatchObject({
      outcome: 'failed',
      error: { retryable: false, billed: false },
    });
    expect(sent).toHaveLength(1);
  });

  test("retries an image that Wan could not download once, through Wan's upload", async () => {
    const image = { bucket: 'b', key: 'k', content_type: 'image/png', bytes: 1, width: 500, height: 500 };
    const { services, sent } = respondingWith(refused('image_download'), { ...created, task_id: 'task-upload' });
    const video = await submitting(storedInput({ image }));
    expect((await createTask(services, video)).outcome).toBe('created');
    expect(sent.map((url) => url.split(':')[0])).toEqual(['url', 'upload']);

    const again = respondingWith(refused('image_download'), refused('image_download'));
    expect((await createTask(again.services, await submitting(storedInput({ image })))).outcome).toBe('failed');
    expect(again.sent).toHaveLength(2);
  });

  test('sends stored audio like the image, also when it is the only stored file', async () => {
    const image = { bucket: 'b', key: 'k', content_type: 'image/png', bytes: 1, width: 500, height: 500 };
    const audio = { bucket: 'b', key: 's', content_type: 'audio/wav', bytes: 1, duration_seconds: 5 };
    for (const [index, ours] of [{ image, audio }, { audio }].entries()) {
      const answers = [refused('image_download'), { ...created, task_id: `task-audio-${index}` }] as const;
      const { services, audioUrls } = respondingWith(...answers);
      const video = await submitting(storedInput(ours));
      expect((await createTask(services, video)).outcome).toBe('created');
      expect(audioUrls).toEqual(['url:s3://b/s', 'upload:s3://b/s']);
    }
  });

  test('fails immediately when the stored image is gone', async () => {
    const image = { bucket: 'b', key: 'k', content_type: 'image/png', bytes: 1, width: 500, height: 500 };
    const gone = { outcome: 'failed', error: { code: 'image_gone', retryable: false, billed: false } };
    for (const mediaTransfer of ['url', 'upload'] as const) {
      const { services, sent } = respondingWith(refused('image_download'));
      const video = await submitting(storedInput({ image }));
      const output = await createTask(
        {
          ...services,
          mediaTransfer,
          resolveMediaUrls: async (_, transfer) =>
            transfer === 'url' ? firstFrame('https://s3.test/') : { outcome: 'gone' },
        },
        video,
      );
      expect(output).toMatchObject(gone);
      expect(sent).toHaveLength(mediaTransfer === 'url' ? 1 : 0);
      expect((await readVideo(store.table, video.id))?.submission?.state).not.toBe('open');
    }
  });

  test("created: truncates Wan's texts to fit into a record", async () => {
    const long = 'x'.repeat(500_000);
    const { services } = respondingWith({
      outcome: 'created',
      task_id: 'task-long',
      task_status: long,
      request_id: long,
    });
    const video = await submitting();
    expect((await createTask(services, video)).outcome).toBe('created');
    const { task } = (await readVideo(store.table, video.id))!;
    expect([task!.status.length, task!.request_id!.length]).toEqual([300, 300]);
  });

  test("sends a caller's own URL that Wan could not download only once", async () => {
    const { services, sent } = respondingWith(refused('image_download'));
    expect((await createTask(services, await submitting())).outcome).toBe('failed');
    expect(sent).toHaveLength(1);
  });

  test('account_refused: returns the video to its queue, releases its permit and pauses the queue', async () => {
    const { services } = respondingWith({
      outcome: 'account_refused',
      reason: 'invalid_key',
      retryable: true,
      ...details,
    });
    const video = await submitting({
      model: 'wan2.1-i2v-plus',
      parameters: { ...aVideo().parameters, resolution: '720P' },
    });
    expect(await createTask(services, video)).toEqual({
      id: video.id,
      run: 1,
      outcome: 'settled',
      account_refused: 'invalid_key',
    });
    expect((await readVideo(store.table, video.id))?.status).toBe('queued');
    const queue = await readModelQueue(store.table, video.model);
    expect(queue.running.has(video.id)).toBe(false);
    expect(queue.pause_reason).toBe('invalid_key');
    expect(isPaused(queue, clock.now + 30_000)).toBe(true);
    expect(isPaused(queue, clock.now + 61_000)).toBe(false);
  });
});

describe('a video with a new task', () => {
  const starting = () => {
    const { wan } = scriptedWan(() => clock.now);
    const started: number[] = [];
    const failures: unknown[] = [];
    const services = servicesFor(store.table, clock, wan, {
      startWatcher: async () => void started.push(clock.now),
      onWatcherNotStarted: (error) => void failures.push(error),
    });
    return { services, started, failures };
  };
  // Longer than a lease left by a previous test.
  beforeEach(() => {
    clock.now += 60_000;
  });

  test('returns the input of WaitForEnd, with DynamoDB numbers as strings', async () => {
    const { services } = starting();
    const video = await submitting();
    const output = await createTask(services, video);
    const { task } = (await readVideo(store.table, video.id))!;
    expect(task!.expected_seconds).toBe(60);
    expect(output).toEqual({
      id: video.id,
      run: 1,
      outcome: 'created',
      wait: {
        key: `wait#${video.id}`,
        run: '1',
        task_id: task!.id,
        model: video.model,
        submit_time: task!.submit_time,
        order: `${video.model}#${task!.id}`,
        wake_after: String(clock.now),
        ttl: expect.stringMatching(/^\d{10}$/),
        timeout_seconds: 180,
        pause_seconds: 0,
      },
    });
  });

  test('starts a watcher when no watcher is alive', async () => {
    const { services, started } = starting();
    await createTask(services, await submitting());
    expect(started).toEqual([clock.now]);
  });

  test('keeps the current watcher for 10 s more and starts no other', async () => {
    const { services, started } = starting();
    await acquireLease(store.table, 'alive', false);
    // A new model, whose first submit slot is now.
    await createTask(services, await submitting({ model: 'wan2.1-i2v-turbo' }));
    expect(started).toEqual([]);
    expect(await releaseLease(store.table, 'alive', true)).toBe(false);
    clock.now += 10_001;
    expect(await releaseLease(store.table, 'alive', true)).toBe(true);
  });

  test('does not need a watcher: its errors are reported', async () => {
    const { services, failures } = starting();
    const startWatcher = () => Promise.reject(new Error('no concurrency is left'));
    expect(await createTask({ ...services, startWatcher }, await submitting())).toMatchObject({ outcome: 'created' });
    const send = ((command: { input: { Key?: { pk: string } } }) =>
      command.input.Key?.pk === 'watcher'
        ? Promise.reject(new Error('DynamoDB is unavailable'))
        : store.table.client.send(command as never)) as typeof store.table.client.send;
    const table = { ...store.table, client: { send } };
    expect(await createTask({ ...services, table }, await submitting())).toMatchObject({ outcome: 'created' });
    expect(failures.map((error) => (error as Error).message)).toEqual([
      'no concurrency is left',
      'DynamoDB is unavailable',
    ]);
  });

  test('of an earlier run starts a watcher too, and keeps its expected duration', async () => {
    const { services, started } = starting();
    const video = await submitting();
    await createTask(services, video);
    await createTask({ ...services, configuredSeconds: 400 }, video);
    expect(started).toHaveLength(2);
    expect((await readVideo(store.table, video.id))?.task?.expected_seconds).toBe(60);
  });
});

test('a retried video with a succeeded task continues with its archive', async () => {
  const { wan, tasks } = scriptedWan(() => clock.now);
  const services = servicesFor(store.table, clock, wan);
  const video = await submitting();
  await createTask(services, video);
  const running = (await readVideo(store.table, video.id))!;
  await changeStatus(store.table, running, 'archiving');
  expect(await createTask(services, video)).toEqual({ id: video.id, run: 1, outcome: 'succeeded' });
  expect(tasks).toHaveLength(1);
});

test('a video that another invocation continued during a refusal keeps its permit', async () => {
  const { wan } = scriptedWan(() => clock.now);
  const model = 'wan2.1-i2v-turbo';
  const video = await submitting({ model });
  await claimPermit(store.table, { model, permits: 9, submit_interval_ms: 1 }, video);
  const services = servicesFor(store.table, clock, {
    ...wan,
    async createTask() {
      // Another invocation of the same run has found the task.
      await changeStatus(store.table, (await readVideo(store.table, video.id))!, 'running');
      return {
        outcome: 'account_refused',
        reason: 'invalid_key',
        retryable: true,
        code: 'X',
        message: '',
        billed: false,
      };
    },
  });
  await createTask(services, video);
  expect((await readModelQueue(store.table, model)).running.has(video.id)).toBe(true);
});

test('opens no ledger entry for a record without a valid request', async () => {
  const { wan } = scriptedWan(() => clock.now);
  const video = await submitting({ parameters: {} });
  await expect(createTask(servicesFor(store.table, clock, wan), video)).rejects.toThrow('lacks parameters');
  expect((await readVideo(store.table, video.id))?.submission).toBeUndefined();
});

describe('an outdated execution does nothing', () => {
  test.each([
    ['a newer run works on the video', { run: 2 }],
    ['the video was canceled', { status: 'canceled' as const }],
    ['the video was returned to its queue', { status: 'queued' as const }],
  ])('%s', async (_, given) => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting(given);
    expect((await createTask(servicesFor(store.table, clock, wan), { id: video.id, run: 1 })).outcome).toBe('settled');
    expect(tasks).toHaveLength(0);
  });

  test('a run restarted after its task expired checks it immediately', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const services = servicesFor(store.table, clock, wan);
    await createTask(services, video);
    // The state machine has timed out.
    clock.now += 30 * 3600_000;
    const resumed = (await changeVideo(store.table, (await readVideo(store.table, video.id))!, { set: { run: 2 } }))!;
    const output = await createTask(services, resumed);
    expect(output).toMatchObject({ outcome: 'created', run: 2 });
    expect(output).toMatchObject({ wait: { timeout_seconds: 1 } });
    expect(tasks).toHaveLength(1);
    const checking = { ...services, workflow: scriptedExecutions().workflow, onUnknownStatus: () => undefined };
    expect(await checkTask(checking, resumed)).toMatchObject({ outcome: 'failed', error: { code: 'task_expired' } });
  });

  test('a restarted run continues with the existing task', async () => {
    const { wan, tasks } = scriptedWan(() => clock.now);
    const video = await submitting();
    const services = servicesFor(store.table, clock, wan);
    await createTask(services, video);
    const running = (await readVideo(store.table, video.id))!;
    await changeVideo(store.table, running, { set: { run: 2 } });
    expect(await createTask(services, { id: video.id, run: 2 })).toMatchObject({ outcome: 'created' });
    expect(tasks).toHaveLength(1);
  });
});
