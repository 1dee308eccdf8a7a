import { readLane } from '../video/lane.ts';
import { idsInStatus } from '../video/queue.ts';
import { isTerminal, type VideoRecord } from '../video/record.ts';
import { changeVideo, readVideo } from '../video/store.ts';
import { carryOn, type Dispatcher, dispatch } from '../workflow/dispatch.ts';
import { runState, startWorkflow } from '../workflow/execution.ts';

/** A video whose workflow died is resumed after this time, then after twice as long, up to an hour. */
const RESUME_SECONDS = { first: 10, longest: 3600 };

/** What a sweep did, for its log. */
export interface SweepReport {
  resumed: string[];
  dispatched: string[];
  /** What could not be looked after, and why; the next sweep tries again. */
  failed: { what: string; error: unknown }[];
}

/**
 * Looks after everything that a crash may have left behind: videos without a living workflow are resumed, permits of the dead are
 * freed, queues are dispatched. Safe at any time, any number of times; resuming never creates a second task, since a resumed
 * workflow begins with the ledger. Whatever goes wrong with one video or lane keeps no other from its turn.
 * @param models names of all models that have a lane
 */
export async function sweep(dispatcher: Dispatcher, models: readonly string[]): Promise<SweepReport> {
  const { table } = dispatcher;
  const report: SweepReport = { resumed: [], dispatched: [], failed: [] };
  const attend = (what: string, work: () => Promise<unknown>) =>
    work().catch((error: unknown) => void report.failed.push({ what, error }));
  for (const status of ['archiving', 'running', 'submitting'] as const) {
    await attend(status, async () => {
      for await (const id of idsInStatus(table, status)) {
        await attend(id, async () => (await resumeWhenDead(dispatcher, id)) && report.resumed.push(id));
      }
    });
  }
  for (const model of models) {
    await attend(model, async () => {
      for (const id of (await readLane(table, model)).running) {
        await attend(id, async () => (await carryOn(dispatcher, { id, model })) && report.dispatched.push(id));
      }
      report.dispatched.push(...(await dispatch(dispatcher, model)));
    });
  }
  return report;
}

/**
 * Starts a video's workflow again when no execution works on it.
 * @returns whether it was started
 */
export async function resumeWhenDead({ table, workflow }: Dispatcher, id: string): Promise<boolean> {
  const video = await readVideo(table, id);
  if (!video || isTerminal(video.status) || video.status === 'queued') return false;
  switch (await runState(workflow, video)) {
    case 'running':
      return false;
    case 'missing':
      // A dispatcher may be about to do the same: the run's name sees to it that there is one execution.
      await startWorkflow(workflow, video);
      return true;
    case 'ended': {
      const idle = (table.now() - Date.parse(video.updated_at)) / 1000;
      if (idle < resumeAfter(video)) return false;
      const next = await changeVideo(table, video, { set: { run: video.run + 1 } });
      if (next) await startWorkflow(workflow, next);
      return next !== undefined;
    }
  }
}

/** A workflow that keeps dying for the same reason is not started in a tight loop. */
const resumeAfter = ({ run }: VideoRecord): number =>
  Math.min(RESUME_SECONDS.longest, RESUME_SECONDS.first * 2 ** (run - 1));
