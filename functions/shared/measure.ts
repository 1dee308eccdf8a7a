import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/** Every metric there is, with its unit. Alarms and dashboard name them by this table. */
export const metricUnits = {
  /** A request was taken; by model and source. */
  Submitted: MetricUnit.Count,
  /** By model. */
  Succeeded: MetricUnit.Count,
  /** By code. */
  Failed: MetricUnit.Count,
  Canceled: MetricUnit.Count,
  /** From the request to the archived file; by model. */
  SecondsToFinish: MetricUnit.Seconds,
  /** From a task's end at Wan, by Wan's clock, to when it was noticed; by model. */
  DetectionLag: MetricUnit.Seconds,
  /** How many of Wan's tasks a video has, since its request or its last retry: more than one is money lost (invariant 1). */
  UpstreamTasksPerVideo: MetricUnit.Count,
  /** Until Wan forgets the first of the tasks whose video is not archived yet, in minutes; each sweep tells it. */
  MinutesToUpstreamExpiry: MetricUnit.NoUnit,
  /** What succeeded videos cost, in the region's currency; by model. */
  Spend: MetricUnit.NoUnit,
  /** Wan refuses the account, so a lane waits; by reason. */
  LaneHeld: MetricUnit.Count,
  /** Wan's link to a video leads to a host that is not on the list. */
  UntrustedVideoHost: MetricUnit.Count,
  /** Wan said 429; by operation. */
  WanThrottled: MetricUnit.Count,
} as const;

export type MetricName = keyof typeof metricUnits;

/** Tells a figure. @param dimensions by which it may be told apart beside the total; few values each, since each is a metric of its own */
export type Measure = (name: MetricName, value?: number, dimensions?: Readonly<Record<string, string>>) => void;

export const metricsNamespace = 'firstframe';

/**
 * Figures as lines of the log, from which CloudWatch makes metrics (its embedded metric format): nothing is called, so nothing can
 * fail or wait. With dimensions a figure is told twice, in all and by them, since CloudWatch adds up nothing over dimensions.
 */
export function createMeasure(): Measure {
  const metrics = new Metrics({ namespace: metricsNamespace, serviceName: 'firstframe' });
  const tell = (name: MetricName, value: number, dimensions: Readonly<Record<string, string>>) => {
    const single = metrics.singleMetric();
    for (const [dimension, text] of Object.entries(dimensions)) single.addDimension(dimension, text);
    single.addMetric(name, metricUnits[name], value);
  };
  return (name, value = 1, dimensions = {}) => {
    tell(name, value, {});
    if (Object.keys(dimensions).length > 0) tell(name, value, dimensions);
  };
}
