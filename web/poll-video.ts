import type { Api, Snapshot } from './api.ts';
import { ApiProblem } from './api-problem.ts';
import type { Connection } from './connection.ts';
import { hasEnded } from './formatting.ts';
import type { PollerServices } from './poller.ts';

export interface PollVideoServices {
  api: Pick<Api, 'get'>;
  connection: Connection;
  /** Milliseconds. */
  now: () => number;
  /** The shown snapshot of a video; undefined when the page no longer shows it. */
  shown: (id: string) => Snapshot | undefined;
  show: (snapshot: Snapshot) => void;
  /** Called when a video no longer exists. */
  removed: (id: string) => void;
}

/** After an update another one is likely: a queued video soon runs. */
const soonSeconds = 1;
/** Between two polls without an update, where the response has no Retry-After. */
const defaultSeconds = 5;

/** Returns the poller's request: asks for a newer state than the shown one, and shows it. */
export function createPollVideo(services: PollVideoServices): PollerServices['poll'] {
  const { api, connection, now, shown, show, removed } = services;
  return async (id, { wait, signal }) => {
    const known = shown(id);
    if (!known) return { kind: 'ended' };
    const began = now();
    // A snapshot without an ETag may be outdated: a held request would miss the update that already happened.
    const options = known.etag === undefined ? { signal } : { etag: known.etag, wait, signal };
    const result = await connection.attempt(() => api.get(id, options).catch(ignoreNotFound), signal);
    if (result === 'failed') return { kind: 'pause', inSeconds: connection.retryDelay() };
    if (!shown(id)) return { kind: 'ended' };
    if (result === undefined) {
      removed(id);
      return { kind: 'ended' };
    }
    const { snapshot, retryAfter } = result;
    if (snapshot) show(snapshot);
    if (hasEnded((snapshot ?? known).video)) return { kind: 'ended' };
    if (snapshot) return { kind: 'again', inSeconds: soonSeconds };
    // A response that was not held must not cause a tight loop: Retry-After counts from the request.
    const passed = (now() - began) / 1000;
    return { kind: 'again', inSeconds: Math.max(soonSeconds, (retryAfter ?? defaultSeconds) - passed) };
  };
}

/** @throws any other problem */
function ignoreNotFound(error: unknown): undefined {
  if (error instanceof ApiProblem && error.status === 404) return undefined;
  throw error;
}
