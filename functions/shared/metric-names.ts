/** CloudWatch namespace of the metrics. */
export const metricsNamespace = 'firstframe';

/** All metrics and their CloudWatch units. Alarms and dashboard use these names. */
export const metricUnits = {
  /** Accepted requests; by model and source. */
  Submitted: 'Count',
  /** By model. */
  Succeeded: 'Count',
  /** By code. */
  Failed: 'Count',
  Canceled: 'Count',
  /** Time from the request to the archived file; by model. */
  SecondsToFinish: 'Seconds',
  /** Time from a task's end, by Wan's clock, to its detection; by model. */
  DetectionLag: 'Seconds',
  /** Number of tasks of a video since its creation or last retry. More than one means that Wan was paid twice (invariant 1). */
  UpstreamTasksPerVideo: 'Count',
  /** Minutes until Wan deletes the first task whose video is not archived yet; recorded by each sweep. */
  MinutesToUpstreamExpiry: 'None',
  /** How long executions have waited without a watcher; recorded by a sweep when it is more than 0. */
  SecondsUnwatched: 'Seconds',
  /** Cost of succeeded videos, in the region's currency; by model. */
  Spend: 'None',
  /** Wan refused the account, so a model queue was paused; by reason. */
  QueuePaused: 'Count',
  /** Wan's link to a video points to an untrusted host; by host. */
  UntrustedVideoHost: 'Count',
  /** A finished video cannot be downloaded, and repetition is not expected to help; by kind. */
  DownloadBlocked: 'Count',
  /** Wan returned a task status that it does not document; by status. */
  UnknownTaskStatus: 'Count',
  /** Wan responded with 429; by operation. */
  WanThrottled: 'Count',
  /** The factor by which a model's submissions are slower than configured, after 429s; recorded when it rises; by model. */
  SubmitSlowdown: 'None',
  /** Deliveries of webhooks that were given up after 24 hours. */
  WebhookFailed: 'Count',
  /** One value per run of the canary, so that runs can be counted: 1 when it failed, else 0; by outcome. */
  CanaryFailed: 'Count',
} as const;

export type MetricName = keyof typeof metricUnits;
