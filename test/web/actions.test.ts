import { beforeEach, describe, expect, test } from 'vitest';
import { type Action, createActions } from '../../web/actions.ts';
import type { Seen, VideoView } from '../../web/api.ts';
import { ApiProblem } from '../../web/api-problem.ts';

const seenAs = (status: string, updated_at: string, etag?: string): Seen => ({
  video: { id: 'cat', status, updated_at } as VideoView,
  etag,
});

let calls: string[];
/** What `get` answers. */
let present: Seen;
/** What each call is refused with. */
let problem: ApiProblem | undefined;
/** In seconds. */
let slept: number[];
let shown: Seen[];
let left: string[];
let gone: string[];
let refused: ApiProblem[];
beforeEach(() => {
  calls = [];
  present = seenAs('failed', '1', '"one"');
  problem = undefined;
  slept = [];
  shown = [];
  left = [];
  gone = [];
  refused = [];
});

/** Notes the call; answers as told. */
async function called<Answer>(name: string, answer: Answer): Promise<Answer> {
  calls.push(name);
  if (problem) throw problem;
  return answer;
}
const perform = createActions({
  api: {
    async get() {
      calls.push('get');
      return { seen: present, retryAfter: undefined };
    },
    cancel: () => called('cancel', seenAs('canceled', '2').video),
    retry: (_id, etag) => called(`retry ${etag}`, seenAs('queued', '2').video),
    remove: (_id, etag) => called(`remove ${etag}`, undefined),
  },
  show: (seen) => shown.push(seen),
  leaving: (id) => left.push(`${id} before ${calls.length + 1}`),
  gone: (id) => gone.push(id),
  refused: (given) => refused.push(given),
  async sleep(milliseconds) {
    slept.push(milliseconds / 1000);
    if (slept.length === 3) problem = undefined;
  },
});

describe('what may cost money or can not be taken back', () => {
  test.each<[Action, string]>([
    ['retry', 'retry "seen"'],
    ['delete', 'remove "seen"'],
  ])('(%s) is done to the very state that was seen', async (action, call) => {
    expect(await perform(action, seenAs('failed', '1', '"seen"'))).toBeUndefined();
    expect(calls).toEqual([call]);
  });

  test.each<[Action, string]>([
    ['retry', 'retry "one"'],
    ['delete', 'remove "one"'],
  ])('(%s) is named first where a list showed it without a name', async (action, call) => {
    await perform(action, seenAs('failed', '1'));
    expect(calls).toEqual(['get', call]);
  });

  test.each<[Action, Seen]>([
    ['delete', seenAs('failed', '0')],
    ['retry', seenAs('failed', '0')],
    ['delete', seenAs('succeeded', '1')],
  ])('(%s) is not done to what is not as the list showed it: that is shown instead', async (action, seen) => {
    expect(await perform(action, seen)).toContain('has changed');
    expect(calls.every((call) => call === 'get')).toBe(true);
    expect(shown).toEqual([present]);
    expect(gone).toEqual([]);
  });

  test('is refused by the server for what changed a moment ago: it is shown as it is', async () => {
    problem = new ApiProblem(412, {});
    expect(await perform('delete', seenAs('failed', '0', '"seen"'))).toContain('has changed');
    expect(calls).toEqual(['remove "seen"', 'get']);
    expect(shown).toEqual([present]);
    expect(gone).toEqual([]);
  });
});

test('a video that is canceled, retried or deleted is shown so', async () => {
  await perform('cancel', seenAs('running', '1', '"seen"'));
  await perform('retry', seenAs('failed', '1', '"seen"'));
  await perform('delete', seenAs('failed', '1', '"seen"'));
  expect(shown.map(({ video: { status }, etag }) => [status, etag])).toEqual([
    ['canceled', undefined],
    ['queued', undefined],
  ]);
  expect(gone).toEqual(['cat']);
});

test('nothing is asked any more about a video that is about to be deleted, and about no other', async () => {
  await perform('cancel', seenAs('running', '1', '"seen"'));
  await perform('retry', seenAs('failed', '1', '"seen"'));
  await perform('delete', seenAs('failed', '0'));
  expect(left).toEqual([]);
  calls = [];
  await perform('delete', seenAs('failed', '1'));
  expect(calls).toEqual(['get', 'remove "one"']);
  expect(left).toEqual(['cat before 2']);
});

test('what can not be canceled any more says so in the server’s words, and is shown as it is', async () => {
  problem = new ApiProblem(409, { title: 'Wan is making it.', detail: 'It will be billed.' });
  present = seenAs('running', '2', '"two"');
  expect(await perform('cancel', seenAs('queued', '1', '"one"'))).toBe('Wan is making it. It will be billed.');
  expect(shown).toEqual([present]);
});

describe('what is being handed to Wan', () => {
  const starting = (seconds: number) =>
    new ApiProblem(409, { code: 'video_is_starting', title: 'It starts.' }, seconds);

  test('is canceled as soon as Wan has taken it', async () => {
    problem = starting(2);
    expect(await perform('cancel', seenAs('submitting', '1'))).toBeUndefined();
    expect(slept).toEqual([2, 2, 2]);
    expect(shown.map(({ video: { status } }) => status)).toEqual(['canceled']);
  });

  test('is not waited for when it takes long', async () => {
    problem = starting(15);
    expect(await perform('cancel', seenAs('submitting', '1'))).toContain('It starts.');
    expect(slept).toEqual([]);
  });
});

test('what does not exist any more leaves the page', async () => {
  problem = new ApiProblem(404, {});
  expect(await perform('cancel', seenAs('queued', '1'))).toBeUndefined();
  expect(gone).toEqual(['cat']);
});

test('a key that is not taken is asked for again', async () => {
  problem = new ApiProblem(401, {});
  expect(await perform('cancel', seenAs('queued', '1'))).toBeUndefined();
  expect(refused).toEqual([problem]);
});

test('the limit of a month is no fault of the key', async () => {
  problem = new ApiProblem(403, { code: 'spending_limit_reached', title: 'Too much.', detail: 'Wait.' });
  expect(await perform('retry', seenAs('failed', '1', '"one"'))).toBe('Too much. Wait.');
  expect(refused).toEqual([]);
});
