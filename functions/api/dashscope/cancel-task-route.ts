import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { VideoRecord } from '../../video/record.ts';
import type { WanClient } from '../../wan/client/client.ts';
import { waitForChange } from '../videos/long-poll.ts';
import { DashscopeError } from './errors.ts';
import { ownTask, taskStatus } from './query-task-route.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';

/** Handing a video to Wan takes a few seconds at most, as a rule. */
const STARTING_SECONDS = 5;

/**
 * Waiting for that and for Wan's own answers may take so many milliseconds in all. API Gateway gives up after 29 s, and giving the lane
 * its next video, which follows, may take ten of them.
 */
const PATIENCE = 13_000;

/**
 * `POST tasks/{id}/cancel`: a PENDING task becomes CANCELED, anything else is refused, and so is a task that is not the caller's.
 * @throws Problem, Refusal
 */
export async function cancelTask(
  services: DashscopeServices,
  _request: DashscopeRequest,
  caller: Caller,
  taskId: string,
): Promise<object> {
  const deadline = services.table.now() + PATIENCE;
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
 * While a video is being handed to Wan nobody can cancel it, and the reference has no word for "not just now": a client that has
 * just created its task, and cancels it, waits here until it can be done or it is too late.
 */
const started = ({ table, sleep }: DashscopeServices, video: VideoRecord): Promise<VideoRecord | undefined> =>
  waitForChange(table, video, { seconds: STARTING_SECONDS, until: ({ status }) => !beforeWan.includes(status), sleep });

const beforeWan: readonly VideoRecord['status'][] = ['queued', 'submitting'];

const isStarting = (error: unknown): boolean =>
  error instanceof ProblemError && error.members.code === 'video_is_starting';

/** Wan for the calls of one cancelation, which take so many milliseconds in all: what isn't answered by then is unavailable. */
export function respondsWithin(milliseconds: number, wan: Canceling): Canceling {
  const signal = AbortSignal.timeout(milliseconds);
  return {
    cancelTask: (id) => wan.cancelTask(id, signal),
    queryTask: (id) => wan.queryTask(id, signal),
  };
}

type Canceling = Pick<WanClient, 'cancelTask' | 'queryTask'>;
