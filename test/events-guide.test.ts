import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compilePattern } from '../local/aws/events/pattern.ts';

// Runs the commands of docs/events.md with an `aws` that records its arguments.

const root = join(import.meta.dirname, '..');
const directory = mkdtempSync(join(tmpdir(), 'events-guide-'));
afterAll(() => rmSync(directory, { recursive: true }));

function program(name: string, text: string): void {
  const file = join(directory, name);
  writeFileSync(file, `#!${process.execPath}\n${text}`);
  chmodSync(file, 0o755);
}

program(
  'aws',
  `const [, , ...words] = process.argv;
  require('node:fs').appendFileSync(${JSON.stringify(join(directory, 'calls'))}, JSON.stringify(words) + '\\n');
  const outputs = { 'put-rule': 'arn:rule', 'create-topic': 'arn:topic', 'create-queue': 'https://sqs.example/queue',
    'get-queue-attributes': 'arn:queue', 'create-connection': 'arn:connection', 'create-api-destination': 'arn:destination' };
  console.log(outputs[words[1]] ?? '');`,
);
program('jq', 'console.log(JSON.stringify({ Policy: process.argv[5] }));');

const guide = readFileSync(join(root, 'docs/events.md'), 'utf8');
const commands = [...guide.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block).join('\n');
execFileSync('bash', ['-euc', commands], {
  env: {
    PATH: `${directory}:${process.env.PATH}`,
    EVENT_BUS: 'firstframe-videos',
    SLACK_URL: 'https://hooks.slack.com/services/x',
    ROLE: 'arn:role',
  },
});
const calls = readFileSync(join(directory, 'calls'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as string[]);

/** Returns the value of an option in the calls of a command, in order. */
const optionsOf = (command: string, option: string): string[] =>
  calls.filter((words) => words[1] === command).map((words) => words[words.indexOf(`--${option}`) + 1] ?? '');

test('the rule of the guide matches the endings of videos and nothing else', () => {
  const [pattern = ''] = optionsOf('put-rule', 'event-pattern');
  const matches = (source: string, type: string) =>
    compilePattern(JSON.parse(pattern))({ source, 'detail-type': type, detail: {} });
  for (const ending of ['succeeded', 'failed', 'canceled']) expect(matches('firstframe', `video.${ending}`)).toBe(true);
  expect(matches('firstframe', 'video.running')).toBe(false);
  expect(matches('aws.s3', 'video.succeeded')).toBe(false);
});

test.each([
  ['set-topic-attributes', 'attribute-value', 'sns:Publish', 'arn:topic'],
  ['set-queue-attributes', 'attributes', 'sqs:SendMessage', 'arn:queue'],
])('the policy of %s allows the rule one action', (command, option, action, resource) => {
  const [text = ''] = optionsOf(command, option);
  const parsed = JSON.parse(text);
  expect(parsed.Policy ? JSON.parse(parsed.Policy) : parsed).toEqual({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: action,
        Resource: resource,
        Condition: { ArnEquals: { 'aws:SourceArn': 'arn:rule' } },
      },
    ],
  });
});

test('each target belongs to the rule, and that of Slack writes its text', () => {
  expect(optionsOf('put-targets', 'rule')).toEqual(['videos-done', 'videos-done', 'videos-done']);
  const [mail, queue, slack = ''] = optionsOf('put-targets', 'targets');
  expect([mail, queue]).toEqual(['Id=mail,Arn=arn:topic', 'Id=queue,Arn=arn:queue']);
  const [target] = JSON.parse(slack);
  expect(target).toMatchObject({ Id: 'slack', Arn: 'arn:destination', RoleArn: 'arn:role' });
  const { InputPathsMap, InputTemplate } = target.InputTransformer;
  expect(InputPathsMap).toEqual({ id: '$.detail.id', status: '$.detail.status' });
  expect(JSON.parse(InputTemplate.replace('<id>', '1').replace('<status>', 'succeeded'))).toEqual({
    text: 'Video 1: succeeded',
  });
});
