import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { busEvent, objectEvent } from '../../../local/aws/events/event.ts';
import { createEventBus, type RuleDefinition, schedulePeriod } from '../../../local/aws/events/event-bus.ts';
import { compilePattern } from '../../../local/aws/events/pattern.ts';
import { putEvents } from '../../../local/aws/events/put-events.ts';
import { createQueues } from '../../../local/aws/sqs/queues.ts';
import { manualClock, temporaryDirectory } from './support.ts';

describe('an event pattern', () => {
  const event = {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    resources: ['arn:aws:s3:::a', 'arn:aws:s3:::b'],
    detail: { bucket: { name: 'uploads' }, object: { key: 'drop/Cat.PNG', size: 42 }, flag: false, none: null },
  };

  test.each<[boolean, Record<string, unknown>]>([
    [true, { source: ['aws.s3'] }],
    [true, { source: ['other', 'aws.s3'], detail: { bucket: { name: ['uploads'] } } }],
    [false, { source: ['aws.s3'], detail: { bucket: { name: ['videos'] } } }],
    [true, { resources: ['arn:aws:s3:::b'] }],
    [true, { detail: { flag: [false], none: [null] } }],
    [false, { detail: { flag: ['false'] } }],
    [true, { detail: { object: { key: [{ prefix: 'drop/' }] } } }],
    [false, { detail: { object: { key: [{ prefix: 'drop/c' }] } } }],
    [false, { detail: { object: { size: [{ prefix: '4' }] } } }],
    [false, { detail: { object: { version: [{ prefix: '' }], toString: [{ prefix: '' }] } } }],
    [false, { source: { name: ['aws.s3'] } }],
  ])('%s: %j', (matches, pattern) => {
    expect(compilePattern(pattern)(event)).toBe(matches);
  });

  test.each([
    [{ detail: { ip: [{ cidr: '10.0.0.0/8' }] } }, 'detail.ip'],
    [{ $or: [{ source: ['a'] }] }, '$or'],
    [{ source: 'aws.s3' }, 'source'],
    [{ detail: { size: [{ numeric: ['>', 3] }] } }, 'detail.size'],
    [{ detail: { key: [{ prefix: 'a', suffix: 'b' }] } }, 'detail.key'],
    [{ detail: { key: [{ prefix: { 'equals-ignore-case': 'a' } }] } }, 'detail.key'],
  ])('%j is rejected with its path', (pattern, place) => {
    expect(() => compilePattern(pattern)).toThrow(place);
  });
});

describe('a schedule', () => {
  test.each([
    ['rate(1 minute)', 60_000],
    ['rate(5 minutes)', 300_000],
    ['rate(2 hours)', 7_200_000],
  ])('%s', (expression, period) => expect(schedulePeriod(expression)).toBe(period));

  test.each(['cron(0 12 * * ? *)', 'rate(0 minutes)', 'at(2026-01-01T00:00:00)'])('%s is rejected', (expression) => {
    expect(() => schedulePeriod(expression)).toThrow(expression);
  });
});

const queueArn = 'arn:aws:sqs:us-east-1:000000000000:work';

function busWith(
  rules: Partial<RuleDefinition>[],
  accept?: (functionArn: string, payload: string) => Promise<unknown>,
) {
  const clock = manualClock();
  const directory = temporaryDirectory();
  const accepted: { functionArn: string; event: Record<string, unknown>; volatile: boolean }[] = [];
  const bus = createEventBus({
    clock,
    buses: ['videos'],
    rules: rules.map((rule, index) => ({
      name: `rule-${index}`,
      bus: 'default',
      arn: `arn:rule-${index}`,
      targets: [{ arn: `f${index}` }],
      ...rule,
    })),
    accept:
      accept ??
      (async (functionArn, payload, { volatile }) =>
        accepted.push({ functionArn, event: JSON.parse(payload), volatile })),
    queues: createQueues({
      directory,
      now: clock.now,
      queues: [
        { arn: 'arn:dead', name: 'dead' },
        { arn: queueArn, name: 'work' },
      ],
    }),
  });
  const sentTo = (queue: string) => readFileSync(path.join(directory, `${queue}.jsonl`), 'utf8');
  return { bus, clock, accepted, sentTo, deadLetters: () => sentTo('dead') };
}
const event = busEvent(
  { source: 'us', 'detail-type': 'Made', resources: [], detail: { id: 7 } },
  Date.parse('2026-01-31T12:00:00.999Z'),
);

describe('the event bus', () => {
  test('delivers an event to every target of every matching rule', async () => {
    const { bus, accepted } = busWith([
      { event_pattern: { source: ['us'] } },
      { event_pattern: { source: ['them'] } },
      {
        event_pattern: { source: ['us'] },
        targets: [{ arn: 'a' }, { arn: 'c' }],
      },
      { schedule_expression: 'rate(1 minute)' },
    ]);
    await bus.put(event);
    expect(accepted.map(({ functionArn }) => functionArn)).toEqual(['f0', 'a', 'c']);
    const delivered = {
      ...event,
      time: '2026-01-31T12:00:00Z',
      version: '0',
      account: '000000000000',
      region: 'us-east-1',
    };
    for (const { event: received, volatile } of accepted) expect([received, volatile]).toEqual([delivered, false]);
  });

  test('rejects an event that a target did not accept', async () => {
    const { bus } = busWith([{ event_pattern: { source: ['us'] } }], async () =>
      Promise.reject(new Error('disk full')),
    );
    await expect(bus.put(event)).rejects.toThrow('disk full');
  });

  test('sends an event that a target did not accept to its dead-letter queue', async () => {
    const { bus, deadLetters } = busWith(
      [{ event_pattern: { source: ['us'] }, targets: [{ arn: 'f', dead_letter_arn: 'arn:dead' }] }],
      async () => Promise.reject(new Error('too large')),
    );
    await bus.put(event);
    const { body, attributes } = JSON.parse(deadLetters());
    expect([JSON.parse(body).detail, attributes.ERROR_MESSAGE]).toEqual([{ id: 7 }, 'too large']);
  });

  test('sends an event to a queue as the body of a message', async () => {
    const targets = [{ arn: queueArn }];
    const { bus, accepted, sentTo } = busWith([{ bus: 'videos', event_pattern: { source: ['us'] }, targets }]);
    await bus.put(event, 'videos');
    const lines = sentTo('work').trim().split('\n');
    expect(lines.map((line) => JSON.parse(JSON.parse(line).body))).toEqual([event]);
    expect(accepted).toEqual([]);
  });

  test('runs a schedule one second after the start and then once per period', () => {
    const { bus, clock, accepted } = busWith([{ schedule_expression: 'rate(1 minute)' }]);
    bus.start();
    clock.advance(1000);
    expect(accepted).toHaveLength(1);
    clock.advance(59_999);
    expect(accepted).toHaveLength(1);
    clock.advance(1);
    clock.advance(60_000);
    expect(accepted).toHaveLength(3);
    // A tick need not be on disk: the next start has another one.
    expect(accepted[0]?.volatile).toBe(true);
    expect(accepted[0]?.event).toMatchObject({
      source: 'aws.events',
      'detail-type': 'Scheduled Event',
      resources: ['arn:rule-0'],
      detail: {},
    });
    bus.close();
    clock.advance(600_000);
    expect(accepted).toHaveLength(3);
  });

  test('rejects an unsupported rule by name', () => {
    expect(() => busWith([{ schedule_expression: 'cron(0 12 * * ? *)' }])).toThrow('rule-0');
    expect(() => busWith([{ event_pattern: { source: [{ odd: 1 }] } }])).toThrow('rule-0');
  });
});

test('an object’s event has S3’s format', () => {
  const change = {
    name: 'ObjectCreated',
    reason: 'PutObject',
    bucket: 'uploads',
    key: 'drop/ü.png',
    version_id: 'v1',
    size: 3,
    etag: 'abc',
    sequencer: '00AB',
  } as const;
  expect(objectEvent(change, Date.parse('2026-01-31T12:00:00Z'))).toMatchObject({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    resources: ['arn:aws:s3:::uploads'],
    detail: {
      version: '0',
      bucket: { name: 'uploads' },
      object: { key: 'drop/ü.png', size: 3, etag: 'abc', 'version-id': 'v1', sequencer: '00AB' },
      reason: 'PutObject',
    },
  });
});

test('a rule of another bus gets only the events of that bus', async () => {
  const { bus, accepted } = busWith([
    { event_pattern: { source: ['us'] } },
    { bus: 'videos', event_pattern: { source: ['us'] } },
  ]);
  await bus.put(event, 'videos');
  expect(accepted.map(({ functionArn }) => functionArn)).toEqual(['f1']);
  await bus.put(event);
  expect(accepted.map(({ functionArn }) => functionArn)).toEqual(['f1', 'f0']);
  expect([bus.has('default'), bus.has('videos'), bus.has('other')]).toEqual([true, true, false]);
});

describe('PutEvents', () => {
  const put = (entries: object[]) =>
    putEvents(
      { Entries: entries },
      { bus: { put: async () => {}, has: (name) => ['default', 'videos'].includes(name) }, now: () => 0 },
    );
  const good = { Source: 'us', DetailType: 'Made', Detail: '{"a":1}' };

  test('returns a result for each entry', async () => {
    const { FailedEntryCount, Entries } = await put([
      good,
      { ...good, Detail: '[1' },
      { ...good, Source: 'aws.s3' },
      { Source: 'us' },
    ]);
    expect(FailedEntryCount).toBe(3);
    expect(Entries).toMatchObject([
      { EventId: expect.any(String) },
      { ErrorCode: 'MalformedDetail' },
      { ErrorCode: 'NotAuthorizedForSourceException' },
      { ErrorCode: 'InvalidArgument' },
    ]);
  });

  test('rejects more than ten entries and any other bus', async () => {
    await expect(put(Array.from({ length: 11 }, () => good))).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(put([{ ...good, EventBusName: 'other' }])).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});
