import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listApiKeys } from '../../../functions/api/auth/api-keys.ts';
import { listVideos } from '../../../functions/video/list.ts';
import { tableOf } from '../../../functions/video/table.ts';
import { clientsFor } from '../../../infra/operations/clients.ts';
import {
  checkDoubleSlash,
  checkLargeBody,
  checkThrottled,
  throttleHealth,
} from '../../../infra/operations/smoke/api-checks.ts';
import { createApiCaller } from '../../../infra/operations/smoke/requests.ts';
import { checkResultHost, checkTaskList } from '../../../infra/operations/smoke/wan-checks.ts';
import { run } from '../../../infra/operations/smoke.ts';
import type { LocalStack } from '../../../local/stack.ts';
import { openLocal } from '../../support/endpoint.ts';
import { serveStage } from '../../support/stage.ts';

/** A stack without the videos of other tests. */
let stack: LocalStack;
beforeAll(async () => {
  ({ stack } = await openLocal());
});
afterAll(() => stack?.close());

async function smoke(...args: string[]) {
  const port = (url: string) => new URL(url).port;
  const environment = { PORT: port(stack.api_url), WAN_PORT: port(stack.wan_url!), AWS_PORT: port(stack.aws_url) };
  const lines: string[] = [];
  const add = (line: string) => void lines.push(line);
  const status = await run(['--local', ...args], environment, add, add);
  const { dynamoDb } = clientsFor(true, environment);
  return { status, printed: lines.join('\n'), table: tableOf(dynamoDb, 'firstframe-videos') };
}

describe('npm run smoke', () => {
  test('prints the costs and does nothing without --yes', async () => {
    const { status, printed, table } = await smoke();
    expect(status).toBe(1);
    expect(printed).toMatch(/wan2\.2-i2v-flash, 480P, 5 s\n +Wan bills +2 × 0\.075 = 0\.15 USD/);
    expect(printed).toMatch(/Nothing was done\. To do it: npm run smoke -- --yes$/);
    expect((await listVideos(table, { owner: 'firstframe-smoke', limit: 10 })).videos).toEqual([]);
  }, 60_000);

  test('makes a video by API and one by drop, reports each assumption, and deletes what it made', async () => {
    const { status, printed, table } = await smoke('--yes');
    expect(printed.split('\n').filter((line) => /^[✓!✗–]/.test(line))).toEqual([
      expect.stringMatching(/ok +A double slash \(\/\/videos\) is answered with 404 and an explanation/),
      expect.stringMatching(/ok +A double slash \(\/\/api\/v1\/tasks\) is answered with 404 and an explanation/),
      expect.stringMatching(/ok +A body of 7 MB is answered with 413/),
      expect.stringMatching(/ok +Wan's list showed the new task .* s after its submission; it reads times as UTC\+8/),
      expect.stringMatching(/ok +The task has the prompt unchanged as orig_prompt/),
      expect.stringMatching(/ok +The video by API succeeded in \d+ s/),
      expect.stringMatching(/ok +The event of the ending was sent to its webhook after \d+\.\d s \(.+, as expected\)/),
      expect.stringMatching(/ok +Wan's result is on the known host 127\.0\.0\.1:\d+\./),
      expect.stringMatching(/ok +The link of GET \/videos\/\{id\}\/content serves all \d+ bytes/),
      expect.stringMatching(/ok +A link that a function presigned has \d+ characters; Wan fetched the image/),
      expect.stringMatching(/ok +The event of the drop led to a record after \d+\.\d to \d+\.\d s/),
      expect.stringMatching(/ok +The video by drop succeeded in \d+ s/),
      expect.stringMatching(/ok +The result was written next to the image/),
      expect.stringMatching(/unchecked +the response to a throttled function/),
      expect.stringMatching(/unchecked +whether S3 demands s3:ListBucketVersions/),
      expect.stringMatching(/unchecked +whether CloudFormation waits/),
      expect.stringMatching(/unchecked +whether credentials of a role can expire/),
      expect.stringMatching(/unchecked +the price of S3's events/),
    ]);
    expect(printed).toMatch(/The smoke test passed\.$/);
    expect(status).toBe(0);
    expect(printed).not.toMatch(/sk-|ff_|calm sea|X-Amz-|[?&]Signature=/);

    for (const owner of ['firstframe-smoke', 'local'])
      expect((await listVideos(table, { owner, limit: 10 })).videos).toEqual([]);
    // The first one is that of npm start. The test's own endpoint has two more.
    const keys = (await listApiKeys(table)).filter(({ owner }) => !owner.startsWith('owner-'));
    expect(keys.map(({ owner, revoked_at }) => [owner, revoked_at !== undefined])).toEqual([
      ['local', false],
      ['firstframe-smoke', true],
      ['local', true],
    ]);
    const { Contents = [] } = await clientsFor(true, { AWS_PORT: new URL(stack.aws_url).port }).s3.send(
      new ListObjectsV2Command({ Bucket: 'firstframe-uploads' }),
    );
    expect(Contents).toEqual([]);
  }, 120_000);

  test('checks the addresses below a stage, as the output ApiUrl has it', async () => {
    const stage = await serveStage(stack.api_url);
    const call = createApiCaller(stage.url, { authorization: 'Bearer local' }, fetch);
    expect(await checkDoubleSlash(call)).toMatchObject([{ state: 'ok' }, { state: 'ok' }]);
    expect(await checkLargeBody(call)).toMatchObject([{ state: 'ok' }]);
    await stage.close();
  }, 60_000);

  test('explains an unknown option', async () => {
    const { status, printed } = await smoke('--what');
    expect([status, printed]).toEqual([1, expect.stringMatching(/Unknown option[\s\S]*Usage:/)]);
  }, 60_000);
});

describe('an assumption about Wan that does not hold', () => {
  const task = { id: 'task-1', submit_time: '2026-01-01T00:00:00.000Z', model: 'wan2.2-i2v-flash' } as const;
  const row = { task_id: 'task-1', status: 'RUNNING', gmt_create: Date.parse(task.submit_time) };
  const output = {
    task_id: 'task-1',
    task_status: 'SUCCEEDED',
    video_url: 'https://cdn.example/secret.mp4?Signature=x',
  };
  const wan = (orig_prompt: string | undefined) => ({
    baseUrl: 'https://wan.example/api/v1',
    key: 'sk-secret',
    fetch: async (url: unknown) =>
      Response.json(
        String(url).includes('?')
          ? { total: 1, data: [row], total_page: 1, page_no: 1, page_size: 100, request_id: 'r' }
          : { output: { ...output, orig_prompt }, request_id: 'r' },
      ),
  });

  test.each([
    ['rewritten', /another orig_prompt/],
    [undefined, /has no orig_prompt/],
  ])('fails when the task has the prompt %s', async (orig_prompt, summary) => {
    const findings = await checkTaskList(wan(orig_prompt), task, 'the prompt');
    expect(findings).toMatchObject([{ state: 'ok' }, { state: 'failure', summary: expect.stringMatching(summary) }]);
    expect(JSON.stringify(findings)).not.toMatch(/rewritten|the prompt\b(?! unchanged)|sk-secret/);
  });

  test('fails for an unknown result host, and names the host only', async () => {
    const findings = await checkResultHost(wan('x'), task, { videoHosts: [], trustedOrigins: [] });
    expect(findings).toMatchObject([{ state: 'failure', fix: expect.stringContaining('videoHosts=["cdn.example"]') }]);
    expect(JSON.stringify(findings)).not.toContain('Signature');
    expect(await checkResultHost(wan('x'), task, { videoHosts: ['cdn.example'], trustedOrigins: [] })).toMatchObject([
      { state: 'ok' },
    ]);
  });
});

describe('a throttled function', () => {
  const services = (metric: string) => {
    const sent: string[] = [];
    const client = {
      async send(command: { constructor: { name: string }; input: { MetricName?: string } }) {
        sent.push(command.constructor.name);
        if (command.constructor.name === 'ListStackResourcesCommand')
          return {
            StackResourceSummaries: [
              {
                LogicalResourceId: 'ApiHealthFunction1',
                ResourceType: 'AWS::Lambda::Function',
                PhysicalResourceId: 'f',
              },
            ],
          };
        return { Datapoints: command.input.MetricName === metric ? [{ Sum: 3 }] : [] };
      },
    };
    Object.setPrototypeOf(client, CloudFormationClient.prototype);
    return { sent, services: { cloudFormation: client, cloudWatch: client, lambda: client } as never };
  };

  test.each([
    ['5XXError', 'ok'],
    ['4XXError', 'failure'],
  ])('counted as %s is reported, and the reservation is removed', async (metric, state) => {
    const { sent, services: aws } = services(metric);
    const statuses = [200, 502, 502, 502];
    const call = async () => ({ status: statuses.shift()!, headers: new Headers(), body: {} });
    const printed: string[] = [];
    const throttled = await throttleHealth(aws, 'firstframe', call, (line) => printed.push(line));
    expect(printed).toEqual([expect.stringContaining('delete-function-concurrency --function-name f')]);
    expect(throttled.statuses).toEqual([502, 502, 502]);
    expect(sent.at(-1)).toBe('DeleteFunctionConcurrencyCommand');
    expect(await checkThrottled(aws, 'firstframe', throttled)).toMatchObject([{ state: 'ok' }, { state }]);
  });

  test('is restored when the request fails', async () => {
    const { sent, services: aws } = services('');
    const call = async () => Promise.reject(new TypeError('fetch failed'));
    await expect(throttleHealth(aws, 'firstframe', call, () => undefined)).rejects.toThrow('fetch failed');
    expect(sent.at(-1)).toBe('DeleteFunctionConcurrencyCommand');
  });
});
