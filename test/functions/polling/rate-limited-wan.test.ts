import { beforeEach, expect, test } from 'vitest';
import { rateLimitedWan, wanWithMetrics } from '../../../functions/polling/rate-limited-wan.ts';
import type { RecordMetric } from '../../../functions/shared/metrics.ts';
import type { WanClient } from '../../../functions/wan/client/client.ts';
import { startTable } from '../../support/table.ts';
import { scriptedWan } from '../workflow/support.ts';

const clock = { now: 0 };
let measured: unknown[][];
const store = startTable(() => clock.now);
beforeEach(() => {
  clock.now += 3600_000;
  measured = [];
});

const recordMetric: RecordMetric = (...figure) => measured.push(figure);
const list = { model: 'wan2.6-i2v', start_time: '2026-01-01T00:00:00Z', end_time: '2026-01-01T00:01:00Z' } as const;
const request = { model: 'wan2.6-i2v', input: { media: [] }, parameters: {} } as never;
const upload = { model: 'wan2.6-i2v', name: 'x', bytes: new Uint8Array(), content_type: 'image/png' } as const;

function limited(given: Partial<WanClient> = {}) {
  const waits: number[] = [];
  const sleep = async (milliseconds: number) => void waits.push(milliseconds);
  const wan = { ...scriptedWan(() => clock.now).wan, ...given };
  return {
    wan: rateLimitedWan(wanWithMetrics(wan, recordMetric), { table: store.table, perSecond: 10, sleep }),
    waits,
  };
}

test('all kinds of queries share one rate limit', async () => {
  const { wan, waits } = limited();
  await wan.queryTask('a');
  await wan.listTasks(list);
  await wan.queryTask('b');
  expect(waits).toEqual([0, 100, 200]);
});

test('a query without a slot within 20 s is not sent and not counted as throttled by Wan', async () => {
  let sent = 0;
  const { wan } = limited({
    async queryTask(task_id) {
      sent++;
      return { outcome: 'task', task_id, status: 'RUNNING' };
    },
  });
  const answers = await Promise.all(Array.from({ length: 220 }, () => wan.queryTask('a')));
  const refused = answers.filter(({ outcome }) => outcome === 'throttled');
  expect(refused[0]).toMatchObject({ code: 'rate_limited_here', retryable: true, billed: false });
  // 0, 100, …, 20,000 ms.
  expect({ sent, refused: refused.length }).toEqual({ sent: 201, refused: 19 });
  expect(measured).toEqual([]);
});

test('submissions and uploads do not count as queries', async () => {
  const { wan, waits } = limited();
  await wan.createTask(request);
  await wan.uploadFile(upload);
  expect(waits).toEqual([]);
});

test('counts throttled calls by operation and refusals of the account by reason', async () => {
  const throttled = { outcome: 'throttled', code: 'Throttling', message: '', retryable: true, billed: false } as const;
  const accountRefused = {
    outcome: 'account_refused',
    reason: 'arrears',
    code: 'Arrearage',
    message: 'secret',
    retryable: true,
    billed: false,
  } as const;
  const { wan } = limited({
    createTask: async () => accountRefused,
    queryTask: async () => throttled,
    listTasks: async () => throttled,
    uploadFile: async () => throttled,
  });
  await wan.createTask(request);
  await wan.queryTask('a');
  await wan.listTasks(list);
  await wan.uploadFile(upload);
  expect(measured).toEqual([
    ['QueuePaused', 1, { reason: 'arrears' }],
    ['WanThrottled', 1, { operation: 'query' }],
    ['WanThrottled', 1, { operation: 'list' }],
    ['WanThrottled', 1, { operation: 'upload' }],
  ]);
});
