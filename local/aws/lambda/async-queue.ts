import { rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileWhole } from '../../wan/write-file.ts';
import type { Clock } from '../clock.ts';
import { readJsonFiles } from '../json.ts';
import type { FunctionError, Outcome } from './function-definition.ts';

/** An accepted asynchronous invocation that has not completed. */
export interface AcceptedInvocation {
  request_id: string;
  function_arn: string;
  payload: string;
  /** Milliseconds since 1970. */
  accepted_at: number;
  /** Attempts that ended with an error of the function. */
  failures: number;
  /** When the next attempt may start, in milliseconds since 1970. */
  not_before: number;
  /** Kept in memory only: lost when the process ends. */
  volatile?: boolean;
}

export interface AsyncQueueOptions {
  /** Holds one file per accepted invocation. */
  directory: string;
  clock: Clock;
  /**
   * Runs one attempt. A rejection (a throttle, or an error of this machine) does not count as a failure: the attempt is
   * repeated.
   */
  run(invocation: AcceptedInvocation): Promise<Outcome>;
  /** Whether the template still has the function. */
  hasFunction(functionArn: string): boolean;
  /** Retries after the first attempt, and the age in seconds after which no attempt is repeated. */
  retryLimits(functionArn: string): { maximum_retry_attempts: number; maximum_event_age_seconds: number };
  /** Stores an invocation whose retries are used up, before it is removed. */
  deadLetter(invocation: AcceptedInvocation, error: FunctionError): Promise<void>;
}

/** Lambda's queue of asynchronous invocations. An accepted invocation runs at least once, even after a kill. */
export interface AsyncQueue {
  /** Resolves when the invocation is on disk, unless it is volatile. @param delay in milliseconds @default 0 */
  accept(
    invocation: Pick<AcceptedInvocation, 'request_id' | 'function_arn' | 'payload' | 'volatile'>,
    delay?: number,
  ): Promise<void>;
  /** Resumes the invocations of an earlier process. Those of removed functions stay on disk. */
  resume(): Promise<void>;
  /** Resolves when no attempt is running. Invocations that wait for a retry do not count. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Lambda's delays before the second and the third attempt. */
const retryDelays = [60_000, 120_000];
/** Delay before an attempt is repeated that did not run the function. */
const rerunDelay = 1000;

export function createAsyncQueue(options: AsyncQueueOptions): AsyncQueue {
  const { directory, clock } = options;
  const cancels = new Set<() => void>();
  const attempts = new Set<Promise<void>>();
  let closed = false;

  const fileOf = (invocation: AcceptedInvocation) => path.join(directory, `${invocation.request_id}.json`);
  const write = async (invocation: AcceptedInvocation) => {
    if (!invocation.volatile) await writeFileWhole(fileOf(invocation), JSON.stringify(invocation));
  };

  const schedule = (invocation: AcceptedInvocation) => {
    if (closed) return;
    const wait = invocation.not_before - clock.now();
    if (wait <= 0) return start(invocation);
    const cancel = clock.after(wait, () => {
      cancels.delete(cancel);
      start(invocation);
    });
    cancels.add(cancel);
  };
  const start = (invocation: AcceptedInvocation) => {
    const attempt = runAttempt(invocation)
      .catch(() => rerun({ ...invocation, not_before: clock.now() + rerunDelay }))
      .finally(() => attempts.delete(attempt));
    attempts.add(attempt);
  };
  /** Repeats an attempt that did not run the function, unless the event is too old by then, as after a long throttle. */
  const rerun = async (invocation: AcceptedInvocation): Promise<void> => {
    if (!isTooOld(invocation)) return schedule(invocation);
    await options.deadLetter(invocation, { errorType: 'EventAgeExceeded', errorMessage: 'The event is too old.' });
    await rm(fileOf(invocation), { force: true });
  };
  const isTooOld = ({ function_arn, accepted_at, not_before }: AcceptedInvocation): boolean =>
    not_before - accepted_at > options.retryLimits(function_arn).maximum_event_age_seconds * 1000;
  const runAttempt = async (invocation: AcceptedInvocation): Promise<void> => {
    const outcome = await options.run(invocation);
    if ('error' in outcome) {
      // Stopping a worker appears as a crash. The next process tries again.
      if (closed) return;
      const next = nextAttempt(invocation);
      if (next) {
        await write(next);
        return schedule(next);
      }
      await options.deadLetter(invocation, outcome.error);
    }
    await rm(fileOf(invocation), { force: true });
  };
  const nextAttempt = (invocation: AcceptedInvocation): AcceptedInvocation | undefined => {
    const failures = invocation.failures + 1;
    if (failures > options.retryLimits(invocation.function_arn).maximum_retry_attempts) return undefined;
    const not_before = clock.now() + retryDelays[invocation.failures]!;
    const next = { ...invocation, failures, not_before };
    return isTooOld(next) ? undefined : next;
  };

  return {
    async accept(request, delay = 0) {
      const invocation = { ...request, accepted_at: clock.now(), failures: 0, not_before: clock.now() + delay };
      await write(invocation);
      schedule(invocation);
    },
    async resume() {
      const stored = await readJsonFiles<AcceptedInvocation>(directory);
      const known = stored.filter((invocation) => options.hasFunction(invocation.function_arn));
      for (const invocation of known.sort((one, other) => one.accepted_at - other.accepted_at)) schedule(invocation);
    },
    async idle() {
      while (attempts.size > 0) await Promise.all(attempts);
    },
    async close() {
      closed = true;
      for (const cancel of cancels) cancel();
    },
  };
}
