import { beforeEach, expect, test } from 'vitest';
import type { News, Question, Seen, VideoView } from '../../web/api.ts';
import { ApiProblem } from '../../web/api-problem.ts';
import { createNewsQuestion } from '../../web/ask-for-news.ts';

const seen = (status: string, etag?: string): Seen => ({ video: { id: 'cat', status } as VideoView, etag });

let now: number;
let shown: Seen | undefined;
let gone: string[];
let questions: (Question | undefined)[];
let answer: () => Promise<News>;
const { signal } = new AbortController();

beforeEach(() => {
  now = 0;
  shown = seen('running', '"a"');
  gone = [];
  questions = [];
});

const ask = createNewsQuestion({
  api: {
    get(_id, question) {
      questions.push(question);
      return answer();
    },
  },
  connection: {
    attempt: (call) => call().catch(() => 'failed' as const),
    patience: () => 8,
  },
  now: () => now,
  shown: () => shown,
  show: (given) => {
    shown = given;
  },
  gone: (id) => gone.push(id),
});

test('the state that is shown is what news are waited for', async () => {
  answer = async () => ({ seen: undefined, retryAfter: 5 });
  await ask('cat', { wait: 20, signal });
  expect(questions).toEqual([{ etag: '"a"', wait: 20, signal }]);
});

test('a state without a name may be old, so its news are not waited for', async () => {
  shown = seen('running');
  answer = async () => ({ seen: seen('archiving', '"b"'), retryAfter: 2 });
  await ask('cat', { wait: 20, signal });
  expect(questions).toEqual([{ signal }]);
  expect(shown).toEqual(seen('archiving', '"b"'));
});

test('after news more are asked for soon', async () => {
  answer = async () => ({ seen: seen('running', '"b"'), retryAfter: 30 });
  expect(await ask('cat', { wait: 20, signal })).toEqual({ kind: 'again', inSeconds: 1 });
});

test.each([
  [20, 7, 1],
  [0, 7, 7],
  [0, undefined, 5],
])(
  'when %i s brought nothing and Retry-After is %s, the next question comes after %i s: no server is asked in a circle',
  async (passed, retryAfter, inSeconds) => {
    answer = async () => {
      now += passed * 1000;
      return { seen: undefined, retryAfter };
    };
    expect(await ask('cat', { wait: 20, signal })).toEqual({ kind: 'again', inSeconds });
  },
);

test.each(['succeeded', 'failed', 'canceled'])('after "%s" nothing is asked', async (status) => {
  answer = async () => ({ seen: seen(status, '"b"'), retryAfter: undefined });
  expect(await ask('cat', { wait: 20, signal })).toEqual({ kind: 'ended' });
});

test('a video that was deleted elsewhere leaves the page', async () => {
  answer = () => Promise.reject(new ApiProblem(404, {}));
  expect(await ask('cat', { wait: 20, signal })).toEqual({ kind: 'ended' });
  expect(gone).toEqual(['cat']);
});

test('a failed question holds all of them for as long as the connection says', async () => {
  answer = () => Promise.reject(new ApiProblem(429, {}, 3));
  expect(await ask('cat', { wait: 20, signal })).toEqual({ kind: 'hold', inSeconds: 8 });
});

test('what is shown no more is not asked for, and not shown again by a late answer', async () => {
  answer = async () => {
    shown = undefined;
    return { seen: seen('succeeded', '"b"'), retryAfter: undefined };
  };
  expect(await ask('cat', { wait: 20, signal })).toEqual({ kind: 'ended' });
  expect(shown).toBeUndefined();
  expect(await ask('cat', { wait: 20, signal })).toEqual({ kind: 'ended' });
  expect(questions).toHaveLength(1);
});
