import type { RequestHandler } from './listen.ts';

/** For tests: what goes wrong on purpose. Nothing does without it, or where a member is left out. */
export interface Faults {
  /** Stands between AWS clients and the endpoint: it may answer itself, wait, or serve a request more than once. */
  aroundEndpoint?(serve: RequestHandler): RequestHandler;
  /** Told of each invocation as it begins. */
  onInvocation?(invocation: FaultyInvocation): void;
  /** After how many milliseconds each delivery of an asynchronous invocation, or of a queue's messages, is made. @default [0]: one, at once; none loses it */
  deliveriesOf?(functionName: string, payload: string): readonly number[];
}

export interface FaultyInvocation {
  /** The worker, which runs one invocation at a time. Its calls to AWS carry `app/<sandbox>` in their `User-Agent`. */
  sandbox: string;
  function_name: string;
  /** JSON. */
  payload: string;
  /** Ends the worker as a crash does. */
  kill(): void;
}
