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
import type { Watched } from './alarm-definitions.ts';
import { functionMetric, ourMetric, ourMetricBy } from './metrics.ts';

export interface DashboardProps extends Watched {
  readonly alarms: readonly Alarm[];
  /** Every function of the stack. */
  readonly functions: readonly PipelineFunction[];
}

const fiveMinutes = Duration.minutes(5);
const hour = Duration.hours(1);

/** How firstframe is doing, on one page: what is wrong, the videos, Wan, what runs, the API. */
export class Dashboard extends Construct {
  readonly dashboard: CloudWatchDashboard;

  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id);
    this.dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      defaultInterval: Duration.days(1),
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 5, alarms: [...props.alarms] })],
        videos(),
        time(),
        wan(),
        queuesAndExecutions(props),
        functions(props.functions),
        api(props),
      ],
    });
  }
}

const third = { width: 8, height: 6 } as const;
const graph = (title: string, left: IMetric[], right: IMetric[] = []): IWidget =>
  new GraphWidget({ title, left, right, ...third, leftYAxis: { min: 0 } });

const percentiles = (name: MetricName): IMetric[] =>
  ['p50', 'p95'].map((label) => ourMetric(name, label, fiveMinutes).with({ label }));

const videos = (): IWidget[] => [
  graph('Videos', [
    ourMetric('Submitted', 'Sum', fiveMinutes),
    ourMetric('Succeeded', 'Sum', fiveMinutes),
    ourMetric('Failed', 'Sum', fiveMinutes),
    ourMetric('Canceled', 'Sum', fiveMinutes),
  ]),
  graph('Failed, by code', [ourMetricBy('Failed', ['code'], 'Sum', fiveMinutes)]),
  graph("Spend in an hour, in the region's currency, by model", [
    ourMetric('Spend', 'Sum', hour).with({ label: 'in all' }),
    ourMetricBy('Spend', ['model'], 'Sum', hour),
  ]),
];

const time = (): IWidget[] => [
  graph('Seconds to finish', percentiles('SecondsToFinish')),
  graph('Seconds from done at Wan to noticed', [
    ...percentiles('DetectionLag'),
    ourMetric('SecondsUnwatched', 'Maximum', fiveMinutes).with({ label: 'without a watcher' }),
  ]),
  graph('Submitted, by model and source', [ourMetricBy('Submitted', ['model', 'source'], 'Sum', fiveMinutes)]),
];

const wan = (): IWidget[] => [
  graph(
    'Tasks per video (above 1: paid twice), minutes to expiry',
    [ourMetric('UpstreamTasksPerVideo', 'Maximum', fiveMinutes)],
    [ourMetric('MinutesToUpstreamExpiry', 'Minimum', fiveMinutes)],
  ),
  graph('Wan refuses', [
    ourMetric('WanThrottled', 'Sum', fiveMinutes),
    ourMetric('QueuePaused', 'Sum', fiveMinutes),
    ourMetric('UntrustedVideoHost', 'Sum', fiveMinutes),
  ]),
  graph('Canary', [
    ourMetric('CanaryFailed', 'Sum', hour).with({ label: 'failed in an hour' }),
    ourMetricBy('CanaryFailed', ['outcome'], 'SampleCount', hour),
  ]),
];

function queuesAndExecutions({ stateMachine, drops, maintenance }: DashboardProps): IWidget[] {
  const sum = { statistic: 'Sum', period: fiveMinutes };
  const depth = { statistic: 'Maximum', period: fiveMinutes };
  return [
    graph('Dead letters', [
      drops.deadLetters.metricApproximateNumberOfMessagesVisible({ ...depth, label: 'drops' }),
      maintenance.deadLetters.metricApproximateNumberOfMessagesVisible({ ...depth, label: 'maintenance' }),
    ]),
    graph('Runs of videos', [
      stateMachine.metricStarted(sum),
      stateMachine.metricSucceeded(sum),
      stateMachine.metricFailed(sum),
      stateMachine.metricTimedOut(sum),
      stateMachine.metricAborted(sum),
    ]),
    graph(
      'Drops that wait for their sidecar, seconds of the oldest',
      [drops.waiting.metricNumberOfMessagesSent(sum), drops.waiting.metricNumberOfMessagesDeleted(sum)],
      [drops.waiting.metricApproximateAgeOfOldestMessage(depth)],
    ),
  ];
}

function functions(all: readonly PipelineFunction[]): IWidget[] {
  const ofEach = (name: Parameters<typeof functionMetric>[1], statistic: string): IMetric[] =>
    all.map((one) =>
      functionMetric(one, name, statistic, fiveMinutes).with({ label: one.node.id.replace(/Function$/, '') }),
    );
  return [
    graph('Errors of functions', ofEach('Errors', 'Sum'), ofEach('Throttles', 'Sum')),
    graph('Milliseconds of functions, p95', ofEach('Duration', 'p95')),
    graph('Functions at once', ofEach('ConcurrentExecutions', 'Maximum')),
  ];
}

function api({ restApi: { deploymentStage } }: DashboardProps): IWidget[] {
  const sum = { statistic: 'Sum', period: fiveMinutes };
  return [
    graph('Requests', [deploymentStage.metricCount(sum)]),
    graph('Answers of 4xx and 5xx', [deploymentStage.metricClientError(sum), deploymentStage.metricServerError(sum)]),
    graph('Milliseconds of the API', [
      deploymentStage.metricLatency({ statistic: 'p50', period: fiveMinutes, label: 'p50' }),
      deploymentStage.metricLatency({ statistic: 'p95', period: fiveMinutes, label: 'p95' }),
    ]),
  ];
}
