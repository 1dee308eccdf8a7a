import { Duration } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { ComparisonOperator, type Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { type Canary, canaryPeriod } from '../functions/canary.ts';
import type { Drops } from '../functions/drops.ts';
import type { Maintenance } from '../functions/maintenance.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import { functionMetric, ourMetric } from './metrics.ts';

/** What is watched. */
export interface Watched {
  readonly restApi: RestApi;
  readonly stateMachine: StateMachine;
  readonly drops: Drops;
  readonly maintenance: Maintenance;
  readonly canary: Canary;
}

/** When an alarm rings, and what its reader is told. */
export interface AlarmDefinition {
  readonly metric: Metric;
  /** @default - at least the threshold */
  readonly comparisonOperator?: ComparisonOperator;
  /** @default 1 */
  readonly threshold?: number;
  /** @default 1 */
  readonly evaluationPeriods?: number;
  /** @default - none is good: a figure that is reported when something happens */
  readonly treatMissingData?: TreatMissingData;
  /** A sentence. */
  readonly meaning: string;
  /** What to do first, as a sentence. */
  readonly fix: string;
  /** Of the entry in docs/runbook.md. */
  readonly anchor: string;
}

const fiveMinutes = Duration.minutes(5);
/** Of the 24 hours in which Wan keeps a video: after 20 of them in vain, a person has 4. */
const minutesToReact = 4 * 60;

/** Of a figure that is told all the time: none means that nothing tells it any more. */
const whenNone = {
  comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
  treatMissingData: TreatMissingData.BREACHING,
} as const;

/** The alarms by name. */
export const alarmDefinitions = ({
  restApi,
  stateMachine,
  drops,
  maintenance,
  canary,
}: Watched): Record<string, AlarmDefinition> => ({
  UpstreamTasksAboveOne: {
    metric: ourMetric('UpstreamTasksPerVideo', 'Maximum', fiveMinutes),
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    meaning: 'A video has more than one task at Wan, so it may have been paid for twice.',
    fix: 'Find the video in the logs and compare its record with the bill.',
    anchor: 'upstream-tasks-above-one',
  },
  QueuePaused: {
    metric: ourMetric('QueuePaused', 'Sum', fiveMinutes),
    meaning: 'Wan refuses the account, so videos wait; none fails.',
    fix: "Check Wan's key, the account's balance and its permissions.",
    anchor: 'queue-paused',
  },
  UntrustedVideoHost: {
    // Longer than the ten minutes between two attempts, so that one host rings once and not at each attempt.
    metric: ourMetric('UntrustedVideoHost', 'Sum', Duration.minutes(15)),
    meaning: "Wan's link to a finished video points to an untrusted host, so the video is not downloaded.",
    fix: "The metric by host and the log of archive-video name it: if it is Wan's, add it to the setting videoHosts and deploy within 24 hours of the submission, and the waiting download continues.",
    anchor: 'untrusted-video-host',
  },
  UpstreamExpiryNear: {
    metric: ourMetric('MinutesToUpstreamExpiry', 'Minimum', fiveMinutes),
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    threshold: minutesToReact,
    // The sweep tells nothing while no video is at Wan. That it runs is watched by alarms of its own.
    meaning: `Wan forgets a task in less than ${minutesToReact} minutes, and its video is not archived.`,
    fix: 'Find out what keeps it from being archived while Wan still has it.',
    anchor: 'upstream-expiry-near',
  },
  TasksUnwatched: {
    metric: ourMetric('SecondsUnwatched', 'Maximum', fiveMinutes),
    threshold: fiveMinutes.toSeconds(),
    meaning:
      'Executions have waited for tasks for 5 minutes without a living watcher: endings are noticed up to 15 minutes late.',
    fix: "Look at the watcher's log and at its schedule.",
    anchor: 'tasks-unwatched',
  },
  WanThrottles: {
    // A single 429 is retried and hurts nobody; lanes and clocks keep so far below the limits that 5 in each of three periods show
    // that somebody else uses the account, or that its limits are lower than we think.
    metric: ourMetric('WanThrottled', 'Sum', fiveMinutes),
    threshold: 5,
    evaluationPeriods: 3,
    meaning: 'Wan has answered 429 for a quarter of an hour, so videos come later.',
    fix: "Look for another user of the account, and compare its limits with the setting 'limits'.",
    anchor: 'wan-throttles',
  },
  CanaryFails: {
    metric: ourMetric('CanaryFailed', 'Minimum', canaryPeriod),
    // An outage of Wan's of a few minutes mends itself.
    evaluationPeriods: 3,
    // A look may fall a second into the next period; that none comes at all is the other alarm's to tell.
    treatMissingData: TreatMissingData.IGNORE,
    meaning: 'Three looks at Wan in a row were refused or not answered.',
    fix: "The canary's log says which: check Wan's key and account, or Wan's status page.",
    anchor: 'canary-fails',
  },
  CanarySilent: {
    ...whenNone,
    metric: ourMetric('CanaryFailed', 'SampleCount', Duration.minutes(4 * canaryPeriod.toMinutes())),
    meaning:
      'The canary has told nothing for four periods: it does not run, or figures do not get from logs to metrics.',
    fix: "Check the canary's schedule and log, and with it whether other metrics still come.",
    anchor: 'canary-silent',
  },
  DropDeadLetters: deadLetters(drops.deadLetters, 'drops'),
  UpkeepDeadLetters: deadLetters(maintenance.deadLetters, 'the dispatch or the sweep'),
  WorkflowFails: {
    metric: stateMachine.metricFailed({ statistic: 'Sum', period: fiveMinutes }),
    meaning: 'A run of a video failed by something that it has no answer for; the sweep resumes the video.',
    fix: "Read the execution's history, and look whether the next run gets further.",
    anchor: 'workflow-fails',
  },
  WorkflowTimesOut: {
    metric: stateMachine.metricTimedOut({ statistic: 'Sum', period: fiveMinutes }),
    meaning: 'A run of a video lasted longer than Wan keeps a task, so it was ended.',
    fix: "Read the execution's history: it says what the video waited for.",
    anchor: 'workflow-times-out',
  },
  DropsWaitLong: {
    metric: drops.waiting.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: fiveMinutes }),
    // SQS leaves out of this age what was delivered three times: the alarm rings before the third delivery, or not at all.
    threshold: drops.longestWait.toSeconds(),
    treatMissingData: TreatMissingData.IGNORE,
    meaning: 'A dropped image whose wait for a sidecar is over was not handled, or not even delivered to the function.',
    fix: 'Read the log of the function drop, and look whether its event source mapping is enabled.',
    anchor: 'drops-wait-long',
  },
  DropFails: functionFails(drops.drop, 'drop'),
  DispatchFails: functionFails(maintenance.dispatch, 'dispatch'),
  SweepFails: functionFails(maintenance.sweep, 'sweep'),
  CanaryBreaks: functionFails(canary.canary, 'canary'),
  DispatchSilent: functionIsSilent(maintenance.dispatch, 'dispatch', Duration.minutes(15)),
  SweepSilent: functionIsSilent(maintenance.sweep, 'sweep', Duration.minutes(30)),
  ApiFails: {
    metric: restApi.deploymentStage.metricServerError({ statistic: 'Sum', period: fiveMinutes }),
    threshold: 5,
    meaning: 'The API answered 5xx five times in five minutes.',
    fix: "Look for the requests in the API's access log, and for their ids in the functions' logs.",
    anchor: 'api-fails',
  },
});

const deadLetters = (queue: Queue, of: string): AlarmDefinition => ({
  metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: fiveMinutes }),
  // SQS tells nothing of a queue that nobody has touched for six hours, whatever lies in it: an alarm that rang goes on ringing.
  treatMissingData: TreatMissingData.IGNORE,
  meaning: `An event for ${of} could not be handled and was put aside.`,
  fix: "Read it and the function's log, mend the cause, send it again.",
  anchor: 'dead-letters',
});

const functionFails = (of: PipelineFunction, name: string): AlarmDefinition => ({
  // An event is tried three times, so one mishap that mends itself does not ring.
  metric: functionMetric(of, 'Errors', 'Sum', Duration.minutes(15)),
  threshold: 3,
  meaning: `The function ${name}, for which nobody waits, failed three times in a quarter of an hour.`,
  fix: 'Read its log for the error.',
  anchor: 'function-fails',
});

const functionIsSilent = (of: PipelineFunction, name: string, after: Duration): AlarmDefinition => ({
  ...whenNone,
  metric: functionMetric(of, 'Invocations', 'Sum', after),
  meaning: `The function ${name} was not called for ${after.toMinutes()} minutes, although a schedule calls it.`,
  fix: "Check its schedule in EventBridge and the account's concurrency.",
  anchor: 'function-silent',
});
