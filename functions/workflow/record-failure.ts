import { errorNames, WorkflowError } from '../shared/errors.ts';
import { leaveFence } from '../video/fence.ts';
import { type Failure, isTerminal, type VideoRecord } from '../video/record.ts';
import { changeStatus, readVideo } from '../video/store.ts';
import { isLegalTransition } from '../video/transitions.ts';
import { explainEnding } from '../wan/errors.ts';
import { type Dispatcher, releaseAndDispatch } from './dispatch.ts';
import type { RecordFailureInput, WorkflowInput } from './payload.ts';

/**
 * Writes why a video failed, gives its permit back and lets the next one in.
 * @throws WorkflowError unexplained instead, when the cause is a surprise and Wan still has, or may have, the paid video: no fault of
 * ours ends a video that can be saved (invariant 3)
 */
export async function recordFailure(
  dispatcher: Dispatcher,
  { id, run, error }: RecordFailureInput,
): Promise<WorkflowInput> {
  const { table } = dispatcher;
  const video = await readVideo(table, id);
  if (!video || video.run !== run) return { id, run };
  if (!isTerminal(video.status) && isLegalTransition(video.status, 'failed')) {
    const failure = 'Error' in error ? explainCaught(error, video, table.now()) : error;
    await changeStatus(table, video, 'failed', { set: { error: failure }, remove: ['estimated_finish_at'] });
  }
  if (video.submission) await leaveFence(table, video);
  await releaseAndDispatch(dispatcher, video);
  return { id, run };
}

function explainCaught(error: { Error: string; Cause?: string }, video: VideoRecord, now: number): Failure {
  const expired = video.task !== undefined && Date.parse(video.task.expires_at) <= now;
  if (expired) return explainEnding(video.status === 'archiving' ? 'video_lost' : 'task_expired');
  const mayBeSaved = video.task !== undefined || video.submission?.state === 'open';
  if (mayBeSaved)
    throw new WorkflowError(
      errorNames.unexplained,
      `${error.Error} while the video can still be had; the sweep resumes it.`,
    );
  const upstream: string[] = [errorNames.wanThrottled, errorNames.wanUnavailable, errorNames.submissionFenced];
  return explainEnding(upstream.includes(error.Error) ? 'service_unavailable' : 'internal_error');
}
