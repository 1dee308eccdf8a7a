import { errorNames, WorkflowError } from '../shared/errors.ts';
import { leaveFence } from '../video/fence.ts';
import { type Failure, isTerminal, type VideoRecord } from '../video/record.ts';
import { changeStatus, readVideo } from '../video/store.ts';
import { explainEnding } from '../wan/errors.ts';
import { type Dispatcher, letNextIn, releaseAndDispatch } from './dispatch.ts';
import { explainForgotten, isForgotten } from './forgotten.ts';
import type { RecordFailureInput, WorkflowInput } from './payload.ts';
import { returnToQueue } from './return-to-queue.ts';

/**
 * Writes why a video failed, gives its permit back and lets the next one in. A video that only waited for another one with its
 * prompt has not failed: it goes back into its queue.
 * @throws WorkflowError unexplained instead, when the cause is a surprise and Wan still has, or may have, the paid video: no fault of
 * ours ends a video that can be saved (invariant 3)
 */
export async function recordFailure(
  dispatcher: Dispatcher,
  { id, run, error }: RecordFailureInput,
): Promise<WorkflowInput> {
  const { table } = dispatcher;
  const video = await readVideo(table, id);
  // One that is back in its queue is the dispatchers'.
  if (!video || video.run !== run || video.status === 'queued') return { id, run };
  if ('Error' in error && error.Error === errorNames.submissionFenced && video.status === 'submitting') {
    await returnToQueue(table, video);
    await letNextIn(dispatcher, video.model);
    return { id, run };
  }
  if (!isTerminal(video.status)) {
    const failure = 'Error' in error ? explainCaught(error, video, table.now()) : error;
    const ended = await changeStatus(table, video, 'failed', {
      set: { error: failure },
      remove: ['estimated_finish_at'],
    });
    // What it became meanwhile may need its permit: the next try reads it again.
    if (!ended) throw new Error(`The video ${id} moved on while its failure was written down.`);
  }
  if (video.submission) await leaveFence(table, video);
  await releaseAndDispatch(dispatcher, video);
  return { id, run };
}

function explainCaught(error: { Error: string }, video: VideoRecord, now: number): Failure {
  const { task } = video;
  if (task && (isForgotten(task, now) || error.Error === errorNames.taskUnknown)) return explainForgotten(video);
  if (task || video.submission?.state === 'open')
    throw new WorkflowError(
      errorNames.unexplained,
      `${error.Error} while the video can still be had; the sweep resumes it.`,
    );
  switch (error.Error) {
    case errorNames.wanThrottled:
      return explainEnding('rate_limited');
    case errorNames.wanUnavailable:
      return explainEnding('service_unavailable');
    default:
      return explainEnding('internal_error');
  }
}
