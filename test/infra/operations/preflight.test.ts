import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { claimPermit } from '../../../functions/queue/model-queue.ts';
import { createVideo } from '../../../functions/video/store.ts';
import { checkActivity, checkRules } from '../../../infra/operations/doctor/checks.ts';
import { checkLeftovers } from '../../../infra/operations/doctor/leftovers.ts';
import { run } from '../../../infra/operations/doctor.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';

/** Responses by operation; a number is the status of an error whose code is the body. */
let aws: Record<string, string | [status: number, code: string]>;
const requests: { operation: string; authorization: string; body: string }[] = [];
let server: Server;

/** An account of AWS that is ready for a deployment. */
const readyAccount = (): typeof aws => ({
  GetCallerIdentity: xml('<Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/alice</Arn>'),
  GetParameter: '{"Parameter":{"Value":"28"}}',
  GetAccountSettings: '{"AccountLimit":{"ConcurrentExecutions":1000}}',
  ListServiceQuotas: '{"Quotas":[]}',
  ListAWSDefaultServiceQuotas: quotas(800, 800),
  DescribeStacks: [400, 'ValidationError'],
  DescribeStateMachine: [400, 'StateMachineDoesNotExist'],
  ListBuckets: '<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>',
  ListTables: '{"TableNames":[]}',
  ListSecrets: '{"SecretList":[]}',
  DescribeLogGroups: '{"logGroups":[]}',
});
const xml = (content: string) => `<GetCallerIdentityResponse>${content}</GetCallerIdentityResponse>`;
const stackWith = (status: string) =>
  `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>firstframe</StackName><StackStatus>${status}</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
const quotas = (bucket: number, rate: number) =>
  JSON.stringify({
    Quotas: [
      { QuotaCode: 'L-1', QuotaName: 'StartExecution throttle token bucket size', Value: 1 },
      { QuotaCode: 'L-2', QuotaName: 'StateTransition throttle token bucket size', Value: bucket },
      { QuotaCode: 'L-3', QuotaName: 'StateTransition throttle token refill rate per second', Value: rate },
    ],
  });

const operationOf = ({ headers, url = '' }: IncomingMessage, body: string): string =>
  String(headers['x-amz-target'] ?? '').split('.')[1] ??
  /^Action=(\w+)|&Action=(\w+)/.exec(body)?.[1] ??
  (url.includes('account-settings') ? 'GetAccountSettings' : 'ListBuckets');

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request);
    const operation = operationOf(request, body);
    requests.push({ operation, authorization: request.headers.authorization ?? '', body });
    const answer = aws[operation] ?? [500, `Unexpected${operation}`];
    const [status, content] =
      typeof answer === 'string'
        ? [200, answer]
        : [answer[0], request.headers['x-amz-target'] ? JSON.stringify({ __type: answer[1] }) : failed(answer[1])];
    response.writeHead(status).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
const failed = (code: string) => `<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>`;
afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
beforeEach(() => {
  aws = readyAccount();
  requests.length = 0;
});

async function preflight(variables: Record<string, string | undefined> = {}) {
  vi.unstubAllEnvs();
  const { port } = server.address() as AddressInfo;
  const environment = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: 'eu-west-3',
    AWS_ACCESS_KEY_ID: 'AKIA',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    AWS_DEFAULT_REGION: undefined,
    AWS_EC2_METADATA_DISABLED: 'true',
    // Neither exists, so that the machine's own profiles do not count.
    AWS_CONFIG_FILE: '/nonexistent/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    AWS_MAX_ATTEMPTS: '1',
    FIRSTFRAME_CONTEXT: undefined,
    DASHSCOPE_API_KEY: undefined,
    ...variables,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const lines: string[] = [];
  const status = await run(['--preflight'], process.env, (line) => lines.push(line));
  return { status, printed: lines.join('\n') };
}

describe('npm run doctor -- --preflight', () => {
  test('passes an account that is ready, with a line for each point', async () => {
    const { status, printed } = await preflight();
    expect(printed.split('\n').filter((line) => /^[✓!✗]/.test(line))).toEqual([
      expect.stringMatching(/ok +The configuration is valid/),
      expect.stringMatching(/ok +The region is eu-west-3/),
      expect.stringMatching(/ok +The credentials are those of arn:aws:iam::111122223333:user\/alice in account 1{4}/),
      expect.stringMatching(/ok +The CDK is bootstrapped \(version 28\)/),
      expect.stringMatching(/ok +The account has 1000 concurrent/),
      expect.stringMatching(/ok +.*bucket size is 800/),
      expect.stringMatching(/ok +.*refill rate per second is 800/),
      expect.stringMatching(/ok +There is no stack firstframe yet/),
      expect.stringMatching(/ok +No resources of an earlier stack/),
      expect.stringMatching(/warning +The Wan key was not checked/),
    ]);
    expect(status).toBe(0);
    expect(requests.find(({ operation }) => operation === 'GetCallerIdentity')!.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIA\/\d{8}\/eu-west-3\/sts\/aws4_request/,
    );
  });

  test('explains that AWS_DEFAULT_REGION is not read, and stops before it calls AWS', async () => {
    const { status, printed } = await preflight({ AWS_REGION: undefined, AWS_DEFAULT_REGION: 'eu-west-3' });
    expect(printed).toMatch(
      /error +No region is set: AWS_DEFAULT_REGION \(eu-west-3\).*\n +export AWS_REGION=eu-west-3/,
    );
    expect(status).toBe(1);
    expect(requests).toEqual([]);
  });

  test.each([
    [{ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }, undefined, /error +AWS cannot be called/],
    [{}, 'InvalidClientTokenId', /error +AWS rejects the credentials \(InvalidClientTokenId\)/],
    [{}, 'ExpiredToken', /error +AWS rejects the credentials \(ExpiredToken\).*\n +Log in again/],
  ] as const)('explains in a sentence what is wrong with the credentials: %j %s', async (variables, code, expected) => {
    if (code) aws.GetCallerIdentity = [403, code];
    const { status, printed } = await preflight(variables);
    expect(printed).toMatch(expected);
    expect(printed).not.toContain('secret\n');
    expect(status).toBe(1);
  });

  test.each<[name: string, Partial<typeof aws>, RegExp, number]>([
    [
      'no bootstrap',
      { GetParameter: [400, 'ParameterNotFound'] },
      /error +The CDK is not bootstrapped.*\n +npx cdk bootstrap aws:\/\/111122223333\/eu-west-3/,
      1,
    ],
    ['an old bootstrap', { GetParameter: '{"Parameter":{"Value":"5"}}' }, /error +.*has version 5; 6 is needed/, 1],
    [
      'ten concurrent executions',
      { GetAccountSettings: '{"AccountLimit":{"ConcurrentExecutions":10}}' },
      /warning +.*share 10 .*\n.*--quota-code L-B99A9384 --desired-value 1000/,
      0,
    ],
    [
      'a reduced quota of transitions',
      { ListServiceQuotas: quotas(800, 25) },
      /warning +.*refill rate per second is 25\..*\n.*--service-code states --quota-code L-3 --desired-value 800/,
      0,
    ],
    [
      'a failed first deployment',
      { DescribeStacks: stackWith('ROLLBACK_COMPLETE') },
      /error +The stack firstframe is ROLLBACK_COMPLETE.*\n +aws cloudformation delete-stack --stack-name firstframe/,
      1,
    ],
    [
      'a state machine that is still being deleted',
      { DescribeStateMachine: '{"status":"DELETING"}' },
      /error +The state machine firstframe-videos .* DELETING.*\n +aws stepfunctions list-executions --state-machine-arn arn:aws:states:eu-west-3:111122223333:stateMachine:firstframe-videos/,
      1,
    ],
    [
      'buckets, a table, a secret and log groups of an earlier stack',
      {
        ListBuckets: `<ListAllMyBucketsResult><Buckets>${[
          'firstframe-uploadsbucket-1x',
          'firstframe-two-uploadsbucket-1x',
        ]
          .map((name) => `<Bucket><Name>${name}</Name></Bucket>`)
          .join('')}</Buckets></ListAllMyBucketsResult>`,
        ListTables: '{"TableNames":["firstframe-VideosTable-1X","firstframe-two-VideosTable-1X"]}',
        ListSecrets: JSON.stringify({
          SecretList: ['firstframe', 'firstframe-two'].map((Value) => ({
            ARN: `arn:of:${Value}`,
            Tags: [{ Key: 'aws:cloudformation:stack-name', Value }],
          })),
        }),
        DescribeLogGroups:
          '{"logGroups":[{"logGroupName":"firstframe-Log1-2"},{"logGroupName":"firstframe-two-Log1-2"}]}',
      },
      /delete-bucket --bucket firstframe-uploadsbucket-1x\n[\s\S]*delete-table --table-name firstframe-VideosTable-1X\n[\s\S]*delete-secret --secret-id arn:of:firstframe [\s\S]*delete-log-group --log-group-name firstframe-Log1-2\n/,
      0,
    ],
  ])('reports %s with the command that fixes it', async (_, responses, expected, status) => {
    Object.assign(aws, responses);
    const checked = await preflight();
    expect(checked.printed).toMatch(expected);
    expect(checked.printed).not.toContain('firstframe-two');
    expect(checked.status).toBe(status);
  });

  test('does not take the resources of a deployed stack for left ones', async () => {
    aws.DescribeStacks = stackWith('UPDATE_COMPLETE');
    const { status, printed } = await preflight();
    expect(printed).toMatch(/ok +The stack firstframe can be updated/);
    expect(status).toBe(0);
    expect(requests.map(({ operation }) => operation)).not.toContain('ListBuckets');
  });

  test('checks the key of DASHSCOPE_API_KEY with the region of the configuration, and never prints it', async () => {
    const asked: string[] = [];
    const wan = vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
      const { host } = new URL(String(url));
      if (host.startsWith('127.')) return fetchAnyway(url, init);
      asked.push(host);
      return host === 'dashscope.aliyuncs.com'
        ? Response.json({ total: 0, data: [], total_page: 0, page_no: 1, page_size: 1, request_id: 'r' })
        : Response.json({ code: 'InvalidApiKey', message: 'Invalid API-key provided.' }, { status: 401 });
    });
    const { status, printed } = await preflight({ DASHSCOPE_API_KEY: 'sk-chinese' });
    wan.mockRestore();
    expect(printed).toMatch(/error +The key belongs to beijing, but this deployment uses singapore/);
    expect(printed).not.toContain('sk-chinese');
    expect(asked[0]).toBe('dashscope-intl.aliyuncs.com');
    expect(status).toBe(1);
  });
});
const fetchAnyway = globalThis.fetch;

test('the resources of the deployed stack are not left ones, but those of an earlier stack of its name are', async () => {
  const [bucket, table, secret] = ['firstframe-uploadsbucket-new', 'firstframe-VideosTable-new', 'arn:new'];
  const tags = [{ Key: 'aws:cloudformation:stack-name', Value: 'firstframe' }];
  const answering = (answer: object) => ({ send: async () => answer }) as never;
  const services = {
    aws: async () => Promise.reject(new Error('The log groups are its own.')),
    cloudFormation: answering({}),
    stepFunctions: answering({}),
    s3: answering({ Buckets: [{ Name: bucket }, { Name: 'firstframe-videosbucket-old' }] }),
    dynamoDb: answering({ TableNames: [table, 'firstframe-VideosTable-old'] }),
    secrets: answering({ SecretList: [secret, 'arn:old'].map((ARN) => ({ ARN, Tags: tags })) }),
  };
  const findings = await checkLeftovers(services, 'firstframe', new Set([bucket, table, secret]));
  expect(findings.map(({ state, summary }) => `${state}: ${summary}`)).toEqual([
    expect.stringMatching(/^warning: The bucket firstframe-videosbucket-old was left/),
    expect.stringMatching(/^warning: The table firstframe-VideosTable-old was left/),
    expect.stringMatching(/^warning: The secret arn:old was left/),
  ]);
});

describe('before the stack is deleted', () => {
  test('the doctor reports what still runs and waits', async () => {
    const { table, close } = startTable();
    const nothing = expect.stringMatching(/^Nothing runs/);
    expect(await checkActivity(table, {})).toEqual([{ state: 'ok', summary: nothing }]);
    const model = 'wan2.2-i2v-flash';
    for (const at of [1, 2, 3]) await createVideo(table, aVideo({ model, owner: 'alice' }, at));
    await claimPermit(table, { model, permits: 5, submit_interval_ms: 1 }, { id: 'running', owner: 'alice' });
    const summary = expect.stringMatching(/^1 videos run and 3 wait\. .*docs\/deploy\.md#teardown/);
    expect(await checkActivity(table, {})).toEqual([{ state: 'ok', summary }]);
    await close();
  });

  test('a rule that was disabled for it is reported', async () => {
    const [drops, sweep] = ['firstframe-DropsImageDropped1-X', 'firstframe-MaintenanceSweep1-X'];
    const client = Object.assign(Object.create(CloudFormationClient.prototype) as CloudFormationClient, {
      send: async ({ input: { Name } }: { input: { Name?: string } }) =>
        Name
          ? { State: Name === drops ? 'DISABLED' : 'ENABLED', Description: 'Does it.' }
          : {
              StackResourceSummaries: [drops, sweep].map((PhysicalResourceId) => ({
                ResourceType: 'AWS::Events::Rule',
                PhysicalResourceId,
              })),
            },
    });
    expect(await checkRules(client, client as never, 'firstframe')).toEqual([
      {
        state: 'failure',
        summary: `The rule ${drops} is disabled. Does it.`,
        fix: expect.stringContaining(`aws events enable-rule --name ${drops}`),
      },
    ]);
  });
});
