import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileWhole } from '../../wan/write-file.ts';
import type { Clock } from '../clock.ts';
import type { FunctionError, Outcome } from './function-definition.ts';

/** An asynchronous invocation that was accepted and is not settled. */
export interface AcceptedInvocation {
  request_id: string;
  function_arn: string;
  payload: string;
  /** Milliseconds since 1970. */
  accepted_at: number;
  /** Tries that ended with an error of the function. */
  failures: number;
  /** Milliseconds since 1970: no try before. */
  not_before: number;
  /** Never on disk: it is gone with the process. */
  volatile?: boolean;
}

export interface AsyncQueueOptions {
  /** One file per accepted invocation. */
  directory: string;
  clock: Clock;
  /** One try. A rejection is trouble of this machine or a throttle: it counts as no failure and is repeated. */
  run(invocation: AcceptedInvocation): Promise<Outcome>;
  /** Whether the template still has the function. */
  knows(functionArn: string): boolean;
  /** Tries after the first, and the age (in seconds) after which none begins. */
  limits(functionArn: string): { maximum_retry_attempts: number; maximum_event_age_seconds: number };
  /** Stores what was given up, before it is forgotten. */
  giveUp(invocation: AcceptedInvocation, error: FunctionError): Promise<void>;
}

/** Lambda's queue of asynchronous invocations. What it accepted runs at least once, whatever happens to this process. */
export interface AsyncQueue {
  /** Resolves when the invocation is on disk, unless it is volatile. @param delay in milliseconds @default 0 */
  accept(
    invocation: Pick<AcceptedInvocation, 'request_id' | 'function_arn' | 'payload' | 'volatile'>,
    delay?: number,
  ): Promise<void>;
  /** Takes up what an earlier process left. What is for a function that is gone stays on disk. */
  resume(): Promise<void>;
  /** Resolves when nothing is being tried right now. Invocations that wait for their next try don't count. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Lambda waits a minute before the second try and two before the third. */
const retryDelays = [60_000, 120_000];
/** Before a try is repeated that ran no function: a throttle, or trouble with the disk. */
const repeatMilliseconds = 1000;

export function createAsyncQueue(options: AsyncQueueOptions): AsyncQueue {
  const { directory, clock } = options;
  const cancels = new Set<() => void>();
  const trying = new Set<Promise<void>>();
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
    const attempt = tryOnce(invocation)
      .catch(() => schedule({ ...invocation, not_before: clock.now() + repeatMilliseconds }))
      .finally(() => trying.delete(attempt));
    trying.add(attempt);
  };
  const tryOnce = async (invocation: AcceptedInvocation): Promise<void> => {
    const outcome = await options.run(invocation);
    if ('error' in outcome) {
      // The workers are being ended: what looks like a crash is none, and the next process tries again.
      if (closed) return;
      const next = nextTry(invocation);
      if (next) {
        await write(next);
        return schedule(next);
      }
      await options.giveUp(invocation, outcome.error);
    }
    await rm(fileOf(invocation), { force: true });
  };
  const nextTry = (invocation: AcceptedInvocation): AcceptedInvocation | undefined => {
    const limits = options.limits(invocation.function_arn);
    const failures = invocation.failures + 1;
    if (failures > limits.maximum_retry_attempts) return undefined;
    const not_before = clock.now() + retryDelays[invocation.failures]!;
    const tooOld = not_before - invocation.accepted_at > limits.maximum_event_age_seconds * 1000;
    return tooOld ? undefined : { ...invocation, failures, not_before };
  };

  return {
    async accept(given, delay = 0) {
      const invocation = { ...given, accepted_at: clock.now(), failures: 0, not_before: clock.now() + delay };
      await write(invocation);
      schedule(invocation);
    },
    async resume() {
      const files = await readdir(directory).catch(() => []);
      const left = await Promise.all(
        files
          .filter((file) => file.endsWith('.json'))
          .map(async (file) => JSON.parse(await readFile(path.join(directory, file), 'utf8')) as AcceptedInvocation),
      );
      const wanted = left.filter((invocation) => options.knows(invocation.function_arn));
      for (const invocation of wanted.sort((one, other) => one.accepted_at - other.accepted_at)) schedule(invocation);
    },
    async idle() {
      while (trying.size > 0) await Promise.all(trying);
    },
    async close() {
      closed = true;
      for (const cancel of cancels) cancel();
    },
  };
}
