import { expiredFailure, isExpired } from '../ledger/task-lifetime.ts';
import { closeWait } from '../polling/wait-item.ts';
import { type Dispatcher, dispatchNext, releaseAndDispatch } from '../queue/dispatch.ts';
import { returnToQueue } from '../queue/release.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import { type Failure, isTerminal, runsOf, type VideoRecord } from '../video/record.ts';
import { changeStatus, readVideo } from '../video/store.ts';
import { explainEnding } from '../wan/failures.ts';
import type { RecordFailureInput, RecordFailureOutput } from './step-handler.ts';

/**
 * A surprise before anything was sent, DynamoDB's or S3's bad moments among them, is no video's fault: it goes back into its queue
 * until it was started so often. A run gives up after 75 s (`surprise`), so that is 10 minutes; a video that can't be sent at all
 * is not told of it later than that.
 */
const MOST_RUNS = 8;

/**
 * Writes why a video failed, gives its permit back and lets the next one in. A video that only waited for another one with its
 * prompt, or met a surprise before anything was sent to Wan, has not failed: it goes back into its queue.
 * @throws WorkflowError unexplained instead, when the cause is a surprise and Wan still has, or may have, the paid video: no fault of
 * ours ends a video that can be saved (invariant 3)
 */
export async function recordFailure(
  dispatcher: Dispatcher,
  { id, run, error }: RecordFailureInput,
): Promise<RecordFailureOutput> {
  const { table } = dispatcher;
  const video = await readVideo(table, id);
  // One that is back in its queue is the dispatchers'.
  if (!video || video.run !== run || video.status === 'queued') return { id, run, outcome: 'settled' };
  if ('Error' in error && mayWait(error, video)) {
    if (!(await returnToQueue(table, video, error.Error === errorNames.promptLocked))) throw movedOn(id);
    await dispatchNext(dispatcher, video.model);
    return { id, run, outcome: 'requeued' };
  }
  if (!isTerminal(video.status)) {
    const failure = 'Error' in error ? failureOfError(error, video, table.now()) : error;
    const ended = await changeStatus(table, video, 'failed', { set: { error: failure } });
    if (!ended) throw movedOn(id);
  }
  await closeWait(table, { id, run });
  await releaseAndDispatch(dispatcher, video);
  return { id, run, outcome: isTerminal(video.status) ? 'settled' : 'failed' };
}

/** What it became meanwhile may need its permit: the next try reads it again. */
const movedOn = (id: string) => new Error(`The video ${id} moved on while its failure was written down.`);

/** Whether a video that Wan was not asked for, or can't have been, is worth another run. */
function mayWait({ Error: name }: { Error: string }, video: VideoRecord): boolean {
  const { status, submission } = video;
  if (status !== 'submitting') return false;
  if (name === errorNames.promptLocked) return true;
  return submission?.state !== 'open' && !explained.has(name) && runsOf(video) < MOST_RUNS;
}

/** Given up by name, after a whole day of trying. */
const explained: ReadonlySet<string> = new Set([errorNames.wanThrottled, errorNames.wanUnavailable]);

function failureOfError(error: { Error: string }, video: VideoRecord, now: number): Failure {
  const { task } = video;
  if (task && isExpired(task, now) && error.Error === errorNames.videoBroken) return explainEnding('video_broken');
  if (task && (isExpired(task, now) || error.Error === errorNames.taskUnknown)) return expiredFailure(video);
  if (task || video.submission?.state === 'open')
    throw new WorkflowError(
      errorNames.unhandled,
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
