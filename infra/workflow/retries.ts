import { Duration } from 'aws-cdk-lib';
import type { RetryProps } from 'aws-cdk-lib/aws-stepfunctions';
import { errorNames } from '../../functions/shared/errors.ts';

/*
 * When a state of the workflow is tried again, and for how long. Each policy counts its own attempts. An attempt that fails costs
 * 3 of the 25,000 events of an execution's history, so that all the patience below fits into one execution beside its sleeps.
 * There is no jitter: a model's permits, seven at the most, bound how many executions can ask at once.
 */

interface Waits {
  /** Seconds before the first retry. */
  first: number;
  /** What each wait is multiplied by for the next one. @default 2 */
  rate?: number;
  /** The most seconds that one wait lasts. @default - as long as it becomes */
  longest?: number;
  attempts: number;
}

const retry = (errors: string[], { first, rate = 2, longest, attempts }: Waits): RetryProps => ({
  errors,
  interval: Duration.seconds(first),
  backoffRate: rate,
  ...(longest === undefined ? {} : { maxDelay: Duration.seconds(longest) }),
  maxAttempts: attempts,
});

/** Wan throttles or is down: no reason to fail a video. Waits 5, 10, 20, 40 s (75 s), then 60 s each: 75 s + 1,439 × 60 s = 24 h. */
export const wanUnavailable = retry([errorNames.wanThrottled, errorNames.wanUnavailable], {
  first: 5,
  longest: 60,
  attempts: 4 + 1439,
});

/** The answer to a submit was lost: each run looks at Wan's list once, which decides after 2 minutes (`uncertainSeconds`). 720 × 5 s = 1 h is room for 30 such rounds. */
export const submissionUncertain = retry([errorNames.submissionUncertain], { first: 5, rate: 1, attempts: 720 });

/**
 * Another video with the same model and prompt is uncertain: goes on soon after that is decided, and waits for several of them in
 * turn. Waits 5, 10 s (15 s), then 20 s each: 15 s + 540 × 20 s = 3 h.
 */
export const promptLocked = retry([errorNames.promptLocked], { first: 5, longest: 20, attempts: 2 + 540 });

/** Wan forgets tasks after 24 hours, and may not know one for a moment before. Waits 5, 10, 20, 40 s: 75 s, then it is believed. */
export const taskUnknown = retry([errorNames.taskUnknown], { first: 5, attempts: 4 });

/** The download broke off, or what Wan serves is broken. Waits 5, 10, 20, 40, 80, 160 s (315 s), then 300 s each: 315 s + 287 × 300 s = 24 h, which is as long as Wan keeps the file. */
export const archiveInterrupted = retry([errorNames.archiveInterrupted, errorNames.videoBroken], {
  first: 5,
  longest: 5 * 60,
  attempts: 6 + 287,
});

/** Time for somebody to put the host on the list before Wan forgets the file. 144 × 10 min = 24 h. */
export const untrustedVideoHost = retry([errorNames.untrustedVideoHost], {
  first: 10 * 60,
  rate: 1,
  attempts: 144,
});

/** Lambda itself: no free concurrency, or trouble of the service. Waits 2, 4, 8, 16, 32 s (62 s), then 60 s each: 62 s + 59 × 60 s = 1 h. */
export const lambdaService = retry(
  [
    'Lambda.TooManyRequestsException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
  ],
  { first: 2, longest: 60, attempts: 5 + 59 },
);

/**
 * The function was cut off: by its timeout or the state's, by memory, by a crash, each with a name of its own. Safe for a submit
 * too, since the ledger makes the next run look before it sends. Waits 5, 10, 20, 40 s, then 60 s each, about 7 min in all
 * beside the time of the runs themselves.
 */
export const functionCutOff = retry(
  ['States.Timeout', 'Sandbox.Timedout', 'Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory'],
  { first: 5, longest: 60, attempts: 10 },
);

/** RecordFailure leaves the video to the sweep on purpose: trying again would change nothing. */
export const unhandled: RetryProps = { errors: [errorNames.unhandled], maxAttempts: 0 };

/** What has no name here, DynamoDB's bad moments among it: 5 + 10 + 20 + 40 s, then it is taken as an ending. */
export const unexpectedError = retry(['States.ALL'], { first: 5, attempts: 4 });
