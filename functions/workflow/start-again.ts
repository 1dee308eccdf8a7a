import { idsInStatus } from '../video/queue.ts';
import { readVideo } from '../video/store.ts';
import type { Dispatcher } from './dispatch.ts';
import { startWorkflow } from './execution.ts';

/** A dispatcher that lives starts a workflow within moments of writing that it will. */
const MOMENTS_SECONDS = 15;

/**
 * Starts the workflows of videos whose dispatcher died between its record's write and the start: they hold their permits, and whoever
 * waits behind them would wait for the sweep. A run's name sees to it that what was started is not started again, so nobody has to be asked.
 * @returns ids of the videos that were looked after
 */
export async function startAgain({ table, workflow }: Pick<Dispatcher, 'table' | 'workflow'>): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'submitting')) {
    const video = await readVideo(table, id);
    if (video?.status !== 'submitting' || table.now() - Date.parse(video.updated_at) < MOMENTS_SECONDS * 1000) continue;
    await startWorkflow(workflow, video);
    ids.push(id);
  }
  return ids;
}
