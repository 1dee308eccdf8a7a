import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { companyOf, type LookingServices, sharedLook } from '../../../functions/polling/shared-look.ts';
import { type Look, readLook } from '../../../functions/polling/task-snapshot.ts';
import { claimPermit } from '../../../functions/queue/model-queue.ts';
import type { ListQuery } from '../../../functions/wan/client/list-tasks.ts';
import { startTable } from '../../support/table.ts';

const model = 'wan2.6-i2v';
const clock = { now: 0 };
let store: Awaited<ReturnType<typeof startTable>>;
let questions: ListQuery[];
beforeAll(async () => {
  store = await startTable(() => clock.now);
});
afterAll(() => store.close());
beforeEach(() => {
  // Long after whatever the test before has looked at.
  clock.now += 3600_000;
  questions = [];
});

/** A Wan whose tasks, newest first, stand as given; a hundred to a page. */
function looking(tasks: readonly (readonly [id: string, status: string])[]): LookingServices {
  return {
    table: store.table,
    sleep: async (milliseconds) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      clock.now += milliseconds;
    },
    wan: {
      async listTasks(query) {
        questions.push(query);
        const { status, page_no = 1, page_size = 10 } = query;
        const rows = tasks.filter((row) => status === undefined || row[1] === status);
        const page = rows.slice((page_no - 1) * page_size, page_no * page_size);
        return {
          outcome: 'tasks',
          tasks: page.map(([task_id, stood]) => ({ task_id, status: stood })),
          page_no,
          total_page: Math.ceil(rows.length / page_size),
        };
      },
    },
  };
}

const permits = async (count: number) => {
  const lane = { model, permits: 2000, submit_interval_ms: 1 };
  for (let index = 0; index < count; index++) await claimPermit(store.table, lane, { id: `v${index}`, owner: 'alice' });
};

/** The look that is had. */
async function seen(services: LookingServices): Promise<Look> {
  const look = await sharedLook(services, model);
  if (!look || look === 'soon') throw new Error('There is no look.');
  return look;
}
const later = () => new Promise((resolve) => setTimeout(resolve, 200, 'later'));

test('one task alone is worth no look', async () => {
  await permits(1);
  expect(await sharedLook(looking([['a', 'RUNNING']]), model)).toBeUndefined();
  expect(questions).toEqual([]);
});

describe('with several tasks', () => {
  beforeEach(() => permits(3));

  test('one page of the newest tells which go on, and nothing of one that has ended', async () => {
    const services = looking([
      ['a', 'RUNNING'],
      ['b', 'PENDING'],
      ['c', 'SUCCEEDED'],
      ['d', 'FAILED'],
    ]);
    const look = await seen(services);
    expect(['a', 'b', 'c', 'd', 'e'].map(look.statusOf)).toEqual([
      'RUNNING',
      'PENDING',
      undefined,
      undefined,
      undefined,
    ]);
    expect(companyOf(look)).toBe('few');
    expect(questions).toMatchObject([{ model, page_no: 1, page_size: 100 }]);
    expect(questions[0]).not.toHaveProperty('status');
  });

  test('twenty that ask at once cost one question', async () => {
    const services = looking([
      ['a', 'RUNNING'],
      ['b', 'RUNNING'],
    ]);
    const looks = await Promise.all(Array.from({ length: 20 }, () => sharedLook(services, model)));
    expect(looks.map((look) => look !== 'soon' && look?.statusOf('a'))).toEqual(
      Array.from({ length: 20 }, () => 'RUNNING'),
    );
    expect(questions).toHaveLength(1);
  });

  test('a look is not believed for longer than a moment', async () => {
    const tasks: [string, string][] = [
      ['a', 'RUNNING'],
      ['b', 'RUNNING'],
    ];
    await sharedLook(looking(tasks), model);
    clock.now += 500;
    await sharedLook(looking(tasks), model);
    expect(questions).toHaveLength(1);
    clock.now += 500;
    tasks[0]![1] = 'SUCCEEDED';
    expect((await seen(looking(tasks))).statusOf('a')).toBeUndefined();
    expect(questions).toHaveLength(2);
  });

  test('a look from the future, before the clock was set back, is not believed', async () => {
    const services = looking([
      ['a', 'RUNNING'],
      ['b', 'RUNNING'],
    ]);
    clock.now += 1800_000;
    await seen(services);
    clock.now -= 1800_000;
    const look = await sharedLook(services, model);
    expect(look).toSatisfy((had?: Look) => had === undefined || had.made_at <= clock.now);
  });

  test('a list of more pages than there are turns for is not begun, and no size that Wan tells breaks a check', async () => {
    await permits(60);
    let asked = 0;
    const { wan, ...services } = looking([]);
    for (const total_page of [1000, 1e12, -1, 0.5]) {
      const listTasks: typeof wan.listTasks = async ({ page_no = 1 }) => {
        asked++;
        return { outcome: 'tasks', tasks: [], page_no, total_page };
      };
      clock.now += 60_000;
      await sharedLook({ ...services, wan: { listTasks } }, model);
    }
    expect(asked).toBeLessThan(10);
  });

  test('a Wan that does not answer leaves no look, and nobody waits for ever', async () => {
    const services = looking([]);
    const throttled = { outcome: 'throttled', code: 'X', message: '', retryable: true, billed: false } as const;
    const silent = { ...services, wan: { listTasks: async () => throttled } };
    const looks = await Promise.all(Array.from({ length: 5 }, () => sharedLook(silent, model)));
    expect(looks).toEqual(Array.from({ length: 5 }, () => undefined));
  });
});

test('many are listed by status, page by page: pending first, so that one that begins to run meanwhile is seen', async () => {
  await permits(60);
  const tasks = Array.from({ length: 260 }, (_, index) => [`t${index}`, index < 30 ? 'PENDING' : 'RUNNING'] as const);
  const ended = Array.from({ length: 500 }, (_, index) => [`e${index}`, 'SUCCEEDED'] as const);
  const look = await seen(looking([...ended, ...tasks]));
  for (const [id, status] of tasks) expect(look.statusOf(id)).toBe(status);
  expect(companyOf(look)).toBe('many');
  expect(questions.map(({ status, page_no }) => [status, page_no])).toEqual([
    ['PENDING', 1],
    ['RUNNING', 1],
    ['RUNNING', 2],
    ['RUNNING', 3],
  ]);
  // While somebody repeats it, the others are served by it.
  clock.now += 3000;
  const never = { ...looking([]), wan: { listTasks: () => new Promise<never>(() => undefined) } };
  void sharedLook(never, model);
  await expect.poll(async () => (await seen(looking([]))).made_at).toBe(look.made_at);
  expect(await readLook(store.table, model)).toMatchObject({ made_at: look.made_at });
  // They write nothing: an item that says so much of so many is dear to write, even where its condition does not hold.
  let writes = 0;
  const client = {
    send: (command: object) => {
      if (command instanceof UpdateCommand) writes++;
      return store.table.client.send(command as never);
    },
  } as typeof store.table.client;
  await seen({ ...looking([]), table: { ...store.table, client } });
  expect(writes).toBe(0);
  // When that takes long, they come again; when it takes too long, they ask for themselves.
  clock.now += 9000;
  void sharedLook(never, model);
  await expect.poll(() => sharedLook(never, model)).toBe('soon');
  clock.now += 25_000;
  void sharedLook(never, model);
  await expect.poll(() => Promise.race([sharedLook(never, model), later()])).toBeUndefined();
});
