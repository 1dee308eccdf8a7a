/** Some grants that no call of the tests uses, and why they are there all the same. */
export interface Acknowledgement {
  actions: readonly string[];
  /** @default any */
  role?: RegExp;
  /** @default any */
  resource?: RegExp;
  /** Of the grant's condition as JSON. @default any, or none */
  condition?: RegExp;
  /** A crash or a race leads to it, which a run of the tests may have or not. @default false */
  sometimes?: true;
  why: string;
}

const tellers = /-(actions|dashscope|check-task|archive-video|record-failure|dispatch|sweep)-function$/;

/** Whatever is in no row must be used, and what is in one must not be but sometimes. */
export const acknowledged: readonly Acknowledgement[] = [
  // What AWS itself does under our roles, and nothing on this machine does.
  {
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
    why: 'Lambda and Step Functions send traces under our roles; there are none on this machine.',
  },
  {
    actions: ['xray:GetSamplingRules', 'xray:GetSamplingTargets'],
    why: 'Step Functions asks how many traces to take; there are none on this machine.',
  },
  {
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    why: 'Lambda and API Gateway write logs under our roles; here they go to files, or nowhere.',
  },
  {
    actions: [
      ...['CreateLogDelivery', 'DeleteLogDelivery', 'GetLogDelivery', 'ListLogDeliveries', 'UpdateLogDelivery'],
      ...['DescribeLogGroups', 'DescribeResourcePolicies', 'PutResourcePolicy'],
    ].map((action) => `logs:${action}`),
    role: /state-machine$/,
    why: 'Step Functions sets up the delivery of its logs, which takes these on all resources.',
  },
  {
    actions: ['CreateLogGroup', 'DescribeLogGroups', 'DescribeLogStreams', 'FilterLogEvents', 'GetLogEvents'].map(
      (action) => `logs:${action}`,
    ),
    role: /api-logging$/,
    why: 'API Gateway refuses a role for its logs that lacks any of these.',
  },
  {
    actions: ['sqs:SendMessage'],
    resource: /-dead-letters$/,
    why: 'Lambda sends what failed for good to the dead letters under the role of the function; here that is a file.',
  },
  // What only a crash or a race leads to: other tests do it, without roles.
  {
    actions: ['s3:ListBucketVersions'],
    role: tellers,
    condition: /"drop\/\*"/,
    sometimes: true,
    why: 'Which of two versions of an image is the later one is asked when both end at once (test/functions/drops/write-result.test.ts).',
  },
  {
    actions: ['s3:PutObject', 's3:ListBucket'],
    role: /-sweep-function$/,
    resource: /firstframe-uploads/,
    sometimes: true,
    why: 'The sweep tells what a crash left untold (test/functions/maintenance/sweep.test.ts).',
  },
  {
    actions: ['s3:GetObject', 's3:GetObjectVersion'],
    role: /-sweep-function$/,
    resource: /firstframe-videos/,
    sometimes: true,
    why: 'The sweep copies a video beside its drop when a crash left that undone (test/functions/drops/write-result.test.ts).',
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
    role: /-sweep-function$/,
    sometimes: true,
    why: 'The sweep accepts drops whose events were lost (test/functions/maintenance/lost-drops.test.ts).',
  },
  {
    actions: ['s3:DeleteObjectVersion', 's3:ListBucketVersions'],
    role: /-sweep-function$/,
    sometimes: true,
    why: 'The sweep finishes deletions that a crash left half done (test/functions/maintenance/finish-deletions.test.ts).',
  },
  {
    actions: [
      'dynamodb:UpdateItem',
      'states:StartExecution',
      'states:DescribeExecution',
      's3:GetObject',
      's3:PutObject',
    ],
    role: /-(sweep|dispatch)-function$/,
    sometimes: true,
    why: 'What a tick each minute or each five finds to do depends on when it comes (test/functions/maintenance/sweep.test.ts, test/functions/queue/start-again.test.ts).',
  },
  {
    actions: ['dynamodb:Query', 'states:StartExecution'],
    role: /-create-task-function$/,
    sometimes: true,
    why: 'The first task after Wan refused the account starts the videos that wait (test/functions/queue/paused-queue.test.ts).',
  },
  {
    actions: ['s3:GetObject'],
    role: /-(videos|create-task)-function$/,
    resource: /\/(drop|inputs)\/\*$/,
    sometimes: true,
    why: 'A file whose version is not known is read without one: it stood already when it was written, or somebody suspended the versions of the bucket (test/functions/workflow/media-urls.test.ts, test/functions/api/videos/content.test.ts).',
  },
  {
    actions: ['s3:GetObject', 's3:DeleteObject'],
    role: /-(dashscope|archive-video)-function$/,
    resource: /^arn:aws:s3:::firstframe-videos\/\*$/,
    sometimes: true,
    why: 'So are copies of videos read, and those that are not whole deleted, in a bucket whose versions somebody suspended (test/functions/workflow/archive-video.test.ts).',
  },
  {
    actions: ['s3:ListBucket'],
    role: /-create-task-function$/,
    resource: /firstframe-uploads$/,
    sometimes: true,
    why: 'Without it S3 answers 403, not 404, for a picture that somebody deleted meanwhile (test/functions/workflow/create-task.test.ts).',
  },
];
