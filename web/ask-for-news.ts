import type { Api, Seen } from './api.ts';
import { ApiProblem } from './api-problem.ts';
import type { Connection } from './connection.ts';
import type { FollowServices } from './follow.ts';
import { hasEnded } from './words.ts';

export interface NewsServices {
  api: Pick<Api, 'get'>;
  connection: Connection;
  /** Milliseconds. */
  now: () => number;
  /** What is shown of a video; undefined when it is shown no more. */
  shown: (id: string) => Seen | undefined;
  show: (seen: Seen) => void;
  /** Told of a video that does not exist any more. */
  gone: (id: string) => void;
}

/** After news come more: a video that was waiting is soon at work. */
const soonSeconds = 1;
/** Between two questions that brought nothing, where the server does not say when to ask again. */
const usualSeconds = 5;

/** The follower's question: asks for news of what is shown, and shows it. */
export function createNewsQuestion(services: NewsServices): FollowServices['ask'] {
  const { api, connection, now, shown, show, gone } = services;
  return async (id, { wait, signal }) => {
    const known = shown(id);
    if (!known) return { kind: 'ended' };
    const began = now();
    // A state without an ETag may be an old one: waiting for the next could mean to sleep through this one.
    const question = known.etag === undefined ? { signal } : { etag: known.etag, wait, signal };
    const news = await connection.attempt(() => api.get(id, question).catch(goneIs(undefined)), signal);
    if (news === 'failed') return { kind: 'hold', inSeconds: connection.patience() };
    if (!shown(id)) return { kind: 'ended' };
    if (news === undefined) {
      gone(id);
      return { kind: 'ended' };
    }
    const { seen, retryAfter } = news;
    if (seen) show(seen);
    if (hasEnded((seen ?? known).video)) return { kind: 'ended' };
    if (seen) return { kind: 'again', inSeconds: soonSeconds };
    // Where the answer was not kept back, Retry-After alone keeps the questions apart.
    const passed = (now() - began) / 1000;
    return { kind: 'again', inSeconds: Math.max(soonSeconds, (retryAfter ?? usualSeconds) - passed) };
  };
}

/** A video that is not there any more is an answer. @throws any other problem */
export const goneIs =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (error instanceof ApiProblem && error.status === 404) return value;
    throw error;
  };
