import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObjectCreated } from '../../../functions/drops/dropped-object.ts';
import { changeStatus } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { fileOf } from '../../support/videos.ts';
import { png } from '../media/support.ts';
import { aDropFolder } from './support.ts';

let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());

const key = 'drop/cat.png';
/** Two images of different widths. */
const images = { 400: png(400, 380), 500: png(500, 380) };
type Width = keyof typeof images;
interface Upload {
  width: Width;
  prompt: string;
}

const which = fc.nat(20);
const prompt = fc.constantFrom('a', 'b');
/** Videos end, and events arrive: repeatedly, concurrently and in any order. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant('deliver' as const), events: fc.array(which, { minLength: 1, maxLength: 4 }) }),
  fc.record({ kind: fc.constant('end a video' as const), which, isPaid: fc.boolean() }),
);
/** What users, sync programs and gateways do to one key. All but the last two make a new version, and so an event. */
const change = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), width: fc.constantFrom<Width>(400, 500), prompt }),
  fc.record({ kind: fc.constant('copy or touch' as const) }),
  fc.record({ kind: fc.constant('edit the metadata' as const), prompt }),
  fc.record({ kind: fc.constant('restore a version' as const), which }),
  fc.record({ kind: fc.constant('delete' as const) }),
  fc.record({ kind: fc.constant('remove the delete marker' as const) }),
);

/** A drop folder whose videos end when a test ends them. */
function aFolder() {
  const folder = aDropFolder(store.table);
  const events: ObjectCreated[] = [];
  let paid = 0;
  return {
    ...folder,
    events,
    put: (...given: Parameters<typeof folder.put>) => void events.push(folder.put(...given)),
    /** How many videos were paid for. */
    paid: () => paid,
    deliver: (indices: number[]) => Promise.all(indices.map((index) => folder.take(events[index % events.length]!))),
    /** Ends one of the queued videos. @returns whether there was one */
    async end(which: number, isPaid: boolean): Promise<boolean> {
      const queued = (await folder.videos()).filter(({ status }) => status === 'queued');
      let video = queued[which % Math.max(1, queued.length)];
      if (!video) return false;
      if (isPaid) {
        for (const status of ['submitting', 'running', 'archiving', 'succeeded'] as const)
          video = (await changeStatus(store.table, video, status))!;
        paid++;
      } else {
        const error = { code: 'generation_failed', message: '', retryable: true, billed: false, hint: '' };
        await changeStatus(store.table, video, 'failed', { set: { error } });
      }
      return true;
    },
  };
}

test('the same bytes and settings are paid for once, whatever copies, edits, restores and repeated events do', async () => {
  let repeated = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(change, happening), { minLength: 2, maxLength: 14 }), async (steps) => {
      const folder = aFolder();
      const uploads: Upload[] = [];
      const upload = ({ width, prompt }: Upload) => {
        uploads.push({ width, prompt });
        folder.put(key, images[width], { prompt });
      };
      upload({ width: 400, prompt: 'a' });
      for (const step of steps) {
        const latest = uploads.at(-1)!;
        if (step.kind === 'put') upload(step);
        else if (step.kind === 'copy or touch') upload(latest);
        else if (step.kind === 'edit the metadata') upload({ ...latest, prompt: step.prompt });
        else if (step.kind === 'restore a version') upload(uploads[step.which % uploads.length]!);
        else if (step.kind === 'delete') folder.delete(key);
        else if (step.kind === 'remove the delete marker') folder.undelete(key);
        else if (step.kind === 'deliver') await folder.deliver(step.events);
        else await folder.end(step.which, step.isPaid);
      }
      // Every event arrives at least once.
      folder.undelete(key);
      await folder.deliver(uploads.map((_, index) => uploads.length - 1 - index));
      while (await folder.end(0, true));

      const identityOf = ({ width, prompt }: Upload) => `${width} ${prompt}`;
      const wanted = new Set(uploads.map(identityOf));
      const videos = await folder.videos();
      const created = videos.map((video) => `${fileOf(video)!.width} ${video.input.prompt}`);
      expect(created.sort()).toEqual([...wanted].sort());
      expect(folder.paid()).toBe(videos.filter(({ status }) => status === 'succeeded').length);
      if (uploads.length > wanted.size) repeated++;
    }),
    { numRuns: 60 },
  );
  expect(repeated).toBeGreaterThan(30);
}, 180_000);

test('an upload pays for one video at most, however often its sidecar changes and events are repeated', async () => {
  const sidecarChange = fc.record({ kind: fc.constant('sidecar' as const), prompt: fc.constantFrom('x', 'y', 'z') });
  const copy = fc.record({ kind: fc.constant('copy' as const) });
  let restarted = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(sidecarChange, copy, happening), { minLength: 3, maxLength: 14 }),
      async (steps) => {
        const folder = aFolder();
        folder.put(key, images[400], { prompt: 'own' });
        let uploads = 1;
        for (const step of steps) {
          if (step.kind === 'sidecar') folder.put(`${key}.json`, { input: { prompt: step.prompt } });
          else if (step.kind === 'deliver') await folder.deliver(step.events);
          else if (step.kind === 'end a video') await folder.end(step.which, step.isPaid);
          else {
            folder.put(key, images[400], { prompt: 'own' });
            uploads++;
          }
        }
        await folder.deliver(folder.events.map((_, index) => index));
        while (await folder.end(0, true));
        const videos = await folder.videos();
        // A repeated event does not restart the video of an upload that has ended without being billed.
        expect(videos.length).toBeGreaterThan(0);
        expect(folder.paid()).toBeLessThanOrEqual(uploads);
        expect(new Set(videos.map(({ input }) => input.prompt)).size).toBe(videos.length);
        if (videos.length > folder.paid()) restarted++;
      },
    ),
    { numRuns: 60 },
  );
  expect(restarted).toBeGreaterThan(0);
}, 180_000);
