import { Duration } from 'aws-cdk-lib';
import type { RetryProps } from 'aws-cdk-lib/aws-stepfunctions';
import { errorNames } from '../../functions/shared/errors.ts';

/*
 * When a state of the workflow is tried again, and for how long. Each policy counts its own attempts. An attempt that fails costs
 * 3 of the 25,000 events of an execution's history, so that all the patience below fits into one execution beside its polls.
 * There is no jitter: a model's permits, seven at the most, bound how many executions can ask at once.
 */

/** Wan forgets a task after 24 hours. */
const lifeOfTask = Duration.hours(24);

/** Wan throttles or is down: no reason to fail a video. Waits 5, 10, 20, 40 s (75 s), then 60 s each: 75 s + 1,439 × 60 s = 24 h. */
export const wanTrouble: RetryProps = {
  errors: [errorNames.wanThrottled, errorNames.wanUnavailable],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  maxAttempts: 4 + 1439,
};

/** The answer to a submit was lost: each run looks at Wan's list once, which decides after 2 minutes (`uncertainSeconds`). 720 × 5 s = 1 h is room for 30 such rounds. */
export const submissionUncertain: RetryProps = {
  errors: [errorNames.submissionUncertain],
  interval: Duration.seconds(5),
  backoffRate: 1,
  maxAttempts: 720,
};

/**
 * Another video with the same model and prompt is uncertain: goes on soon after that is decided, and waits for several of them in
 * turn. Waits 5, 10 s (15 s), then 20 s each: 15 s + 540 × 20 s = 3 h.
 */
export const submissionFenced: RetryProps = {
  errors: [errorNames.submissionFenced],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.seconds(20),
  maxAttempts: 2 + 540,
};

/** Wan forgets tasks after 24 hours, and may not know one for a moment before. Waits 5, 10, 20, 40 s: 75 s, then it is believed. */
export const taskUnknown: RetryProps = {
  errors: [errorNames.taskUnknown],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxAttempts: 4,
};

/** The download broke off, or what Wan serves is broken. Waits 5, 10, 20, 40, 80, 160 s (315 s), then 300 s each: 315 s + 287 × 300 s = 24 h, which is as long as Wan keeps the file. */
export const archiveInterrupted: RetryProps = {
  errors: [errorNames.archiveInterrupted, errorNames.videoBroken],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.minutes(5),
  maxAttempts: 6 + 287,
};

/** Time for somebody to put the host on the list before Wan forgets the file. 144 × 10 min = 24 h. */
export const untrustedVideoHost: RetryProps = {
  errors: [errorNames.untrustedVideoHost],
  interval: Duration.minutes(10),
  backoffRate: 1,
  maxAttempts: lifeOfTask.toMinutes() / 10,
};

/** Lambda itself: no free concurrency, or trouble of the service. Waits 2, 4, 8, 16, 32 s (62 s), then 60 s each: 62 s + 59 × 60 s = 1 h. */
export const lambdaService: RetryProps = {
  errors: [
    'Lambda.TooManyRequestsException',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
  ],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  maxAttempts: 5 + 59,
};

/**
 * The function was cut off: by its timeout or the state's, by memory, by a crash, each with a name of its own. Safe for a submit
 * too, since the ledger makes the next run look before it sends. Waits 5, 10, 20, 40 s, then 60 s each, about 7 min in all
 * beside the time of the runs themselves.
 */
export const functionCutOff: RetryProps = {
  errors: ['States.Timeout', 'Sandbox.Timedout', 'Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory'],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxDelay: Duration.seconds(60),
  maxAttempts: 10,
};

/** RecordFailure leaves the video to the sweep on purpose: trying again would change nothing. */
export const unexplained: RetryProps = { errors: [errorNames.unexplained], maxAttempts: 0 };

/** What has no name here, DynamoDB's bad moments among it: 5 + 10 + 20 + 40 s, then it is taken as an ending. */
export const surprise: RetryProps = {
  errors: ['States.ALL'],
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxAttempts: 4,
};
