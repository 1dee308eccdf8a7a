import { Duration } from 'aws-cdk-lib';
import type { RetryProps } from 'aws-cdk-lib/aws-stepfunctions';
import { errorNames } from '../../functions/shared/errors.ts';

/*
 * The retry policies of the state machine. Each policy counts its own attempts. A failed attempt takes 3 of the 25,000 events of
 * an execution's history, so all retries below and the sleeps fit into one execution. There is no jitter, since a model's permits
 * (seven at most by default) limit how many executions call Wan concurrently.
 */

interface Backoff {
  /** Seconds before the first retry. */
  first: number;
  /** The factor between one wait and the next. @default 2 */
  rate?: number;
  /** The longest wait in seconds. @default - unlimited */
  longest?: number;
  attempts: number;
}

const retry = (errors: string[], { first, rate = 2, longest, attempts }: Backoff): RetryProps => ({
  errors,
  interval: Duration.seconds(first),
  backoffRate: rate,
  ...(longest === undefined ? {} : { maxDelay: Duration.seconds(longest) }),
  maxAttempts: attempts,
});

/**
 * Wan throttles or is unavailable, which should not fail a video. Waits 5, 10, 20, 40 s (75 s), then 60 s each:
 * 75 s + 1,439 × 60 s = 24 h.
 */
export const wanUnavailable = retry([errorNames.wanThrottled, errorNames.wanUnavailable], {
  first: 5,
  longest: 60,
  attempts: 4 + 1439,
});

/**
 * The response to a submission was lost. Each attempt reads Wan's task list once, which decides after 2 minutes
 * (`uncertainSeconds`). 720 × 5 s = 1 h leaves room for 30 such searches.
 */
export const submissionUncertain = retry([errorNames.submissionUncertain], { first: 5, rate: 1, attempts: 720 });

/**
 * Another video with the same model and prompt is uncertain. Continues soon after that is decided; several such videos may follow
 * each other. Waits 5, 10 s (15 s), then 20 s each: 15 s + 540 × 20 s = 3 h.
 */
export const promptLocked = retry([errorNames.promptLocked], { first: 5, longest: 20, attempts: 2 + 540 });

/**
 * Wan does not know the task: it has deleted it after 24 hours, or briefly fails to find it. `UNKNOWN` is final after waits of
 * 5, 10, 20, 40 s (75 s).
 */
export const taskUnknown = retry([errorNames.taskUnknown], { first: 5, attempts: 4 });

/**
 * The download was interrupted, or the file from Wan is broken. Waits 5, 10, 20, 40, 80, 160 s (315 s), then 300 s each:
 * 315 s + 287 × 300 s = 24 h, which is how long Wan keeps the file.
 */
export const archiveInterrupted = retry([errorNames.archiveInterrupted, errorNames.videoBroken], {
  first: 5,
  longest: 5 * 60,
  attempts: 6 + 287,
});

/**
 * Gives the operator time to trust the host before Wan deletes the file, and continues soon after that. 720 × 2 min = 24 h, at most
 * 2,160 events.
 */
export const untrustedVideoHost = retry([errorNames.untrustedVideoHost], {
  first: 2 * 60,
  rate: 1,
  attempts: 720,
});

/** Lambda has no free concurrency or fails itself. Waits 2, 4, 8, 16, 32 s (62 s), then 60 s each: 62 s + 59 × 60 s = 1 h. */
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
 * The function was interrupted by its timeout, the state's timeout, lack of memory or a crash, each with its own error name. A
 * retry is safe for a submission as well, since the ledger makes the next attempt check Wan before it submits. Waits 5, 10, 20,
 * 40 s, then 60 s each: about 7 min in total, plus the duration of the attempts.
 */
export const functionCutOff = retry(
  ['States.Timeout', 'Sandbox.Timedout', 'Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory'],
  { first: 5, longest: 60, attempts: 10 },
);

/** RecordFailure leaves the video to the sweep on purpose. A retry would change nothing. */
export const unhandled: RetryProps = { errors: [errorNames.unhandled], maxAttempts: 0 };

/** Any other error, such as a transient one of DynamoDB. Waits 5, 10, 20, 40 s, then the run fails. */
export const unexpectedError = retry(['States.ALL'], { first: 5, attempts: 4 });
