import { type CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { type CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import {
  DeleteFunctionConcurrencyCommand,
  type LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { type Finding, failure, ok, unchecked, warning } from '../doctor/finding.ts';
import { type CallApi, poll } from './requests.ts';

/** Checks that a double slash is answered with an explanation, as the local gateway does. */
export async function checkDoubleSlash(call: CallApi): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const route of ['/videos', '/api/v1/tasks']) {
    const { status, body } = await call(route);
    const isExplained = [404, 401].includes(status) && /double slash/.test(String(body.detail));
    findings.push(
      isExplained
        ? ok(`A double slash (/${route}) is answered with ${status} and an explanation.`)
        : warning(
            `A double slash (/${route}) is answered with ${status}, without an explanation.`,
            'Report it: the gateway response for unknown routes is not used for it.',
          ),
    );
  }
  return findings;
}

/** Lambda accepts a request of 6 MB, API Gateway one of 10 MB. What the gateway answers in between is undocumented. */
const BETWEEN_LIMITS = 7 * 1024 * 1024;

/** Checks the response to a body that API Gateway accepts and Lambda does not. It makes no video: the body is not valid. */
export async function checkLargeBody(call: CallApi): Promise<Finding[]> {
  const { status } = await call('videos', { method: 'POST', body: JSON.stringify({ x: 'x'.repeat(BETWEEN_LIMITS) }) });
  if (status === 413) return [ok('A body of 7 MB is answered with 413.')];
  return [
    warning(
      `A body of 7 MB is answered with ${status}, not 413.`,
      'Report it: docs/api.md and the gateway responses promise 413.',
    ),
  ];
}

export interface ThrottleServices {
  cloudFormation: CloudFormationClient;
  cloudWatch: Pick<CloudWatchClient, 'send'>;
  lambda: Pick<LambdaClient, 'send'>;
}

/** Fewer than the alarm ApiFails counts in five minutes. */
const THROTTLED_REQUESTS = 3;

/** What the gateway answered while a function was throttled, to be compared with the metrics later. */
export interface Throttled {
  statuses: number[];
  /** Milliseconds since 1970. */
  from: number;
  to: number;
}

/**
 * Throttles the function `health` for some seconds by reserving no concurrency for it, and requests it. Other routes are not affected.
 * The reservation is always removed again.
 */
export async function throttleHealth(
  { cloudFormation, lambda }: ThrottleServices,
  stackName: string,
  call: CallApi,
  print: (line: string) => void,
): Promise<Throttled> {
  let FunctionName: string | undefined;
  for await (const page of paginateListStackResources({ client: cloudFormation }, { StackName: stackName }))
    for (const { LogicalResourceId = '', ResourceType, PhysicalResourceId } of page.StackResourceSummaries ?? [])
      if (ResourceType === 'AWS::Lambda::Function' && /HealthFunction/.test(LogicalResourceId))
        FunctionName = PhysicalResourceId;
  if (!FunctionName) throw new Error(`The stack ${stackName} has no function health.`);
  print(
    `… throttling GET /health. If this is interrupted: aws lambda delete-function-concurrency --function-name ${FunctionName}`,
  );
  const from = Date.now();
  const statuses: number[] = [];
  try {
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    // The reservation takes effect within seconds. Successful requests do not count.
    await poll(
      async () => {
        const { status } = await call('health');
        if (status !== 200) statuses.push(status);
        return statuses.length >= THROTTLED_REQUESTS ? true : undefined;
      },
      { seconds: 30, every: 0.5 },
    );
  } finally {
    await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  }
  return { statuses, from, to: Date.now() };
}

/** Reports the status of a throttled function, and the metric in which API Gateway counted it. */
export async function checkThrottled(
  { cloudWatch }: ThrottleServices,
  stackName: string,
  { statuses, from, to }: Throttled,
): Promise<Finding[]> {
  if (statuses.length === 0)
    return [warning('The function health was not throttled within 30 s.', 'Run the smoke test again.')];
  const kinds = [...new Set(statuses)].join(', ');
  const findings = [
    kinds === '502'
      ? ok('A throttled function is answered with 502.')
      : warning(`A throttled function is answered with ${kinds}, not 502.`, 'Report it: docs/codes.md has 502.'),
  ];
  const sumOf = async (MetricName: string): Promise<number> => {
    const { Datapoints = [] } = await cloudWatch.send(
      new GetMetricStatisticsCommand({
        Namespace: 'AWS/ApiGateway',
        MetricName,
        Dimensions: [
          { Name: 'ApiName', Value: stackName },
          { Name: 'Stage', Value: 'v1' },
        ],
        StartTime: new Date(from - 60_000),
        EndTime: new Date(to + 120_000),
        Period: 60,
        Statistics: ['Sum'],
      }),
    );
    return Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0);
  };
  const metric = await poll(
    async () => {
      if ((await sumOf('5XXError')) >= statuses.length) return '5XXError';
      return (await sumOf('4XXError')) >= statuses.length ? '4XXError' : undefined;
    },
    { seconds: 300, every: 15 },
  );
  return [
    ...findings,
    metric === '5XXError'
      ? ok('API Gateway counts it as 5XXError, which the alarm ApiFails reads.')
      : metric === '4XXError'
        ? failure(
            'API Gateway counts it as 4XXError, which the alarm ApiFails does not read.',
            'Rely on the alarm ApiFunctionsFail, which counts errors and throttles of the functions, and report it.',
          )
        : warning('The metrics show neither 5XXError nor 4XXError for it yet.', 'See AWS/ApiGateway in CloudWatch.'),
  ];
}

/** What this test does not provoke, each with the way to find out. */
export const notProvoked = (isThrottled: boolean): Finding[] => [
  ...(isThrottled
    ? []
    : [
        unchecked(
          'the response to a throttled function, and whether its 502 counts as 5XXError or 4XXError',
          'npm run smoke -- --yes --throttle-health (GET /health fails for some seconds)',
        ),
      ]),
  unchecked(
    'whether S3 demands s3:ListBucketVersions to answer NoSuchVersion instead of AccessDenied',
    'Both permissions are granted. To see it, remove one from a test deployment and read a deleted version.',
  ),
  unchecked(
    'whether CloudFormation waits with deleting a function version while an archive of 15 minutes runs on it',
    'Deploy a change of archive-video to a test deployment while it archives a slow download.',
  ),
  unchecked(
    'whether credentials of a role can expire before a link that they signed, which is valid for 15 minutes',
    'Open a link of GET /videos/{id}/content after 14 minutes, on several days.',
  ),
  unchecked(
    "the price of S3's events on EventBridge",
    "Compare the bill's line for EventBridge with docs/cost.md after a month of drops.",
  ),
];
