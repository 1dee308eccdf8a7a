import { expect, test } from 'vitest';
import { type Dispatcher, dispatch } from '../../../functions/queue/dispatch.ts';
import { claimPermit, readModelQueue } from '../../../functions/queue/model-queue.ts';
import { type QueueSnapshot, queuePosition } from '../../../functions/queue/position.ts';
import { releaseResources } from '../../../functions/queue/release.ts';
import { readQueue } from '../../../functions/queue/waiting.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { scriptedExecutions } from '../workflow/support.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const clock = { now: start };
const store = startTable(() => ++clock.now);

/** Returns a model queue with one permit, whose videos end when they start. */
function newQueue(model: string) {
  const dispatcher: Dispatcher = {
    table: store.table,
    workflow: scriptedExecutions().workflow,
    limitsOf: () => ({ model, permits: 1, submit_interval_ms: 1 }),
  };
  return {
    async add(owner: string): Promise<VideoRecord> {
      const video = aVideo({ model, owner }, ++clock.now);
      await createVideo(store.table, video);
      return video;
    },
    async snapshot(): Promise<QueueSnapshot> {
      const model_queue = await readModelQueue(store.table, model);
      return { model_queue, queue: await readQueue(store.table, model, model_queue.running) };
    },
    /** @returns the id of the started video, undefined when no video waits */
    async serve(): Promise<string | undefined> {
      const [id] = await dispatch(dispatcher, model, { limit: 1 });
      if (!id) return undefined;
      const ended = (await changeStatus(store.table, (await readVideo(store.table, id))!, 'failed'))!;
      await releaseResources(store.table, ended, ended);
      return id;
    },
  };
}

test.each([1, 2, 3, 4])('positions match the order of dispatch (seed %i)', async (seed) => {
  const random = seededRandom(seed);
  const own = newQueue(`served-${seed}`);
  const owners = ['alice', 'bob', 'carol', 'dave', 'erin'];
  const videos: VideoRecord[] = [];
  for (let count = 0; count < 25; count++) {
    // Some videos are started before the snapshot, at various times.
    if (random() < 0.2) videos.splice(0, videos.length, ...without(videos, await own.serve()));
    videos.push(await own.add(owners[Math.floor(random() ** 2 * owners.length)]!));
  }
  const snapshot = await own.snapshot();
  const positions = videos.map((video) => ({ id: video.id, position: queuePosition(snapshot, video)! }));
  const served: string[] = [];
  for (let id = await own.serve(); id; id = await own.serve()) served.push(id);
  const expected = positions.toSorted((one, other) => one.position - other.position);
  expect(expected.map(({ position }) => position)).toEqual(videos.map((_, index) => index + 1));
  expect(served).toEqual(expected.map(({ id }) => id));
});
const without = (videos: VideoRecord[], served: string | undefined) => videos.filter(({ id }) => id !== served);

const aSnapshot = (
  queue: Record<string, readonly string[]>,
  given: Partial<QueueSnapshot['model_queue']> = {},
): QueueSnapshot => ({
  queue: { owners: new Map(Object.entries(queue)), isWhole: true },
  model_queue: { running: new Set(), served: new Map(), ...given },
});
const positions = (count: number) => Array.from({ length: count }, (_, index) => `2026-01-01T00:00:${10 + index}Z#x`);
const queued = (owner: string, created_at: string) => ({ id: 'own', owner, created_at });

test("a thousand videos of one owner count as one before another owner's first", () => {
  const thousand = Array.from({ length: 1000 }, (_, index) => `2025-01-01T00:00:00.${1000 + index}Z#x`);
  const snapshot = aSnapshot({ alice: thousand });
  expect(queuePosition(snapshot, queued('bob', '2026-01-01T00:00:00Z'))).toBe(2);
  const served = aSnapshot({ alice: thousand }, { served: new Map([['alice', 1]]) });
  expect(queuePosition(served, queued('bob', '2026-01-01T00:00:00Z'))).toBe(1);
});

test('a video missing from the snapshot gets the position that it will have', () => {
  const snapshot = aSnapshot({ alice: positions(3), bob: positions(3) });
  expect(queuePosition(snapshot, queued('alice', '2026-01-02T00:00:00Z'))).toBe(7);
  // A retried video is older and comes first.
  expect(queuePosition(snapshot, queued('alice', '2025-01-01T00:00:00Z'))).toBe(1);
});

test('returns no position when the snapshot is incomplete', () => {
  const snapshot = aSnapshot({ alice: positions(3) });
  const part: QueueSnapshot = { ...snapshot, queue: { ...snapshot.queue, isWhole: false } };
  expect(queuePosition(part, queued('alice', '2026-01-02T00:00:00Z'))).toBeUndefined();
});

test('ignores videos with a permit that the index still shows', async () => {
  const own = newQueue('started');
  const [first, second] = [await own.add('alice'), await own.add('alice')];
  await claimPermit(store.table, { model: 'started', permits: 5, submit_interval_ms: 1 }, first);
  expect(queuePosition(await own.snapshot(), second)).toBe(1);
});
