import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSpending } from '../../functions/ledger/spending.ts';
import { readModelQueue } from '../../functions/queue/model-queue.ts';
import { readTombstone } from '../../functions/video/deletion.ts';
import { isLegalTransition, monthOf } from '../../functions/video/record.ts';
import { startTable } from '../support/table.ts';
import { type Decision, decisions } from './interleavings-stage.ts';
import { isPaid } from './interleavings-wan.ts';
import { aWorld, type Beginning, type Deed } from './interleavings-world.ts';
import { versionedBuckets } from './versioned-buckets.ts';
import { limitsByClock } from './workflow/support.ts';

/** The same histories each time, so that `npm test` fails only for what was changed; `npm run test:faults` draws others, and more. */
const SEED = 20_260_310;
const seed = Number(process.env.INTERLEAVINGS_SEED ?? SEED);
/** How many histories each property is tried with. */
const numRuns = Number(process.env.INTERLEAVINGS ?? 6);

let storage: Awaited<ReturnType<typeof versionedBuckets>>;
beforeAll(async () => {
  storage = await versionedBuckets();
});
afterAll(() => storage.close());

interface History {
  decided: readonly Decision[];
  moods: readonly number[];
}
const histories = fc.record<History>({
  decided: decisions,
  moods: fc.array(fc.nat({ max: 39 }), { maxLength: 30, size: 'max' }),
});

/** Plays one history and looks whether anything came out of it that never may. */
async function holds(beginning: Beginning, cast: readonly Deed[], history: History): Promise<void> {
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  const month = monthOf(clock.now);
  const limits = limitsByClock(clock);
  const store = await startTable(() => clock.now);
  try {
    const { table } = store;
    const world = await aWorld({ table, s3: storage.s3, clock }, { beginning });
    await world.play(cast, history);
    const end = await world.settle();
    const { video, tasks, answers } = world;
    const answered = (deed: Deed, status: number) =>
      answers.some((each) => each.deed === deed && each.status === status);
    expect(world.surprises, 'nobody meets a surprise').toEqual([]);
    expect(world.issues).toEqual([]);

    const last = end ?? world.buried();
    expect(last, 'a video stands, or was buried').toBeDefined();
    const paid = tasks.filter(isPaid).map(({ task_id }) => task_id);
    expect(paid, 'no task that Wan made is forgotten, none is paid beside it, and none by a canceled video').toEqual(
      last?.status === 'succeeded' ? [last.task?.id] : [],
    );
    const steps = last!.timeline.map(({ status }) => status);
    const illegal = steps.slice(1).filter((to, index) => !isLegalTransition(steps[index]!, to));
    expect({ steps, illegal }, 'statuses move as they may').toEqual({ steps, illegal: [] });
    expect([...(await readModelQueue(table, video.model)).running], 'every permit is free').toEqual([]);
    const { reserved, spent } = await readSpending(table, video.owner, month);
    expect({ reserved, spent }, 'what was paid is counted once').toEqual({ reserved: 0, spent: 0.1 * paid.length });

    if (answered('delete', 204)) expect(end, 'what was deleted stays deleted').toBeUndefined();
    if (answered('cancel', 200) && !cast.includes('retry')) {
      expect(last!.status, 'what was canceled stays canceled').toBe('canceled');
    }
    if (end) return;
    expect(await readTombstone(table, video.id)).toBeDefined();
    expect(await storage.objectsOf(video.id), 'a deleted video leaves no object').toEqual([]);
  } finally {
    limits.mockRestore();
    await store.close();
  }
}

const property = (name: string, beginning: Beginning, cast: fc.Arbitrary<readonly Deed[]>) =>
  test(name, { timeout: 600_000 }, () =>
    fc.assert(
      fc.asyncProperty(cast, histories, (deeds, history) => holds(beginning, deeds, history)),
      { numRuns, seed },
    ),
  );
const always = (...cast: Deed[]) => fc.constant(cast);

describe(`whatever comes in whatever order, nothing is paid twice, lost or left behind (INTERLEAVINGS_SEED=${seed})`, () => {
  property('cancel while creating', 'submitting', always('cancel', 'create again'));
  property('cancel while checking', 'running', always('cancel', 'check again'));
  property('two cancels', 'running', always('cancel', 'cancel'));
  property('delete while archiving', 'archiving', always('delete', 'delete', 'archive again'));
  property('retry while record-failure still gives back', 'failing', always('retry'));
  property('two retries', 'failing', always('retry', 'retry'));
  property('delete of a waiting video while it is dispatched', 'queued', always('delete', 'dispatch', 'dispatch'));
  property('cancel, retry and delete at once', 'submitting', always('cancel', 'retry', 'delete'));
  property(
    'anybody, at any time',
    'queued',
    fc.array(
      fc.constantFrom<Deed>(
        'cancel',
        'retry',
        'delete',
        'sweep',
        'dispatch',
        'create again',
        'check again',
        'archive again',
      ),
      { minLength: 2, maxLength: 6 },
    ),
  );
});
