import type { Api, Snapshot, VideoView } from './api.ts';
import { ApiProblem, formatProblem } from './api-problem.ts';
import { formatMoney } from './formatting.ts';

export type Action = 'cancel' | 'retry' | 'delete';

/** Wan cancels waiting tasks only. The record may call a task pending for some minutes after it began. */
export const isCancelable = ({ status, task }: Pick<VideoView, 'status' | 'task'>): boolean =>
  status === 'queued' || status === 'submitting' || (status === 'running' && task?.status !== 'RUNNING');

/** A drop whose settings were invalid has no complete request to repeat: the API responds `video_not_retryable`. */
export const isRetryable = ({ status, parameters }: Pick<VideoView, 'status' | 'parameters'>): boolean =>
  (status === 'failed' || status === 'canceled') &&
  parameters.resolution !== undefined &&
  parameters.duration !== undefined;

/** Whether there is a file to continue. Which models can is up to the API. */
export const isExtendable = ({ status, expires_at }: Pick<VideoView, 'status' | 'expires_at'>, now: number): boolean =>
  status === 'succeeded' && (expires_at === undefined || Date.parse(expires_at) > now);

/** Whether a video has ended and has a complete request, of which another video can be made. */
export const isVariable = (video: Pick<VideoView, 'status' | 'parameters'>): boolean =>
  video.status === 'succeeded' || isRetryable(video);

/** The question before a retry; undefined when there is no reason to ask. */
export function retryQuestion({ error, estimated_cost }: VideoView): string | undefined {
  if (error?.billed) {
    const cost = estimated_cost ? `, at about ${formatMoney(estimated_cost.amount, estimated_cost.currency)}` : '';
    return `Wan may bill this video twice: the last attempt was billed, or may have been. If Wan still has its video, it is fetched at no cost; if not, another is generated and billed${cost}.`;
  }
  if (error?.retryable === false)
    return 'The same image and prompt will probably fail again. “Use again” lets you change them first.';
  return undefined;
}

/** The question before a deletion. */
export function deleteQuestion({ status, error }: VideoView): string {
  if (status === 'succeeded') return 'Delete the video, its first frame and its record permanently?';
  const lost = error?.billed ? ' Retry may still fetch the video that was paid for.' : '';
  return `Delete its record and its first frame permanently?${lost}`;
}

/** The hint of a failure, with the name of the button instead of its route. */
export const formatHint = (hint: string): string => hint.replaceAll('POST /videos/{id}/retry', '“Retry”');

export interface ActionServices {
  api: Pick<Api, 'get' | 'cancel' | 'retry' | 'remove'>;
  show: (snapshot: Snapshot) => void;
  /** Called before a video is deleted: open requests about it would find nothing. */
  beforeDelete: (id: string) => void;
  /** Called when a video no longer exists. */
  removed: (id: string) => void;
  /** Called when the API rejects the key. */
  keyRejected: (problem: ApiProblem) => void;
  sleep: (milliseconds: number) => Promise<void>;
}

/** A submission to Wan takes a few seconds; until its outcome is known, a cancellation is refused. */
const cancelAttempts = 5;
const longestPauseSeconds = 5;

/** An action that was not done: the message to show, and the code of the API's problem. */
export interface ActionFailure {
  message: string;
  code: string | undefined;
}

/**
 * Performs an action on a video. A retry may cost money and a deletion cannot be undone, so both apply only to the exact state that
 * was shown (If-Match). A cancellation does not: a running video changes often, and the API refuses it when it is too late.
 * @returns undefined when the action was done, or when the video or the key turned out to be invalid
 */
export function createActions({
  api,
  show,
  beforeDelete,
  removed,
  keyRejected,
  sleep,
}: ActionServices): (action: Action, shown: Snapshot) => Promise<ActionFailure | undefined> {
  async function perform(action: Action, shown: Snapshot): Promise<void> {
    const { id } = shown.video;
    if (action === 'cancel') return show({ video: await cancel(id), etag: undefined });
    const etag = await etagOf(shown);
    if (action === 'retry') return show({ video: await api.retry(id, etag), etag: undefined });
    beforeDelete(id);
    await api.remove(id, etag);
    removed(id);
  }

  async function cancel(id: string, attempts = cancelAttempts): Promise<VideoView> {
    try {
      return await api.cancel(id);
    } catch (error) {
      const pause = error instanceof ApiProblem && error.code === 'video_is_starting' ? error.retryAfter : undefined;
      if (pause === undefined || pause > longestPauseSeconds || attempts <= 1) throw error;
      await sleep(pause * 1000);
      return cancel(id, attempts - 1);
    }
  }

  /** The ETag of the shown state, which a list does not include. @throws ApiProblem when the video is in another state now */
  async function etagOf({ video, etag }: Snapshot): Promise<string | undefined> {
    if (etag !== undefined) return etag;
    const { snapshot } = await api.get(video.id);
    if (snapshot?.video.status === video.status && snapshot.video.updated_at === video.updated_at) return snapshot.etag;
    throw new ApiProblem(412, {});
  }

  async function explain(problem: ApiProblem, { video: { id } }: Snapshot): Promise<ActionFailure | undefined> {
    if (problem.rejectsKey) {
      keyRejected(problem);
      return undefined;
    }
    if (problem.status === 404) {
      removed(id);
      return undefined;
    }
    const { code } = problem;
    if (problem.status !== 409 && problem.status !== 412) return { message: formatProblem(problem), code };
    // The page shows an old state: update it.
    const current = await api.get(id).catch(() => undefined);
    if (current?.snapshot) show(current.snapshot);
    return { message: problem.status === 409 ? formatProblem(problem) : hasChanged, code };
  }

  return async (action, shown) => {
    try {
      await perform(action, shown);
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      return explain(error, shown);
    }
  };
}

const hasChanged = 'The video changed in the meantime, so nothing was done. This is its current state.';
