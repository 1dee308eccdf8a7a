import { beforeEach, expect, test } from 'vitest';
import type { GetOptions, GetResult, Snapshot, VideoView } from '../../web/api.ts';
import { ApiProblem } from '../../web/api-problem.ts';
import { createPollVideo } from '../../web/poll-video.ts';

const snapshotOf = (status: string, etag?: string): Snapshot => ({ video: { id: 'cat', status } as VideoView, etag });

let now: number;
let shown: Snapshot | undefined;
let removed: string[];
let requests: (GetOptions | undefined)[];
let respond: () => Promise<GetResult>;
const { signal } = new AbortController();

beforeEach(() => {
  now = 0;
  shown = snapshotOf('running', '"a"');
  removed = [];
  requests = [];
});

const poll = createPollVideo({
  api: {
    get(_id, options) {
      requests.push(options);
      return respond();
    },
  },
  connection: {
    attempt: (call) => call().catch(() => 'failed' as const),
    retryDelay: () => 8,
  },
  now: () => now,
  shown: () => shown,
  show: (snapshot) => {
    shown = snapshot;
  },
  removed: (id) => removed.push(id),
});

test('waits for another state than the shown one', async () => {
  respond = async () => ({ snapshot: undefined, retryAfter: 5 });
  await poll('cat', { wait: 20, signal });
  expect(requests).toEqual([{ etag: '"a"', wait: 20, signal }]);
});

test('does not wait after a snapshot without an ETag, which may be outdated', async () => {
  shown = snapshotOf('running');
  respond = async () => ({ snapshot: snapshotOf('archiving', '"b"'), retryAfter: 2 });
  await poll('cat', { wait: 20, signal });
  expect(requests).toEqual([{ signal }]);
  expect(shown).toEqual(snapshotOf('archiving', '"b"'));
});

test('polls again soon after an update', async () => {
  respond = async () => ({ snapshot: snapshotOf('running', '"b"'), retryAfter: 30 });
  expect(await poll('cat', { wait: 20, signal })).toEqual({ kind: 'again', inSeconds: 1 });
});

test.each([
  [20, 7, 1],
  [0, 7, 7],
  [0, undefined, 5],
])(
  'after %i s without an update and with Retry-After %s, polls again in %i s: never in a tight loop',
  async (passed, retryAfter, inSeconds) => {
    respond = async () => {
      now += passed * 1000;
      return { snapshot: undefined, retryAfter };
    };
    expect(await poll('cat', { wait: 20, signal })).toEqual({ kind: 'again', inSeconds });
  },
);

test.each(['succeeded', 'failed', 'canceled'])('stops polling after "%s"', async (status) => {
  respond = async () => ({ snapshot: snapshotOf(status, '"b"'), retryAfter: undefined });
  expect(await poll('cat', { wait: 20, signal })).toEqual({ kind: 'ended' });
});

test('removes a video that was deleted elsewhere', async () => {
  respond = () => Promise.reject(new ApiProblem(404, {}));
  expect(await poll('cat', { wait: 20, signal })).toEqual({ kind: 'ended' });
  expect(removed).toEqual(['cat']);
});

test('a failed request pauses all polling for the retry delay of the connection', async () => {
  respond = () => Promise.reject(new ApiProblem(429, {}, 3));
  expect(await poll('cat', { wait: 20, signal })).toEqual({ kind: 'pause', inSeconds: 8 });
});

test('ignores a late response about a video that is no longer shown, and polls it no more', async () => {
  respond = async () => {
    shown = undefined;
    return { snapshot: snapshotOf('succeeded', '"b"'), retryAfter: undefined };
  };
  expect(await poll('cat', { wait: 20, signal })).toEqual({ kind: 'ended' });
  expect(shown).toBeUndefined();
  expect(await poll('cat', { wait: 20, signal })).toEqual({ kind: 'ended' });
  expect(requests).toHaveLength(1);
});
