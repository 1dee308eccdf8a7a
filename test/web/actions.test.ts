import { beforeEach, describe, expect, test } from 'vitest';
import { statuses } from '../../functions/video/record.ts';
import { explainEnding, failureCodes } from '../../functions/wan/failures.ts';
import {
  type Action,
  createActions,
  deleteQuestion,
  formatHint,
  isCancelable,
  isRetryable,
  retryQuestion,
} from '../../web/actions.ts';
import type { Snapshot, VideoView } from '../../web/api.ts';
import { ApiProblem } from '../../web/api-problem.ts';

const view = (members: Partial<VideoView>): VideoView => members as VideoView;
const price = { amount: 0.18, currency: 'USD', unit_price: 0.036, seconds: 5, as_of: '2025-12-29' } as const;
const parameters = { resolution: '720P', duration: 5 } as const;

describe('the buttons', () => {
  test('offer Cancel until the task begins, and Retry after a failure or a cancellation', () => {
    const task = { status: 'PENDING' } as VideoView['task'];
    expect(statuses.filter((status) => isCancelable({ status, task }))).toEqual(['queued', 'submitting', 'running']);
    expect(statuses.filter((status) => isRetryable({ status, parameters }))).toEqual(['failed', 'canceled']);
  });

  test('offer no Cancel while Wan runs the task, which Wan cannot cancel', () => {
    expect(isCancelable({ status: 'running', task: { status: 'RUNNING' } as VideoView['task'] })).toBe(false);
  });

  test('offer no Retry for a drop with invalid settings, which the API would refuse', () => {
    expect(isRetryable({ status: 'failed', parameters: {} })).toBe(false);
  });
});

describe('before a retry', () => {
  test.each(failureCodes.map((code) => explainEnding(code)))(
    'of $code, asks whether to pay twice exactly if the last attempt may be billed',
    (error) => {
      const question = retryQuestion(view({ error, estimated_cost: price }));
      expect(question?.includes('billed') ?? false).toBe(error.billed);
      if (error.billed) expect(question).toContain('$0.18');
    },
  );

  test('warns when the same request will probably fail again', () => {
    expect(retryQuestion(view({ error: explainEnding('content_refused') }))).toContain('probably fail again');
  });

  test('asks nothing after a cancellation', () => {
    expect(retryQuestion(view({ error: explainEnding('canceled') }))).toBeUndefined();
  });
});

test('warns before the deletion of a video that was paid for and may still be fetched', () => {
  expect(deleteQuestion(view({ status: 'failed', error: explainEnding('video_broken') }))).toContain('paid for');
  expect(deleteQuestion(view({ status: 'failed', error: explainEnding('content_refused') }))).not.toContain('paid for');
});

test.each(failureCodes)('names the Retry button instead of its route in the hint for %s', (code) => {
  const { hint } = explainEnding(code);
  expect(formatHint(hint)).not.toContain('POST /videos/{id}/retry');
  expect(formatHint(hint).includes('“Retry”')).toBe(hint.includes('/retry'));
});

const snapshotOf = (status: string, updated_at: string, etag?: string): Snapshot => ({
  video: { id: 'cat', status, updated_at } as VideoView,
  etag,
});

let calls: string[];
/** Result of `get`. */
let current: Snapshot;
/** What each other call fails with. */
let problem: ApiProblem | undefined;
/** Seconds. */
let slept: number[];
let shown: Snapshot[];
let stopped: string[];
let removed: string[];
let rejected: ApiProblem[];
beforeEach(() => {
  calls = [];
  current = snapshotOf('failed', '1', '"one"');
  problem = undefined;
  slept = [];
  shown = [];
  stopped = [];
  removed = [];
  rejected = [];
});

/** Records the call; fails with `problem` if there is one. */
async function called<Result>(name: string, result: Result): Promise<Result> {
  calls.push(name);
  if (problem) throw problem;
  return result;
}
const perform = createActions({
  api: {
    async get() {
      calls.push('get');
      return { snapshot: current, retryAfter: undefined };
    },
    cancel: () => called('cancel', snapshotOf('canceled', '2').video),
    retry: (_id, etag) => called(`retry ${etag}`, snapshotOf('queued', '2').video),
    remove: (_id, etag) => called(`remove ${etag}`, undefined),
  },
  show: (snapshot) => shown.push(snapshot),
  beforeDelete: (id) => stopped.push(`${id} before ${calls.length + 1}`),
  removed: (id) => removed.push(id),
  keyRejected: (rejection) => rejected.push(rejection),
  async sleep(milliseconds) {
    slept.push(milliseconds / 1000);
    if (slept.length === 3) problem = undefined;
  },
});

describe('an action that may cost money or cannot be undone', () => {
  test.each<[Action, string]>([
    ['retry', 'retry "seen"'],
    ['delete', 'remove "seen"'],
  ])('(%s) applies only to the state that was shown', async (action, call) => {
    expect(await perform(action, snapshotOf('failed', '1', '"seen"'))).toBeUndefined();
    expect(calls).toEqual([call]);
  });

  test.each<[Action, string]>([
    ['retry', 'retry "one"'],
    ['delete', 'remove "one"'],
  ])('(%s) reads the ETag first after a list, which has none', async (action, call) => {
    await perform(action, snapshotOf('failed', '1'));
    expect(calls).toEqual(['get', call]);
  });

  test.each<[Action, Snapshot]>([
    ['delete', snapshotOf('failed', '0')],
    ['retry', snapshotOf('failed', '0')],
    ['delete', snapshotOf('succeeded', '1')],
  ])('(%s) is not done when the state differs from the list; the current state is shown', async (action, snapshot) => {
    expect((await perform(action, snapshot))?.message).toContain('changed');
    expect(calls.every((call) => call === 'get')).toBe(true);
    expect(shown).toEqual([current]);
    expect(removed).toEqual([]);
  });

  test('shows the current state when the server finds another one', async () => {
    problem = new ApiProblem(412, {});
    expect((await perform('delete', snapshotOf('failed', '0', '"seen"')))?.message).toContain('changed');
    expect(calls).toEqual(['remove "seen"', 'get']);
    expect(shown).toEqual([current]);
    expect(removed).toEqual([]);
  });
});

test('shows the result of a cancellation, a retry and a deletion', async () => {
  await perform('cancel', snapshotOf('running', '1', '"seen"'));
  await perform('retry', snapshotOf('failed', '1', '"seen"'));
  await perform('delete', snapshotOf('failed', '1', '"seen"'));
  expect(shown.map(({ video: { status }, etag }) => [status, etag])).toEqual([
    ['canceled', undefined],
    ['queued', undefined],
  ]);
  expect(removed).toEqual(['cat']);
});

test('stops the requests about a video before it is deleted, and about no other', async () => {
  await perform('cancel', snapshotOf('running', '1', '"seen"'));
  await perform('retry', snapshotOf('failed', '1', '"seen"'));
  await perform('delete', snapshotOf('failed', '0'));
  expect(stopped).toEqual([]);
  calls = [];
  await perform('delete', snapshotOf('failed', '1'));
  expect(calls).toEqual(['get', 'remove "one"']);
  expect(stopped).toEqual(['cat before 2']);
});

test('shows the server’s message and the current state when it is too late to cancel', async () => {
  problem = new ApiProblem(409, { code: 'video_is_running', title: 'It runs.', detail: 'It will be billed.' });
  current = snapshotOf('running', '2', '"two"');
  expect(await perform('cancel', snapshotOf('queued', '1', '"one"'))).toEqual({
    message: 'It runs. It will be billed.',
    code: 'video_is_running',
  });
  expect(shown).toEqual([current]);
});

describe('a video that is being submitted to Wan', () => {
  const starting = (seconds: number) =>
    new ApiProblem(409, { code: 'video_is_starting', title: 'It starts.' }, seconds);

  test('is canceled as soon as its task is known', async () => {
    problem = starting(2);
    expect(await perform('cancel', snapshotOf('submitting', '1'))).toBeUndefined();
    expect(slept).toEqual([2, 2, 2]);
    expect(shown.map(({ video: { status } }) => status)).toEqual(['canceled']);
  });

  test('is not waited for when that takes long', async () => {
    problem = starting(15);
    expect((await perform('cancel', snapshotOf('submitting', '1')))?.message).toContain('It starts.');
    expect(slept).toEqual([]);
  });
});

test('removes a video that no longer exists from the page', async () => {
  problem = new ApiProblem(404, {});
  expect(await perform('cancel', snapshotOf('queued', '1'))).toBeUndefined();
  expect(removed).toEqual(['cat']);
});

test('reports a rejected key', async () => {
  problem = new ApiProblem(401, {});
  expect(await perform('cancel', snapshotOf('queued', '1'))).toBeUndefined();
  expect(rejected).toEqual([problem]);
});

test('does not take the spending limit for a rejected key', async () => {
  problem = new ApiProblem(403, { code: 'spending_limit_reached', title: 'Too much.', detail: 'Wait.' });
  expect((await perform('retry', snapshotOf('failed', '1', '"one"')))?.message).toBe('Too much. Wait.');
  expect(rejected).toEqual([]);
});
