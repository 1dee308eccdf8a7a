import type { RequestHandler } from './listen.ts';

/** Faults that tests inject. Without a member nothing is changed. */
export interface FaultInjection {
  /** The account's concurrent executions; more invocations are throttled. A new account has 10. @default unlimited */
  accountConcurrency?: number;
  /** Called when an invocation is throttled by it. */
  onThrottle?(functionName: string): void;
  /**
   * Wraps the handler of the AWS endpoint. The wrapper may respond itself, delay a request, or serve it more than once.
   */
  wrapEndpoint?(serve: RequestHandler): RequestHandler;
  /** Called when an invocation starts. */
  onInvocation?(invocation: ObservedInvocation): void;
  /**
   * The delays, in milliseconds, of the deliveries of an asynchronous invocation or of a queue's messages. An empty
   * list loses it. @default [0], one immediate delivery
   */
  deliveryDelays?(functionName: string, payload: string): readonly number[];
}

export interface ObservedInvocation {
  /** The worker, which runs one invocation at a time. The `User-Agent` of its AWS calls contains `app/<sandbox_id>`. */
  sandbox_id: string;
  function_name: string;
  /** JSON. */
  payload: string;
  /** Ends the worker as a crash would. */
  kill(): void;
}
