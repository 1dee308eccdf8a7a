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

/** A lane with one permit, whose videos end as soon as they begin. */
function lane(model: string) {
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
    async look(): Promise<QueueSnapshot> {
      const state = await readModelQueue(store.table, model);
      return { model_queue: state, queue: await readQueue(store.table, model, state.running) };
    },
    /** @returns the id of the video that was served, undefined when nobody waits */
    async serve(): Promise<string | undefined> {
      const [id] = await dispatch(dispatcher, model, { limit: 1 });
      if (!id) return undefined;
      const ended = (await changeStatus(store.table, (await readVideo(store.table, id))!, 'failed'))!;
      await releaseResources(store.table, ended, ended);
      return id;
    },
  };
}

test.each([1, 2, 3, 4])('positions are the order in which the dispatcher serves (seed %i)', async (seed) => {
  const random = seededRandom(seed);
  const own = lane(`served-${seed}`);
  const owners = ['alice', 'bob', 'carol', 'dave', 'erin'];
  const videos: VideoRecord[] = [];
  for (let count = 0; count < 25; count++) {
    // Some have been served before the look, each at another time.
    if (random() < 0.2) videos.splice(0, videos.length, ...(await unserved(videos, await own.serve())));
    videos.push(await own.add(owners[Math.floor(random() ** 2 * owners.length)]!));
  }
  const look = await own.look();
  const positions = videos.map((video) => ({ id: video.id, position: queuePosition(look, video)! }));
  const served: string[] = [];
  for (let id = await own.serve(); id; id = await own.serve()) served.push(id);
  const foretold = positions.toSorted((one, other) => one.position - other.position);
  expect(foretold.map(({ position }) => position)).toEqual(videos.map((_, index) => index + 1));
  expect(served).toEqual(foretold.map(({ id }) => id));
});
const unserved = (videos: VideoRecord[], served: string | undefined) => videos.filter(({ id }) => id !== served);

const aLook = (
  queue: Record<string, readonly string[]>,
  given: Partial<QueueSnapshot['model_queue']> = {},
): QueueSnapshot => ({
  queue: { owners: new Map(Object.entries(queue)), isWhole: true },
  model_queue: { running: new Set(), served: new Map(), ...given },
});
const places = (count: number) => Array.from({ length: count }, (_, index) => `2026-01-01T00:00:${10 + index}Z#x`);
const queued = (owner: string, created_at: string) => ({ id: 'own', owner, created_at });

test('a thousand of one owner are one place for the first of another', () => {
  const thousand = Array.from({ length: 1000 }, (_, index) => `2025-01-01T00:00:00.${1000 + index}Z#x`);
  const look = aLook({ alice: thousand });
  expect(queuePosition(look, queued('bob', '2026-01-01T00:00:00Z'))).toBe(2);
  const served = aLook({ alice: thousand }, { served: new Map([['alice', 1]]) });
  expect(queuePosition(served, queued('bob', '2026-01-01T00:00:00Z'))).toBe(1);
});

test('a video that the look does not show yet has the place that it will have', () => {
  const look = aLook({ alice: places(3), bob: places(3) });
  expect(queuePosition(look, queued('alice', '2026-01-02T00:00:00Z'))).toBe(7);
  // One that was tried again is older than others, and comes before them.
  expect(queuePosition(look, queued('alice', '2025-01-01T00:00:00Z'))).toBe(1);
});

test('where more wait than one look reads, no position is made up', () => {
  const look = aLook({ alice: places(3) });
  const part: QueueSnapshot = { ...look, queue: { ...look.queue, isWhole: false } };
  expect(queuePosition(part, queued('alice', '2026-01-02T00:00:00Z'))).toBeUndefined();
});

test('who holds a permit already does not wait any more, whatever the index still shows', async () => {
  const own = lane('started');
  const [first, second] = [await own.add('alice'), await own.add('alice')];
  await claimPermit(store.table, { model: 'started', permits: 5, submit_interval_ms: 1 }, first);
  expect(queuePosition(await own.look(), second)).toBe(1);
});
