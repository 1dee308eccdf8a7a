import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObjectCreated } from '../../../functions/drops/dropped-object.ts';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { png } from '../media/support.ts';
import { aDropFolder } from './support.ts';

let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());

const key = 'drop/cat.png';
/** Two pictures that their width tells apart. */
const pictures = { 400: png(400, 380), 500: png(500, 380) };
type Width = keyof typeof pictures;
interface Upload {
  width: Width;
  prompt: string;
}

/** What a user, a sync program or a gateway does to one key; each makes a new version, and so an event. */
const change = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    width: fc.constantFrom<Width>(400, 500),
    prompt: fc.constantFrom('a', 'b'),
  }),
  fc.record({ kind: fc.constant('copy or touch' as const) }),
  fc.record({ kind: fc.constant('edit the metadata' as const), prompt: fc.constantFrom('a', 'b') }),
  fc.record({ kind: fc.constant('restore a version' as const), which: fc.nat(20) }),
);
/** Between changes: events arrive, repeatedly and in any order; videos end. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant('deliver' as const), which: fc.nat(20), times: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('end a video' as const), which: fc.nat(20), as: fc.constantFrom('paid', 'unpaid') }),
);

test('an image is paid once per bytes and settings, whatever copies, touches, restores and repeated events do', async () => {
  const paidTwice = (uploads: Upload[]) => new Set(uploads.map(({ width, prompt }) => `${width} ${prompt}`)).size;
  let repeated = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(change, happening), { minLength: 2, maxLength: 14 }), async (steps) => {
      const folder = aDropFolder(store.table);
      const uploads: (Upload & { event: ObjectCreated })[] = [];
      const upload = ({ width, prompt }: Upload) =>
        uploads.push({ width, prompt, event: folder.put(key, pictures[width], { prompt }) });
      let paid = 0;
      const end = async (which: number, as: string) => {
        const queued = (await folder.videos()).filter(({ status }) => status === 'queued');
        const video = queued[which % Math.max(1, queued.length)];
        if (!video) return;
        if (as === 'unpaid') {
          const error = { code: 'generation_failed', message: '', retryable: true, billed: false, hint: '' };
          await changeStatus(store.table, video, 'failed', { set: { error } });
          return;
        }
        let moving = video;
        for (const status of ['submitting', 'running', 'archiving', 'succeeded'] as const)
          moving = (await changeStatus(store.table, moving, status))!;
        paid++;
      };

      upload({ width: 400, prompt: 'a' });
      for (const step of steps) {
        const latest = uploads.at(-1)!;
        if (step.kind === 'put') upload(step);
        else if (step.kind === 'copy or touch') upload(latest);
        else if (step.kind === 'edit the metadata') upload({ ...latest, prompt: step.prompt });
        else if (step.kind === 'restore a version') upload(uploads[step.which % uploads.length]!);
        else if (step.kind === 'end a video') await end(step.which, step.as);
        else {
          const { event } = uploads[step.which % uploads.length]!;
          await Promise.all(Array.from({ length: step.times }, () => folder.take(event)));
        }
      }
      // Every event arrives at least once.
      for (const { event } of uploads.toReversed()) await folder.take(event);
      for (let left = 0; left < 20; left++) await end(0, 'paid');

      const videos = await folder.videos();
      const identities = videos.map(({ image, input }) => `${image!.width} ${input.prompt}`);
      const wanted = paidTwice(uploads);
      expect(identities).toHaveLength(wanted);
      expect(new Set(identities).size).toBe(wanted);
      expect(paid).toBeLessThanOrEqual(wanted);
      for (const { id } of videos) expect((await readVideo(store.table, id))!.status).toMatch(/succeeded|failed/);
      if (uploads.length > wanted) repeated++;
    }),
    { numRuns: 100 },
  );
  expect(repeated).toBeGreaterThan(50);
});
