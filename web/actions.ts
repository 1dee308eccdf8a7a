import type { Api, Seen, VideoView } from './api.ts';
import { ApiProblem, problemInWords } from './api-problem.ts';

export type Action = 'cancel' | 'retry' | 'delete';

export interface ActionServices {
  api: Pick<Api, 'get' | 'cancel' | 'retry' | 'remove'>;
  show: (seen: Seen) => void;
  /** Told of a video that is about to be deleted: what is asked about it would find nothing. */
  leaving: (id: string) => void;
  /** Told of a video that does not exist any more. */
  gone: (id: string) => void;
  /** Told when the key is not taken. */
  refused: (problem: ApiProblem) => void;
  sleep: (milliseconds: number) => Promise<void>;
}

/** A video is being handed to Wan for some seconds, in which nobody can say whether it can be canceled. */
const startingTries = 5;
const longestPauseSeconds = 5;

/**
 * Does something to a video as it was seen. To retry may cost money, and to delete can't be taken back: both are done to the very
 * state that was seen, and to no other. To cancel is not bound to it: a video moves on all the time, and what can't be canceled
 * any more is refused.
 * @returns what there is to tell; undefined when it was done
 */
export function createActions({
  api,
  show,
  leaving,
  gone,
  refused,
  sleep,
}: ActionServices): (action: Action, seen: Seen) => Promise<string | undefined> {
  async function act(action: Action, seen: Seen): Promise<void> {
    const { id } = seen.video;
    if (action === 'cancel') return show({ video: await cancel(id), etag: undefined });
    const etag = await etagOf(seen);
    if (action === 'retry') return show({ video: await api.retry(id, etag), etag: undefined });
    leaving(id);
    await api.remove(id, etag);
    gone(id);
  }

  async function cancel(id: string, tries = startingTries): Promise<VideoView> {
    try {
      return await api.cancel(id);
    } catch (error) {
      const pause = error instanceof ApiProblem && error.code === 'video_is_starting' ? error.retryAfter : undefined;
      if (pause === undefined || pause > longestPauseSeconds || tries <= 1) throw error;
      await sleep(pause * 1000);
      return cancel(id, tries - 1);
    }
  }

  /** Of what was seen; a list tells none. @throws ApiProblem when the video is not as it was seen */
  async function etagOf({ video, etag }: Seen): Promise<string | undefined> {
    if (etag !== undefined) return etag;
    const { seen } = await api.get(video.id);
    if (seen?.video.status === video.status && seen.video.updated_at === video.updated_at) return seen.etag;
    throw new ApiProblem(412, {});
  }

  async function explain(problem: ApiProblem, { video: { id } }: Seen): Promise<string | undefined> {
    if (problem.refusesKey) {
      refused(problem);
      return undefined;
    }
    if (problem.status === 404) {
      gone(id);
      return undefined;
    }
    if (problem.status !== 409 && problem.status !== 412) return problemInWords(problem);
    // It is not as it was seen, so it is shown as it is.
    const news = await api.get(id).catch(() => undefined);
    if (news?.seen) show(news.seen);
    return problem.status === 409 ? problemInWords(problem) : hasChanged;
  }

  return async (action, seen) => {
    try {
      await act(action, seen);
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      return explain(error, seen);
    }
  };
}

const hasChanged = 'The video has changed since you looked at it, so nothing was done. This is how it is now.';
