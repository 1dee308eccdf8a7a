import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { VideoRecord } from '../../functions/video/record.ts';
import { judge } from './judge.ts';
import type { LastState } from './last-state.ts';
import type { SubmittedVideo } from './wanted-videos.ts';
import { type WantedVideo, wantedVideo } from './wanted-videos.ts';

const sha256 = createHash('sha256').update('the video').digest('hex');
const wanted: WantedVideo = {
  ...wantedVideo(1, 0),
  channel: 'api',
  prompt: 'Video 0',
  action: undefined,
  fails: false,
};
const submitted: SubmittedVideo = { wanted, id: 'one', retries: 0, canceled: false, deleted: false };
const task = { task_id: 'task-1', model: wanted.model, orig_prompt: wanted.prompt, seed: 0 };
const record = {
  id: 'one',
  status: 'succeeded',
  source: { type: 'api', key_id: 'key' },
  submission: { attempt: 1, state: 'settled', sent_at: '2026-01-01T00:00:00.000Z' },
  task: { id: 'task-1', end_time: '2026-01-01T00:02:00.000Z' },
  timeline: [{ status: 'archiving', at: '2026-01-01T00:02:02.000Z' }],
  video: { bucket: 'b', key: 'one/1-1.mp4', sha256 },
} as VideoRecord;

/** The correct state with one video. */
const good: LastState = {
  videos: new Map([['one', record]]),
  tombstones: new Set(),
  modelQueues: [{ pk: 'queue#m' }],
  waits: [{ pk: 'wait#one' }],
  spending: [{ pk: 'spending#o', reserved: {}, committed: 5, spent: 5 }],
  tasks: [task],
  objects: ['one/1-1.mp4', 'one/1-1.json'],
  markers: 0,
  runningExecutions: [],
  deadLetters: {},
  sha256Of: async () => sha256,
  served: new Map([['task-1', sha256]]),
};
const withRecord = (change: Partial<VideoRecord & { open_status: string }>): Partial<LastState> => ({
  videos: new Map([['one', { ...record, ...change }]]),
});

test('reports nothing for a correct state', async () => {
  expect(await judge(good, [submitted])).toEqual([]);
});

describe('reports', () => {
  const cases: [string, Partial<LastState>, RegExp][] = [
    ['a video that has not ended', withRecord({ status: 'running' }), /is running/],
    ['a video that failed unexpectedly', withRecord({ status: 'failed' }), /is failed/],
    ['a missing video', { videos: new Map() }, /is missing/],
    ['an open ledger', withRecord({ submission: { ...record.submission!, state: 'open' } }), /ledger is open/],
    [
      'a task whose end was detected late',
      withRecord({ timeline: [{ status: 'archiving', at: '2026-01-01T00:07:01.000Z' }] }),
      /detected the end of its task after 301 s/,
    ],
    ['an open wait item', { waits: [{ pk: 'wait#one', open_status: 'waiting' }] }, /wait#one is open/],
    ['a video in the status index', withRecord({ open_status: 'archiving' }), /in the index as archiving/],
    ['a second task', { tasks: [task, { ...task, task_id: 'task-2' }] }, /paid for 2 times, at most 1/],
    ['no task', { tasks: [] }, /no task/],
    ['a file that differs from its record', { sha256Of: async () => 'other' }, /the record has/],
    ["a file that differs from Wan's", { served: new Map([['task-1', 'other']]) }, /Wan served other/],
    ['a missing file', { objects: ['one/1-1.mp4'] }, /json is missing/],
    ['a file of another download', { objects: [...good.objects, 'one/1-2.mp4'] }, /1-2.mp4 is unexpected/],
    ['two versions of a file', { objects: [...good.objects, 'one/1-1.mp4'] }, /has 2 versions/],
    ['a permit', { modelQueues: [{ pk: 'queue#m', running: new Set(['one']) }] }, /holds a permit/],
    ['a reservation', { spending: [{ pk: 's', reserved: { one: {} }, committed: 9, spent: 5 }] }, /reserved for one/],
    ['an execution', { runningExecutions: ['one-1'] }, /one-1 is running/],
    ['a dead letter', { deadLetters: { 'drops.jsonl': 1 } }, /1 events in drops/],
    ['an unexpected video', { videos: new Map([...good.videos, ['two', record]]) }, /the video two is unexpected/],
  ];
  test.each(cases)('%s', async (_name, change, expected) => {
    expect((await judge({ ...good, ...change }, [submitted])).join('\n')).toMatch(expected);
  });
});
