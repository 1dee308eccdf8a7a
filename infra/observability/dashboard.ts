import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { MetricName } from '../../functions/shared/metric-names.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import type { MonitoredConstructs } from './alarm-definitions.ts';
import { type DeploymentMetrics, functionMetric } from './metrics.ts';

export interface DashboardProps extends MonitoredConstructs {
  readonly alarms: readonly Alarm[];
  /** Every function of the stack. */
  readonly functions: readonly PipelineFunction[];
}

const fiveMinutes = Duration.minutes(5);
const hour = Duration.hours(1);

/** The state of firstframe on one page: alarms, videos, Wan, queues and executions, functions, the API. */
export class Dashboard extends Construct {
  readonly dashboard: CloudWatchDashboard;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    this.dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      defaultInterval: Duration.days(1),
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 5, alarms: [...props.alarms] })],
        videos(props.metrics),
        time(props.metrics),
        wan(props.metrics),
        queuesAndExecutions(props),
        webhooks(props),
        functions(props.functions),
        api(props),
      ],
    });
  }
}

const third = { width: 8, height: 6 } as const;
const graph = (title: string, left: IMetric[], right: IMetric[] = []): IWidget =>
  new GraphWidget({ title, left, right, ...third, leftYAxis: { min: 0 } });

const percentiles = ({ ourMetric }: DeploymentMetrics, name: MetricName): IMetric[] =>
  ['p50', 'p95'].map((label) => ourMetric(name, label, fiveMinutes).with({ label }));

const videos = ({ ourMetric, ourMetricBy }: DeploymentMetrics): IWidget[] => [
  graph('Videos', [
    ourMetric('Submitted', 'Sum', fiveMinutes),
    ourMetric('Succeeded', 'Sum', fiveMinutes),
    ourMetric('Failed', 'Sum', fiveMinutes),
    ourMetric('Canceled', 'Sum', fiveMinutes),
  ]),
  graph('Failed, by code', [ourMetricBy('Failed', ['code'], 'Sum', fiveMinutes)]),
  graph("Spending per hour, in the region's currency, by model", [
    ourMetric('Spend', 'Sum', hour).with({ label: 'total' }),
    ourMetricBy('Spend', ['model'], 'Sum', hour),
  ]),
];

const time = (metrics: DeploymentMetrics): IWidget[] => [
  graph('Seconds to finish', percentiles(metrics, 'SecondsToFinish')),
  graph('Seconds from the end at Wan until noticed', [
    ...percentiles(metrics, 'DetectionLag'),
    metrics.ourMetric('SecondsUnwatched', 'Maximum', fiveMinutes).with({ label: 'without a watcher' }),
  ]),
  graph('Submitted, by model and source', [metrics.ourMetricBy('Submitted', ['model', 'source'], 'Sum', fiveMinutes)]),
];

const wan = ({ ourMetric, ourMetricBy }: DeploymentMetrics): IWidget[] => [
  graph(
    'Tasks per video (above 1: paid twice), minutes to expiry',
    [ourMetric('UpstreamTasksPerVideo', 'Maximum', fiveMinutes)],
    [ourMetric('MinutesToUpstreamExpiry', 'Minimum', fiveMinutes)],
  ),
  graph(
    'Refusals by Wan, and how many times slower submissions are',
    [
      ourMetric('WanThrottled', 'Sum', fiveMinutes),
      ourMetric('QueuePaused', 'Sum', fiveMinutes),
      ourMetric('UntrustedVideoHost', 'Sum', fiveMinutes),
      ourMetric('DownloadBlocked', 'Sum', fiveMinutes),
      ourMetric('UnknownTaskStatus', 'Sum', fiveMinutes),
    ],
    [ourMetric('SubmitSlowdown', 'Maximum', fiveMinutes)],
  ),
  graph('Canary', [
    ourMetric('CanaryFailed', 'Sum', hour).with({ label: 'failed per hour' }),
    ourMetricBy('CanaryFailed', ['outcome'], 'SampleCount', hour),
  ]),
];

function queuesAndExecutions({ stateMachine, drops, maintenance, webhooks }: DashboardProps): IWidget[] {
  const sum = { statistic: 'Sum', period: fiveMinutes };
  const depth = { statistic: 'Maximum', period: fiveMinutes };
  return [
    graph('Dead letters', [
      drops.deadLetters.metricApproximateNumberOfMessagesVisible({ ...depth, label: 'drops' }),
      maintenance.deadLetters.metricApproximateNumberOfMessagesVisible({ ...depth, label: 'maintenance' }),
      webhooks.deadLetters.metricApproximateNumberOfMessagesVisible({ ...depth, label: 'webhooks' }),
    ]),
    graph('Runs of videos', [
      stateMachine.metricStarted(sum),
      stateMachine.metricSucceeded(sum),
      stateMachine.metricFailed(sum),
      stateMachine.metricTimedOut(sum),
      stateMachine.metricAborted(sum),
    ]),
    graph(
      'Drops waiting for their sidecars, and the age of the oldest in seconds',
      [drops.waiting.metricNumberOfMessagesSent(sum), drops.waiting.metricNumberOfMessagesDeleted(sum)],
      [drops.waiting.metricApproximateAgeOfOldestMessage(depth)],
    ),
  ];
}

function webhooks({ webhooks: { queue, slowQueue }, metrics: { ourMetric } }: DashboardProps): IWidget[] {
  const sum = { statistic: 'Sum', period: fiveMinutes };
  const age = { statistic: 'Maximum', period: fiveMinutes };
  return [
    graph('Webhooks that are due, and to slow or failing receivers', [
      queue.metricNumberOfMessagesSent({ ...sum, label: 'due' }),
      slowQueue.metricNumberOfMessagesSent({ ...sum, label: 'slow or failing' }),
    ]),
    graph('Age of the oldest webhook that is due, in seconds', [
      queue.metricApproximateAgeOfOldestMessage({ ...age, label: 'due' }),
      slowQueue.metricApproximateAgeOfOldestMessage({ ...age, label: 'slow or failing' }),
    ]),
    graph('Webhooks that were given up', [ourMetric('WebhookFailed', 'Sum', fiveMinutes)]),
  ];
}

function functions(all: readonly PipelineFunction[]): IWidget[] {
  const ofEach = (name: Parameters<typeof functionMetric>[1], statistic: string, shown = all): IMetric[] =>
    shown.map((one) =>
      functionMetric(one, name, statistic, fiveMinutes).with({ label: one.node.id.replace(/Function$/, '') }),
    );
  // The authorizer fails by contract for each request without a valid key.
  const failing = all.filter(({ node }) => node.id !== 'AuthorizeFunction');
  return [
    graph('Errors and throttles of functions', ofEach('Errors', 'Sum', failing), ofEach('Throttles', 'Sum')),
    graph('Duration of functions in milliseconds, p95', ofEach('Duration', 'p95')),
    graph('Concurrent executions of functions', ofEach('ConcurrentExecutions', 'Maximum')),
  ];
}

function api({ restApi: { deploymentStage } }: DashboardProps): IWidget[] {
  const sum = { statistic: 'Sum', period: fiveMinutes };
  return [
    graph('Requests', [deploymentStage.metricCount(sum)]),
    graph('4xx and 5xx responses', [deploymentStage.metricClientError(sum), deploymentStage.metricServerError(sum)]),
    graph('Latency of the API in milliseconds', [
      deploymentStage.metricLatency({ statistic: 'p50', period: fiveMinutes, label: 'p50' }),
      deploymentStage.metricLatency({ statistic: 'p95', period: fiveMinutes, label: 'p95' }),
    ]),
  ];
}
