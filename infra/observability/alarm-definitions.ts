import { Duration } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import {
  ComparisonOperator,
  type IMetric,
  MathExpression,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { ApiFunctions } from '../api/api-functions.ts';
import { type Canary, canaryPeriod } from '../functions/canary.ts';
import type { Drops } from '../functions/drops.ts';
import type { Maintenance } from '../functions/maintenance.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import type { Webhooks } from '../functions/webhooks.ts';
import { type DeploymentMetrics, functionMetric } from './metrics.ts';

/** The constructs that alarms and dashboard monitor. */
export interface MonitoredConstructs {
  readonly metrics: DeploymentMetrics;
  readonly restApi: RestApi;
  /** The functions behind the routes. */
  readonly api: ApiFunctions;
  readonly stateMachine: StateMachine;
  readonly drops: Drops;
  readonly maintenance: Maintenance;
  readonly webhooks: Webhooks;
  readonly canary: Canary;
}

/** When an alarm rings, and its description. */
export interface AlarmDefinition {
  readonly metric: IMetric;
  /** @default - greater than or equal to the threshold */
  readonly comparisonOperator?: ComparisonOperator;
  /** @default 1 */
  readonly threshold?: number;
  /** @default 1 */
  readonly evaluationPeriods?: number;
  /** @default - not breaching, for a metric that is only recorded when something happens */
  readonly treatMissingData?: TreatMissingData;
  /** A sentence. */
  readonly meaning: string;
  /** What to do first. A sentence. */
  readonly fix: string;
  /** The anchor of its entry in docs/runbook.md. */
  readonly anchor: string;
}

const fiveMinutes = Duration.minutes(5);
/** Wan keeps a video for 24 hours. The alarm rings after 20, which leaves 4 hours to react. */
const expiryWarningMinutes = 4 * 60;

/**
 * Rings when a metric that is recorded continuously has no data for one period. Gaps count as zeros: without them, CloudWatch
 * evaluates the last data point as long as one of about five periods has one, for any `treatMissingData`. After these periods
 * FILL may have nothing to fill: the alarm then keeps its state, so that it does not end while the silence lasts, and does not
 * ring before the first data point of a new deployment.
 */
const silent = (metric: Metric) => ({
  metric: new MathExpression({ expression: 'FILL(m, 0)', usingMetrics: { m: metric }, period: metric.period }),
  comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
  treatMissingData: TreatMissingData.IGNORE,
});

/** Returns the alarms by name. */
export const alarmDefinitions = ({
  metrics: { ourMetric },
  restApi,
  api,
  stateMachine,
  drops,
  maintenance,
  webhooks,
  canary,
}: MonitoredConstructs): Record<string, AlarmDefinition> => ({
  UpstreamTasksAboveOne: {
    metric: ourMetric('UpstreamTasksPerVideo', 'Maximum', fiveMinutes),
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    meaning: 'A video has more than one task at Wan, so it may have been paid for twice.',
    fix: 'Find the video in the logs and compare its record with the bill.',
    anchor: 'upstream-tasks-above-one',
  },
  QueuePaused: {
    metric: ourMetric('QueuePaused', 'Sum', fiveMinutes),
    meaning: 'Wan refuses the account, so videos wait. No video fails.',
    fix: "Read the reason in the log of create-task or in the dimension of the metric. A reason that starts with key_ names what is wrong with the text of Wan's key: the word Bearer, a name, quotes, a comment, several lines or invisible characters. Otherwise check the key, the account's balance and its permissions.",
    anchor: 'queue-paused',
  },
  UntrustedVideoHost: {
    // Longer than the two minutes between two attempts, so that a host rings once, not at each attempt.
    metric: ourMetric('UntrustedVideoHost', 'Sum', Duration.minutes(15)),
    meaning: "Wan's link to a finished video points to an untrusted host, so the video is not downloaded.",
    fix: "Find the host in the metric and in the log of archive-video. If it is Wan's, run `npm run catalogue -- host add HOST` within 24 hours of the submission; the download continues within two minutes.",
    anchor: 'untrusted-video-host',
  },
  DownloadBlocked: {
    // Longer than the five minutes between two attempts.
    metric: ourMetric('DownloadBlocked', 'Sum', Duration.minutes(15)),
    meaning: 'A finished video cannot be downloaded from Wan, and repetition is not expected to help.',
    fix: 'Read the kind and the reason in the log of archive-video or in the dimension of the metric, before Wan deletes the video 24 hours after its submission.',
    anchor: 'download-blocked',
  },
  UnknownTaskStatus: {
    metric: ourMetric('UnknownTaskStatus', 'Sum', Duration.minutes(15)),
    meaning: 'Wan returned a task status that it does not document. The video waits until Wan returns a known one.',
    fix: "Find the status in the metric or in the log of check-task, and its meaning in Wan's documentation or by Alibaba Cloud's support.",
    anchor: 'unknown-task-status',
  },
  UpstreamExpiryNear: {
    metric: ourMetric('MinutesToUpstreamExpiry', 'Minimum', fiveMinutes),
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    threshold: expiryWarningMinutes,
    // The sweep records nothing while no video is at Wan. Other alarms detect that the sweep does not run.
    meaning: `Wan deletes a task in less than ${expiryWarningMinutes} minutes, and its video is not archived.`,
    fix: 'Find out what prevents the download before Wan deletes the video.',
    anchor: 'upstream-expiry-near',
  },
  TasksUnwatched: {
    metric: ourMetric('SecondsUnwatched', 'Maximum', fiveMinutes),
    threshold: fiveMinutes.toSeconds(),
    meaning:
      'Executions have waited for tasks for 5 minutes without a running watcher, so ended tasks are noticed up to 15 minutes late.',
    fix: "Check the watcher's log and its schedule.",
    anchor: 'tasks-unwatched',
  },
  WanThrottles: {
    // A single 429 is retried and harmless. Model queues and rate limiters stay so far below the limits that 5 in each of three
    // periods mean that another program uses the account, or that the account has lower limits than configured.
    metric: ourMetric('WanThrottled', 'Sum', fiveMinutes),
    threshold: 5,
    evaluationPeriods: 3,
    meaning: 'Wan has answered 429 for a quarter of an hour, so videos finish later.',
    fix: "Find out who else uses the account, and compare its limits with the setting 'limits'.",
    anchor: 'wan-throttles',
  },
  CanaryFails: {
    metric: ourMetric('CanaryFailed', 'Minimum', canaryPeriod),
    // An outage of a few minutes ends by itself.
    evaluationPeriods: 3,
    // A check may fall a second into the next period. CanarySilent detects missing checks.
    treatMissingData: TreatMissingData.IGNORE,
    meaning: 'Three consecutive checks of Wan were refused or not answered.',
    fix: "Read the outcome, the cause and the message in the canary's log: a cause that starts with key_ names what is wrong with the text of Wan's key. Then check the key and the account, or Wan's status page.",
    anchor: 'canary-fails',
  },
  CanarySilent: {
    ...silent(ourMetric('CanaryFailed', 'SampleCount', Duration.minutes(4 * canaryPeriod.toMinutes()))),
    meaning:
      'The canary has recorded no metric for four periods: it does not run, or metrics are no longer extracted from logs.',
    fix: "Check the canary's schedule and log, and whether other metrics still arrive.",
    anchor: 'canary-silent',
  },
  DropDeadLetters: deadLetters(drops.deadLetters, 'drops'),
  MaintenanceDeadLetters: deadLetters(maintenance.deadLetters, 'the sweep'),
  WebhookDeadLetters: deadLetters(webhooks.deadLetters, 'webhooks'),
  WorkflowFails: {
    metric: stateMachine.metricFailed({ statistic: 'Sum', period: fiveMinutes }),
    meaning: 'A run of a video failed with an error that no step handles. The sweep restarts the video.',
    fix: "Read the execution's history, and check whether the next run continues past the error.",
    anchor: 'workflow-fails',
  },
  WorkflowTimesOut: {
    metric: stateMachine.metricTimedOut({ statistic: 'Sum', period: fiveMinutes }),
    meaning: 'A run of a video lasted longer than Wan keeps a task and was ended.',
    fix: "Find out in the execution's history what the video waited for.",
    anchor: 'workflow-times-out',
  },
  DropsWaitLong: {
    metric: drops.waiting.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: fiveMinutes }),
    // This metric of SQS excludes messages that were received three times, so the alarm must ring before the third delivery.
    threshold: drops.longestWait.toSeconds(),
    treatMissingData: TreatMissingData.IGNORE,
    meaning: 'A dropped image is past its wait for a sidecar but was not handled, or not delivered to the function.',
    fix: 'Read the log of the function drop, and check whether its event source mapping is enabled.',
    anchor: 'drops-wait-long',
  },
  WebhookFailed: {
    metric: ourMetric('WebhookFailed', 'Sum', fiveMinutes),
    meaning: 'An event could not be delivered to a webhook for 24 hours and was given up.',
    fix: "Find the video and the host in the log of deliver, ask the receiver's operator, and repeat the delivery.",
    anchor: 'webhook-failed',
  },
  WebhooksWaitLong: waitsLong(webhooks.queue, fiveMinutes, 'An event has waited for its webhook for 5 minutes.'),
  SlowWebhooksWaitLong: waitsLong(
    webhooks.slowQueue,
    Duration.minutes(30),
    'An event has waited for a slow or failing webhook for 30 minutes. Other webhooks are not affected.',
  ),
  DropFails: functionFails(drops.drop, 'drop'),
  DeliverFails: functionFails(webhooks.deliver, 'deliver'),
  DispatchFails: functionFails(maintenance.dispatch, 'dispatch'),
  SweepFails: functionFails(maintenance.sweep, 'sweep'),
  CanaryBreaks: functionFails(canary.canary, 'canary'),
  DispatchSilent: functionIsSilent(maintenance.dispatch, 'dispatch', Duration.minutes(15)),
  SweepSilent: functionIsSilent(maintenance.sweep, 'sweep', Duration.minutes(30)),
  ApiFails: {
    metric: restApi.deploymentStage.metricServerError({ statistic: 'Sum', period: fiveMinutes }),
    threshold: 5,
    meaning: 'The API returned five or more 5xx responses in five minutes.',
    fix: "Find the requests in the API's access log, and their ids in the functions' logs.",
    anchor: 'api-fails',
  },
  ApiFunctionsFail: {
    // CloudWatch may count the 502 with which a gateway response replaces the error of a function as 4XX, so that ApiFails does
    // not ring for it.
    metric: sumOf(
      [api.submit, api.videos, api.dashscope].flatMap((target) => [
        functionMetric(target, 'Errors', 'Sum', fiveMinutes),
        functionMetric(target, 'Throttles', 'Sum', fiveMinutes),
      ]),
    ),
    threshold: 5,
    meaning: 'The functions submit, videos and dashscope failed or were throttled five or more times in five minutes.',
    fix: "Find the errors in their logs, and compare throttles with the account's concurrency and with apiConcurrency.",
    anchor: 'api-fails',
  },
});

/** Returns the sum of metrics, in which a gap of one counts as zero. */
function sumOf(metrics: readonly Metric[]): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
  const expression = Object.keys(usingMetrics)
    .map((id) => `FILL(${id}, 0)`)
    .join(' + ');
  return new MathExpression({ expression, usingMetrics, period: metrics[0]!.period, label: 'errors and throttles' });
}

const deadLetters = (queue: Queue, source: string): AlarmDefinition => ({
  metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: fiveMinutes }),
  // SQS stops reporting metrics of a queue that was not used for six hours, even if it has messages. The alarm keeps its state
  // meanwhile.
  treatMissingData: TreatMissingData.IGNORE,
  meaning: `An event for ${source} could not be handled and became a dead letter.`,
  fix: "Read it and the function's log, fix the cause, and send it again.",
  anchor: 'dead-letters',
});

const waitsLong = (queue: Queue, after: Duration, meaning: string): AlarmDefinition => ({
  metric: queue.metricApproximateAgeOfOldestMessage({ statistic: 'Maximum', period: fiveMinutes }),
  threshold: after.toSeconds(),
  // As for dead letters.
  treatMissingData: TreatMissingData.IGNORE,
  meaning,
  fix: "Read the log of the function deliver, and check whether its event source mappings are enabled and the account's concurrency.",
  anchor: 'webhooks-wait-long',
});

const functionFails = (target: PipelineFunction, name: string): AlarmDefinition => ({
  // An event is tried three times, and the dispatch runs 15 times, so an error that a retry resolves does not ring.
  metric: functionMetric(target, 'Errors', 'Sum', Duration.minutes(15)),
  threshold: 3,
  meaning: `The function ${name}, which has no waiting caller, failed three times in a quarter of an hour.`,
  fix: 'Find the error in its log.',
  anchor: 'function-fails',
});

const functionIsSilent = (target: PipelineFunction, name: string, after: Duration): AlarmDefinition => ({
  ...silent(functionMetric(target, 'Invocations', 'Sum', after)),
  meaning: `The function ${name} was not invoked for ${after.toMinutes()} minutes, although it has a schedule.`,
  fix: "Check its schedule in EventBridge and the account's concurrency.",
  anchor: 'function-silent',
});
