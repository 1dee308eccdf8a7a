import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { TimelineEntry, VideoRecord } from '../../functions/video/record.ts';
import type { BusEvent } from './bus-log.ts';
import { judge } from './judge.ts';
import type { LastState } from './last-state.ts';
import type { Arrival } from './receiver.ts';
import type { SubmittedVideo } from './wanted-videos.ts';
import { type WantedVideo, wantedVideo } from './wanted-videos.ts';

const sha256 = createHash('sha256').update('the video').digest('hex');
const id = '00000000-0000-4000-8000-000000000001';
const wanted: WantedVideo = {
  ...wantedVideo(1, 0),
  channel: 'api',
  // Subscribed to all events.
  owner: 'ann',
  webhook: undefined,
  prompt: 'Video 0',
  action: undefined,
  fails: false,
};
const submitted: SubmittedVideo = { wanted, id, retries: 0, canceled: false, deleted: false };
const task = { task_id: 'task-1', model: wanted.model, orig_prompt: wanted.prompt, seed: 0 };
const timeline: TimelineEntry[] = [
  { status: 'archiving', at: '2026-01-01T00:02:02.000Z' },
  { status: 'succeeded', at: '2026-01-01T00:02:03.000Z' },
];
const record = {
  id,
  status: 'succeeded',
  source: { type: 'api', key_id: 'key' },
  submission: { attempt: 1, state: 'settled', sent_at: '2026-01-01T00:00:00.000Z' },
  task: { id: 'task-1', end_time: '2026-01-01T00:02:00.000Z' },
  timeline,
  video: { bucket: 'b', key: 'one/1-1.mp4', sha256 },
} as VideoRecord;

const detailOf = (sequence: number, change: object = {}) => ({
  ...{ version: '1', id, owner: wanted.owner, sequence, ...timeline[sequence - 1], model: wanted.model },
  ...{ source: 'api', metadata: {}, webhook: true, ...change },
});
const typeOf = (sequence: number) => `video.${timeline[sequence - 1]!.status}`;
const event = (sequence: number, change: Partial<BusEvent> = {}): BusEvent => ({
  type: typeOf(sequence),
  detail: JSON.stringify(detailOf(sequence)),
  timeline: timeline.slice(0, sequence),
  ...change,
});
const received = Date.parse('2026-01-01T00:02:04.000Z');
const arrival = (sequence: number, change: Partial<Arrival> = {}): Arrival => {
  const { webhook: _, ...data } = detailOf(sequence);
  const body = JSON.stringify({ type: typeOf(sequence), timestamp: data.at, data });
  const common = { at: received, path: '/ann', message_id: `msg_${id}_${sequence}`, body };
  return { ...common, verified: true, timeline: timeline.slice(0, sequence), acknowledged: true, ...change };
};
const delivery = (sequence: number, change: Partial<LastState['deliveries'][number]> = {}) =>
  ({
    ...{ video_id: id, sequence, state: 'delivered' },
    last_attempts: [{ at: new Date(received).toISOString(), status: 200, milliseconds: 5 }],
    ...change,
  }) as LastState['deliveries'][number];

/** The correct state with one video. */
const good: LastState = {
  videos: new Map([[id, record]]),
  tombstones: new Set(),
  modelQueues: [{ pk: 'queue#m' }],
  waits: [{ pk: 'wait#one' }],
  spending: [{ pk: 'spending#o', reserved: {}, committed: 5, spent: 5 }],
  tasks: [task],
  objects: ['one/1-1.mp4', 'one/1-1.json'],
  markers: 0,
  runningExecutions: [],
  events: [event(1), event(2)],
  arrivals: [arrival(1), arrival(2)],
  unexpectedRequests: [],
  deliveries: [delivery(1), delivery(2)],
  deadLetters: [{ queue: 'maintenance.jsonl', body: '{}' }],
  sha256Of: async () => sha256,
  served: new Map([['task-1', sha256]]),
};
const withRecord = (change: Partial<VideoRecord & { open_status: string }>): Partial<LastState> => ({
  videos: new Map([[id, { ...record, ...change }]]),
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
      withRecord({ timeline: [{ status: 'archiving', at: '2026-01-01T00:07:01.000Z' }, timeline[1]!] }),
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
    [
      'a dead letter',
      { deadLetters: [{ queue: 'drops.jsonl', body: '{"detail":1}' }] },
      /drops.jsonl has {"detail":1}/,
    ],
    ['a status change that was not published', { events: [event(2)] }, /status change 1 of .* was not published/],
    ['an ending that was not published', { events: [event(1)] }, /ending of .* was not published/],
    ['a video without events', { events: [] }, /ending of .* was not published/],
    [
      'an event before its record',
      { events: [event(1), event(2, { timeline: timeline.slice(0, 1) }), event(2)] },
      /event video.succeeded of .* \(2\) came before its record/,
    ],
    [
      'an event of another time than the record',
      { events: [event(1), event(2), event(2, { detail: JSON.stringify(detailOf(2, { at: timeline[0]!.at })) })] },
      /came before its record/,
    ],
    [
      'a new event after the deletion',
      { events: [event(1), event(2, { timeline: undefined })] },
      /came before its record/,
    ],
    [
      'an event with a prompt',
      {
        events: [...good.events, event(1, { detail: JSON.stringify(detailOf(1, { metadata: { a: wanted.prompt } })) })],
      },
      /contains a prompt/,
    ],
    [
      'an event with a URL',
      { events: [...good.events, event(1, { detail: JSON.stringify(detailOf(1, { model: 'https://a.example' })) })] },
      /contains https:/,
    ],
    [
      'an event with an unknown field',
      { events: [...good.events, event(1, { detail: JSON.stringify(detailOf(1, { task_id: 'a' })) })] },
      /does not match the schema/,
    ],
    ['an event of another type', { events: [...good.events, event(1, { type: typeOf(2) })] }, /has the type/],
    ['an ending that did not arrive', { arrivals: [arrival(1)] }, /did not get the ending 2/],
    [
      'an ending that was never acknowledged',
      { arrivals: [arrival(1), arrival(2, { acknowledged: false })] },
      /did not get the ending 2/,
    ],
    [
      'a webhook without a valid signature',
      { arrivals: [...good.arrivals, arrival(2, { verified: false })] },
      /no valid signature/,
    ],
    [
      'a webhook before its record',
      { arrivals: [arrival(1), arrival(2, { timeline: timeline.slice(0, 1) })] },
      /webhook msg.* came before its record/,
    ],
    ["another owner's webhook", { arrivals: [...good.arrivals, arrival(2, { path: '/bob' })] }, /arrived at \/bob/],
    [
      'a webhook with another id',
      { arrivals: [...good.arrivals, arrival(2, { message_id: 'msg_1' })] },
      /id of another/,
    ],
    ['another request to the receiver', { unexpectedRequests: ['GET /redirected/ann'] }, /got GET/],
    [
      'an older event after a newer one',
      { arrivals: [...good.arrivals, arrival(1, { at: received + 15_006 })] },
      /\(1\) arrived after 2 was delivered/,
    ],
    ['a pending delivery', { deliveries: [delivery(2, { state: 'pending' })] }, /delivery of .* \(2\) is pending/],
    ['a failed delivery', { deliveries: [delivery(2, { state: 'failed' })] }, /is failed/],
    ['a delivery in the index', { deliveries: [delivery(2, { open_status: 'delivery' })] }, /and in the index/],
    ['a delivery that was dropped for nothing', { deliveries: [delivery(2, { state: 'dropped' })] }, /without a newer/],
    ['an unexpected video', { videos: new Map([...good.videos, ['two', record]]) }, /the video two is unexpected/],
  ];
  test.each(cases)('%s', async (_name, change, expected) => {
    expect((await judge({ ...good, ...change }, [submitted])).join('\n')).toMatch(expected);
  });

  test('a webhook with an event that is not subscribed', async () => {
    const others = { ...submitted, wanted: { ...wanted, owner: 'bob' } };
    expect((await judge(good, [others])).join('\n')).toMatch(/has the status archiving, which is not subscribed/);
  });

  test('an event that was requested again but did not arrive again', async () => {
    const again = { ...submitted, redelivered: { sequence: 1, at: received + 1 } };
    expect((await judge(good, [again])).join('\n')).toMatch(/did not get the event 1 of .* again/);
    const arrivals = [...good.arrivals, arrival(1, { at: received + 60_000 })];
    expect(await judge({ ...good, arrivals }, [again])).toEqual([]);
  });
});
