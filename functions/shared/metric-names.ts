/** Where CloudWatch keeps our metrics. */
export const metricsNamespace = 'firstframe';

/** The value of the dimension `service`, which every one of our metrics has. */
export const metricsService = 'firstframe';

/** Every metric there is, with its unit as CloudWatch writes it. Alarms and dashboard name them by this table. */
export const metricUnits = {
  /** A request was taken; by model and source. */
  Submitted: 'Count',
  /** By model. */
  Succeeded: 'Count',
  /** By code. */
  Failed: 'Count',
  Canceled: 'Count',
  /** From the request to the archived file; by model. */
  SecondsToFinish: 'Seconds',
  /** From a task's end at Wan, by Wan's clock, to when it was noticed; by model. */
  DetectionLag: 'Seconds',
  /** How many of Wan's tasks a video has, since its request or its last retry: more than one is money lost (invariant 1). */
  UpstreamTasksPerVideo: 'Count',
  /** Until Wan forgets the first of the tasks whose video is not archived yet, in minutes; each sweep tells it. */
  MinutesToUpstreamExpiry: 'None',
  /** For how long executions have waited for tasks without a living watcher; a sweep measures it when they have. */
  SecondsUnwatched: 'Seconds',
  /** What succeeded videos cost, in the region's currency; by model. */
  Spend: 'None',
  /** Wan refuses the account, so a lane waits; by reason. */
  QueuePaused: 'Count',
  /** Wan's link to a video points to a host that is not trusted; by host. */
  UntrustedVideoHost: 'Count',
  /** Wan said 429; by operation. */
  WanThrottled: 'Count',
  /** Of each run of the canary: 1 when Wan did not serve the account, else 0, so that runs can be counted too; by outcome. */
  CanaryFailed: 'Count',
} as const;

export type MetricName = keyof typeof metricUnits;
