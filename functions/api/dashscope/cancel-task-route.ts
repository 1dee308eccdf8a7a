import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { VideoRecord } from '../../video/record.ts';
import type { WanClient } from '../../wan/client/client.ts';
import { waitForChange } from '../videos/long-poll.ts';
import { DashscopeError } from './errors.ts';
import { ownTask, taskStatus } from './query-task-route.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';

/** How long submitting a video to Wan usually takes at most. */
const STARTING_SECONDS = 5;

/**
 * The longest that one cancelation waits for a submission and for Wan's responses. API Gateway times out after 29 s, and the dispatch
 * that follows may take ten of them.
 */
const MAX_WAIT_MILLISECONDS = 13_000;

/**
 * `POST tasks/{id}/cancel`: a PENDING task becomes CANCELED. Any other task, and another owner's, is refused.
 * @throws ProblemError, DashscopeError
 */
export async function cancelTask(
  services: DashscopeServices,
  _request: DashscopeRequest,
  caller: Caller,
  taskId: string,
): Promise<object> {
  const deadline = services.table.now() + MAX_WAIT_MILLISECONDS;
  const video = await ownTask(services, caller, taskId);
  await cancelPending(services, video, deadline).catch(async (error: unknown) => {
    if (!video || !isStarting(error)) throw error;
    await cancelPending(services, await started(services, video), deadline);
  });
  return {};
}

async function cancelPending(
  { table, cancelVideo }: DashscopeServices,
  video: VideoRecord | undefined,
  deadline: number,
): Promise<void> {
  if (!video || taskStatus(video) !== 'PENDING') throw new DashscopeError('UnsupportedOperation');
  await cancelVideo(video, Math.max(0, deadline - table.now()));
}

/**
 * Waits until a video has been submitted to Wan. It cannot be canceled during the call, and the reference has no code for "try again
 * shortly", so a client that cancels a task it has just created waits here.
 */
async function started(services: DashscopeServices, starting: VideoRecord): Promise<VideoRecord | undefined> {
  const until = ({ status }: VideoRecord) => !beforeWan.includes(status);
  return (await waitForChange(services, starting, { seconds: STARTING_SECONDS, until })).video;
}

const beforeWan: readonly VideoRecord['status'][] = ['queued', 'submitting'];

const isStarting = (error: unknown): boolean =>
  error instanceof ProblemError && error.members.code === 'video_is_starting';

/** Limits the calls of one cancelation to a total time; a call without a response by then counts as unavailable. */
export function respondsWithin(milliseconds: number, wan: Canceling): Canceling {
  const signal = AbortSignal.timeout(milliseconds);
  return {
    cancelTask: (id) => wan.cancelTask(id, signal),
    queryTask: (id) => wan.queryTask(id, signal),
  };
}

type Canceling = Pick<WanClient, 'cancelTask' | 'queryTask'>;
