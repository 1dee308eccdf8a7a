import { describe, expect, test } from 'vitest';
import { requestIdResponseBody } from '../../../../functions/api/dashscope/schemas.ts';
import { ProblemError } from '../../../../functions/shared/problem.ts';
import { aTask, moveTo } from './support.ts';
import { taskRequests } from './task-requests.ts';

const { table, use, turn, create, query, cancel } = taskRequests();

describe('cancel', () => {
  const refused = {
    status: 400,
    body: {
      code: 'UnsupportedOperation',
      message: 'Failed to cancel the task, please confirm if the task is in PENDING status.',
      request_id: 'request-1',
    },
  };

  test('cancels a pending task, once', async () => {
    const id = await create();
    const response = await cancel(id);
    expect(response.status).toBe(200);
    expect(requestIdResponseBody.parse(response.body)).toEqual({ request_id: 'request-1' });
    expect((await query(id)).output).toEqual({
      ...{ task_id: id, task_status: 'CANCELED', orig_prompt: 'A cat runs' },
      ...{ submit_time: '2025-09-25 11:07:28.590', end_time: '2025-09-25 11:07:28.590' },
    });
    expect(await cancel(id)).toMatchObject(refused);
  });

  test("refuses another owner's task and changes nothing", async () => {
    const id = await create();
    expect(await cancel(id, 'bob')).toMatchObject(refused);
    expect((await query(id)).output.task_status).toBe('PENDING');
  });

  test.each(['running', 'archiving', 'succeeded', 'failed'] as const)('refuses a task that is %s', async (status) => {
    const id = await create();
    await moveTo(table(), id, status, { set: { task: aTask() } });
    expect(await cancel(id)).toMatchObject(refused);
  });

  const starting = () => new ProblemError(409, { code: 'video_is_starting', title: 'Starting.', detail: 'Try again.' });

  test('waits for a task that is being submitted and cancels it', async () => {
    const id = await create();
    await moveTo(table(), id, 'submitting');
    let isStarting = true;
    use(table(), {
      cancelVideo: (video) => (isStarting ? Promise.reject(starting()) : moveTo(table(), video.id, 'canceled')),
      sleep: async () => {
        isStarting = false;
        await moveTo(table(), id, 'running', { set: { task: aTask({ status: 'PENDING' }) } });
      },
    });
    expect((await cancel(id)).status).toBe(200);
    expect((await query(id)).output.task_status).toBe('CANCELED');
  });

  test('refuses a task that runs after its submission, or whose submission takes too long', async () => {
    for (const next of ['running', undefined] as const) {
      const id = await create();
      await moveTo(table(), id, 'submitting');
      use(table(), {
        cancelVideo: () => Promise.reject(starting()),
        sleep: async (milliseconds) => {
          turn(milliseconds);
          if (next) await moveTo(table(), id, next, { set: { task: aTask() } });
        },
      });
      expect(await cancel(id)).toMatchObject(refused);
    }
  });

  let id: string;
  test.each([
    ['is never submitted', async () => undefined, 400, 5_000],
    [
      'is submitted at last to an unresponsive Wan',
      () => moveTo(table(), id, 'running', { set: { task: aTask({ status: 'PENDING' }) } }),
      503,
      13_000,
    ],
  ])('answers before the gateway times out for a task that %s', async (_, finish, status, elapsed) => {
    id = await create();
    await moveTo(table(), id, 'submitting');
    const start = table().now();
    use(table(), {
      cancelVideo: async (video, milliseconds) => {
        if (video.status === 'submitting') throw starting();
        turn(milliseconds);
        throw new ProblemError(503, { code: 'wan_unavailable', title: 'x', detail: 'Try again.' });
      },
      sleep: async (milliseconds) => {
        turn(milliseconds);
        if (table().now() - start >= 5_000) await finish();
      },
    });
    expect((await cancel(id)).status).toBe(status);
    expect(table().now() - start).toBe(elapsed);
  });

  test('answers 503 with Retry-After while Wan is unavailable', async () => {
    const id = await create();
    use(table(), {
      cancelVideo: () =>
        Promise.reject(
          new ProblemError(503, { code: 'wan_unavailable', title: 'x', detail: 'Try again.' }, { 'retry-after': '5' }),
        ),
    });
    expect(await cancel(id)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { code: 'ModelUnavailable', message: 'Model is unavailable, please try again later. Try again.' },
    });
  });
});
