import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { NO_TURN, pacedWan } from '../../../functions/polling/rate-limited-wan.ts';
import type { Measure } from '../../../functions/shared/metrics.ts';
import type { WanClient } from '../../../functions/wan/client/client.ts';
import { startTable } from '../../support/table.ts';
import { scriptedWan } from '../workflow/support.ts';

const clock = { now: 0 };
let store: Awaited<ReturnType<typeof startTable>>;
let measured: unknown[][];
beforeAll(async () => {
  store = await startTable(() => clock.now);
});
afterAll(() => store.close());
beforeEach(() => {
  clock.now += 3600_000;
  measured = [];
});

const measure: Measure = (...figure) => measured.push(figure);
const list = { model: 'wan2.6-i2v', start_time: '2026-01-01T00:00:00Z', end_time: '2026-01-01T00:01:00Z' } as const;
const request = { model: 'wan2.6-i2v', input: { img_url: 'x' }, parameters: {} } as never;
const upload = { model: 'wan2.6-i2v', name: 'x', bytes: new Uint8Array(), content_type: 'image/png' } as const;

function paced(given: Partial<WanClient> = {}) {
  const waits: number[] = [];
  const sleep = async (milliseconds: number) => void waits.push(milliseconds);
  const wan = { ...scriptedWan(() => clock.now).wan, ...given };
  return { wan: pacedWan(wan, { table: store.table, measure, sleep }), waits };
}

test('questions of every kind take turns at one clock', async () => {
  const { wan, waits } = paced();
  await wan.queryTask('a');
  await wan.listTasks(list);
  await wan.queryTask('b');
  expect(waits).toEqual([0, 72, 144]);
});

test('a question without a turn within two seconds is not asked, and is nothing that Wan throttled', async () => {
  let asked = 0;
  const { wan } = paced({
    queryTask: async (task_id) => ({ outcome: 'task', task_id, status: 'RUNNING', at: ++asked }) as never,
  });
  const answers = await Promise.all(Array.from({ length: 50 }, () => wan.queryTask('a')));
  const refused = answers.filter(({ outcome }) => outcome === 'throttled');
  expect(refused[0]).toMatchObject({ code: NO_TURN });
  expect(asked).toBe(50 - refused.length);
  expect(asked).toBeLessThanOrEqual(29);
  expect(measured).toEqual([]);
});

test('submits and uploads have clocks of their own', async () => {
  const { wan, waits } = paced();
  await wan.createTask(request);
  await wan.uploadFile(upload);
  expect(waits).toEqual([]);
});

test('what Wan throttles is measured by operation, and what it refuses the account by reason', async () => {
  const throttled = { outcome: 'throttled', code: 'Throttling', message: '', retryable: true, billed: false } as const;
  const held = {
    outcome: 'held',
    reason: 'arrears',
    code: 'Arrearage',
    message: 'secret',
    retryable: true,
    billed: false,
  } as const;
  const { wan } = paced({
    createTask: async () => held,
    queryTask: async () => throttled,
    listTasks: async () => throttled,
    uploadFile: async () => throttled,
  });
  await wan.createTask(request);
  await wan.queryTask('a');
  await wan.listTasks(list);
  await wan.uploadFile(upload);
  expect(measured).toEqual([
    ['LaneHeld', 1, { reason: 'arrears' }],
    ['WanThrottled', 1, { operation: 'query' }],
    ['WanThrottled', 1, { operation: 'list' }],
    ['WanThrottled', 1, { operation: 'upload' }],
  ]);
});
