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
 * How many runs a video gets when an unexpected error (DynamoDB and S3 outages included) ends each before anything was sent. A run
 * retries for 75 s (infra/workflow/retries.ts), so the video fails after about 10 minutes.
 */
const MAX_RUNS = 8;

/**
 * Writes why a video failed, releases its permit and dispatches the next video. Returns a video to its queue instead when it only
 * waited for the prompt lock, or an unexpected error came before anything was sent to Wan.
 * @throws WorkflowError unhandled when the error is unexpected and Wan has, or may have, the paid video: an internal error must not
 * end a video that can still be fetched (invariant 3)
 */
export async function recordFailure(
  dispatcher: Dispatcher,
  { id, run, error }: RecordFailureInput,
): Promise<RecordFailureOutput> {
  const { table } = dispatcher;
  const video = await readVideo(table, id);
  // A queued video belongs to dispatch again.
  if (!video || video.run !== run || video.status === 'queued') return { id, run, outcome: 'settled' };
  if ('Error' in error && canRunAgain(error, video)) {
    if (!(await returnToQueue(table, video, error.Error === errorNames.promptLocked))) throw recordChanged(id);
    await dispatchNext(dispatcher, video.model);
    return { id, run, outcome: 'requeued' };
  }
  if (!isTerminal(video.status)) {
    const failure = 'Error' in error ? failureOfError(error, video, table.now()) : error;
    const ended = await changeStatus(table, video, 'failed', { set: { error: failure } });
    if (!ended) throw recordChanged(id);
  }
  await closeWait(table, { id, run });
  await releaseAndDispatch(dispatcher, video);
  return { id, run, outcome: isTerminal(video.status) ? 'settled' : 'failed' };
}

/** Fails the step, so that its retry reads the record again: the video may need its permit in its new status. */
const recordChanged = (id: string) => new Error(`The video ${id} changed while its failure was being recorded.`);

/** Whether a video gets another run: no request of it can have reached Wan, and it has runs left. */
function canRunAgain({ Error: name }: { Error: string }, video: VideoRecord): boolean {
  const { status, submission } = video;
  if (status !== 'submitting') return false;
  if (name === errorNames.promptLocked) return true;
  return submission?.state !== 'open' && !finalErrors.has(name) && runsOf(video) < MAX_RUNS;
}

/** Errors that are final: the state machine has retried them for a day. */
const finalErrors: ReadonlySet<string> = new Set([errorNames.wanThrottled, errorNames.wanUnavailable]);

function failureOfError(error: { Error: string }, video: VideoRecord, now: number): Failure {
  const { task } = video;
  if (task && isExpired(task, now) && error.Error === errorNames.videoBroken) return explainEnding('video_broken');
  if (task && (isExpired(task, now) || error.Error === errorNames.taskUnknown)) return expiredFailure(video);
  if (task || video.submission?.state === 'open')
    throw new WorkflowError(
      errorNames.unhandled,
      `${error.Error} while the result can still be fetched; the sweep restarts the video.`,
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
