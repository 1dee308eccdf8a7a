/** Grants that no call of the tests uses, with the reason why they are needed. */
export interface Acknowledgement {
  actions: readonly string[];
  /** @default any */
  role?: RegExp;
  /** @default any */
  resource?: RegExp;
  /** Matches the grant's condition as JSON. @default any or no condition */
  condition?: RegExp;
  /** Whether a run of the tests may use it after all, since it depends on a crash or a race. @default false */
  sometimes?: true;
  why: string;
}

const resultWriters = /-(actions|dashscope|check-task|archive-video|record-failure|dispatch|sweep)-function$/;

/** A grant without a row must be used. A grant with a row must be unused, except with `sometimes`. */
export const acknowledged: readonly Acknowledgement[] = [
  // AWS itself uses these under our roles, but nothing on this machine does.
  {
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
    why: 'Lambda and Step Functions send traces under our roles. The local runtime has no traces.',
  },
  {
    actions: ['xray:GetSamplingRules', 'xray:GetSamplingTargets'],
    why: 'Step Functions reads the sampling rules of traces. The local runtime has no traces.',
  },
  {
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    why: 'Lambda and API Gateway write logs under our roles. The local runtime writes them to files or drops them.',
  },
  {
    actions: [
      ...['CreateLogDelivery', 'DeleteLogDelivery', 'GetLogDelivery', 'ListLogDeliveries', 'UpdateLogDelivery'],
      ...['DescribeLogGroups', 'DescribeResourcePolicies', 'PutResourcePolicy'],
    ].map((action) => `logs:${action}`),
    role: /state-machine$/,
    why: 'Step Functions needs these actions on all resources to set up log delivery.',
  },
  {
    actions: ['CreateLogGroup', 'DescribeLogGroups', 'DescribeLogStreams', 'FilterLogEvents', 'GetLogEvents'].map(
      (action) => `logs:${action}`,
    ),
    role: /api-logging$/,
    why: 'API Gateway rejects a logging role without any of these actions.',
  },
  {
    actions: ['sqs:SendMessage'],
    resource: /-dead-letters$/,
    why: "Lambda sends events whose last retry failed to the dead-letter queue under the function's role. The local runtime writes them to a file.",
  },
  {
    actions: ['s3:ListBucket', 's3:ListBucketVersions'],
    role: /-videos-function$/,
    sometimes: true,
    why: 'Without them S3 responds 403, not 404, for a file that has expired (test/functions/api/videos/expired-content.test.ts).',
  },
  {
    actions: ['s3:GetObjectVersion'],
    role: /-submit-function$/,
    resource: /drop\/\*$/,
    sometimes: true,
    why: 'A variation of the video of a drop reads its image (test/functions/api/videos).',
  },
  {
    actions: ['s3:ListBucketVersions'],
    role: /-drop-function$/,
    resource: /videos$/,
    sometimes: true,
    why: 'Without it S3 responds 403, not 404, for a source that is gone (test/functions/drops/extend-drop.test.ts).',
  },
  // Only a crash or a race leads to these calls. Other tests cover them without roles.
  {
    actions: ['s3:ListBucketVersions'],
    role: resultWriters,
    condition: /"drop\/\*"/,
    sometimes: true,
    why: 'The order of two versions of an image is only read if both end at the same time (test/functions/drops/write-result.test.ts).',
  },
  {
    actions: ['s3:PutObject', 's3:ListBucket'],
    role: /-sweep-function$/,
    resource: /firstframe-uploads/,
    sometimes: true,
    why: 'The sweep writes results that a crash prevented (test/functions/maintenance/sweep.test.ts).',
  },
  {
    actions: ['s3:GetObject', 's3:GetObjectVersion'],
    role: /-sweep-function$/,
    resource: /firstframe-videos/,
    sometimes: true,
    why: 'The sweep copies a video next to its drop if a crash prevented that (test/functions/drops/write-result.test.ts).',
  },
  {
    actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:ListBucket'],
    role: /-drop-function$/,
    resource: /firstframe-videos/,
    sometimes: true,
    why: 'An image that is uploaded again gets the copy of its video again (test/functions/drops/write-result.test.ts).',
  },
  {
    actions: ['sqs:SendMessage'],
    role: /-dispatch-function$/,
    resource: /firstframe-webhook$/,
    sometimes: true,
    why: 'Dispatch queues the next attempt of a webhook after a minute at the earliest (test/functions/events/deliver.test.ts).',
  },
  {
    actions: ['sqs:SendMessage'],
    role: /-sweep-function$/,
    sometimes: true,
    why: 'The sweep accepts drops whose events were lost (test/functions/maintenance/lost-drops.test.ts).',
  },
  {
    actions: ['s3:DeleteObjectVersion', 's3:ListBucketVersions'],
    role: /-sweep-function$/,
    sometimes: true,
    why: 'The sweep finishes deletions that a crash interrupted (test/functions/maintenance/finish-deletions.test.ts).',
  },
  {
    actions: [
      'dynamodb:UpdateItem',
      'states:StartExecution',
      'states:DescribeExecution',
      's3:GetObject',
      's3:PutObject',
      'events:PutEvents',
    ],
    role: /-(sweep|dispatch)-function$/,
    sometimes: true,
    why: 'The work of a scheduled run depends on its time (test/functions/maintenance/sweep.test.ts, test/functions/queue/start-again.test.ts).',
  },
  {
    actions: ['dynamodb:Query', 'states:StartExecution'],
    role: /-create-task-function$/,
    sometimes: true,
    why: 'The first task after Wan refused the account starts the waiting videos (test/functions/queue/paused-queue.test.ts).',
  },
  {
    actions: ['s3:GetObject'],
    role: /-(videos|create-task)-function$/,
    resource: /\/(drop|inputs)\/\*$/,
    sometimes: true,
    why: 'A file without a known version is read without one: it already existed when it was written, or versioning of the bucket is suspended (test/functions/workflow/media-urls.test.ts, test/functions/api/videos/content.test.ts).',
  },
  {
    actions: ['s3:GetObject', 's3:DeleteObject'],
    role: /-(dashscope|archive-video)-function$/,
    resource: /^arn:aws:s3:::firstframe-videos\/\*$/,
    sometimes: true,
    why: 'If versioning of the bucket is suspended, copies of videos are read, and incomplete ones deleted, without a version (test/functions/workflow/archive-video.test.ts).',
  },
  {
    actions: ['dynamodb:GetItem'],
    role: /-(catalogue|uploads)-function$/,
    condition: /"requests#\*"/,
    sometimes: true,
    why: "An owner's rate limiter is only read when a request is above the rate or races another (test/functions/queue/rate-limiter.test.ts).",
  },
  {
    actions: ['s3:ListBucket'],
    role: /-create-task-function$/,
    resource: /firstframe-uploads$/,
    sometimes: true,
    why: 'Without it S3 responds 403, not 404, for an image that was deleted meanwhile (test/functions/workflow/create-task.test.ts).',
  },
];
