import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { VideoRecord } from '../../functions/video/record.ts';
import { judge } from './judge.ts';
import type { LastState } from './last-state.ts';
import type { AskedFor } from './wanted-videos.ts';
import { type WantedVideo, wantedVideo } from './wanted-videos.ts';

const sha256 = createHash('sha256').update('the video').digest('hex');
const wanted: WantedVideo = { ...wantedVideo(1, 0), way: 'api', prompt: 'Video 0', action: undefined, fails: false };
const asked: AskedFor = { wanted, id: 'one', retries: 0, canceled: false, deleted: false };
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

/** One video that was made as it must be. */
const good: LastState = {
  videos: new Map([['one', record]]),
  tombstones: new Set(),
  lanes: [{ pk: 'queue#m' }],
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

test('a video that was made as it must be is no fault', async () => {
  expect(await judge(good, [asked])).toEqual([]);
});

describe('what is not as it must be is told', () => {
  const cases: [string, Partial<LastState>, RegExp][] = [
    ['a video that goes on', withRecord({ status: 'running' }), /is running/],
    ['a video that failed by itself', withRecord({ status: 'failed' }), /is failed/],
    ['a video that is gone', { videos: new Map() }, /is gone/],
    ['a ledger that is open', withRecord({ submission: { ...record.submission!, state: 'open' } }), /ledger is open/],
    [
      'a task whose end was noticed late',
      withRecord({ timeline: [{ status: 'archiving', at: '2026-01-01T00:07:01.000Z' }] }),
      /noticed the end of its task after 301 s/,
    ],
    ['an execution that is waited for', { waits: [{ pk: 'wait#one', open_status: 'waiting' }] }, /wait#one is open/],
    ['a video that still needs work', withRecord({ open_status: 'archiving' }), /in the index as archiving/],
    ['a second task', { tasks: [task, { ...task, task_id: 'task-2' }] }, /paid for 2 times, at most 1/],
    ['no task', { tasks: [] }, /no task/],
    ['other bytes than the record says', { sha256Of: async () => 'other' }, /record says/],
    ['other bytes than Wan served', { served: new Map([['task-1', 'other']]) }, /Wan served other/],
    ['a file that is missing', { objects: ['one/1-1.mp4'] }, /json is missing/],
    ['a file of another download', { objects: [...good.objects, 'one/1-2.mp4'] }, /1-2.mp4 is nobody's/],
    ['a file twice', { objects: [...good.objects, 'one/1-1.mp4'] }, /more than once/],
    ['a permit', { lanes: [{ pk: 'queue#m', running: new Set(['one']) }] }, /holds a permit/],
    [
      'money set aside',
      { spending: [{ pk: 's', reserved: { one: {} }, committed: 9, spent: 5 }] },
      /set aside for one/,
    ],
    ['an execution', { runningExecutions: ['one-1'] }, /one-1 is running/],
    ['a dead letter', { deadLetters: { 'drops.jsonl': 1 } }, /1 events in drops/],
    [
      'a video nobody asked for',
      { videos: new Map([...good.videos, ['two', record]]) },
      /nobody asked for the video two/,
    ],
  ];
  test.each(cases)('%s', async (_name, change, told) => {
    expect((await judge({ ...good, ...change }, [asked])).join('\n')).toMatch(told);
  });
});
