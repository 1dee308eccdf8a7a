import { describe, expect, test } from 'vitest';
import { account } from '../../../local/aws/account.ts';
import type { Template } from '../../../local/aws/template/template.ts';
import { smallTemplate } from './small-template.ts';
import { running } from './start-runtime.ts';

describe('a template with inconsistent references is rejected for', () => {
  const without = (...ids: string[]): Template => ({
    ...smallTemplate,
    Resources: Object.fromEntries(Object.entries(smallTemplate.Resources).filter(([id]) => !ids.includes(id))),
  });

  test.each([
    [
      'a rule without the permission to invoke its function',
      without('EventsPermission'),
      'the rule firstframe-drops may not invoke',
    ],
    [
      'a method without the permission to invoke its function',
      without('ApiPermission'),
      'the method GET /health may not invoke',
    ],
  ])('%s', async (_, template, message) => {
    await expect(running({ template })).rejects.toThrow(message);
  });

  test('a permission for another rule is not enough', async () => {
    const { EventsPermission } = smallTemplate.Resources;
    const Properties = { ...EventsPermission?.Properties, SourceArn: { 'Fn::GetAtt': ['DiedRule', 'Arn'] } };
    const template = {
      ...smallTemplate,
      Resources: { ...smallTemplate.Resources, EventsPermission: { ...EventsPermission!, Properties } },
    };
    const start = running({ template });
    await expect(start).rejects.toThrow('the rule firstframe-drops may not invoke');
    await expect(start).rejects.not.toThrow('the rule firstframe-died');
  });

  test('a dead-letter queue outside the template is rejected', async () => {
    const { DropsRule } = smallTemplate.Resources;
    const target = {
      Arn: { 'Fn::GetAtt': ['MainFunction', 'Arn'] },
      Id: 'a',
      DeadLetterConfig: { Arn: 'arn:aws:sqs:us-east-1:1:other' },
    };
    const template = {
      ...smallTemplate,
      Resources: {
        ...smallTemplate.Resources,
        DropsRule: { ...DropsRule!, Properties: { ...DropsRule?.Properties, Targets: [target] } },
      },
    };
    await expect(running({ template })).rejects.toThrow('arn:aws:sqs:us-east-1:1:other');
  });

  const withProperties = (id: string, properties: Record<string, unknown>): Template => ({
    ...smallTemplate,
    Resources: {
      ...smallTemplate.Resources,
      [id]: {
        ...smallTemplate.Resources[id]!,
        Properties: { ...smallTemplate.Resources[id]?.Properties, ...properties },
      },
    },
  });
  const elsewhere = 'arn:aws:sqs:us-east-1:1:other';
  const queueArn = { 'Fn::GetAtt': ['WorkQueue', 'Arn'] };
  /** The template with a rule that sends to the queue, and a policy of the queue that lets a rule do so. */
  const sending = (allowedRule: string, statement: Record<string, unknown> = {}): Template => {
    const { Resources } = withProperties('OwnRule', { Targets: [{ Arn: queueArn, Id: 'queue' }] });
    const allowed = {
      Action: ['sqs:SendMessage', 'sqs:GetQueueUrl'],
      Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [allowedRule, 'Arn'] } } },
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Resource: queueArn,
      ...statement,
    };
    const Properties = { PolicyDocument: { Statement: [allowed] }, Queues: [{ Ref: 'WorkQueue' }] };
    return { ...smallTemplate, Resources: { ...Resources, Policy: { Type: 'AWS::SQS::QueuePolicy', Properties } } };
  };

  test('a rule whose queue lets it send is accepted', async () => {
    await (await running({ template: sending('OwnRule') })).close();
    const Condition = { StringEquals: { 'aws:SourceAccount': account } };
    await (await running({ template: sending('OwnRule', { Condition }) })).close();
  });

  test.each([
    [
      'a visibility timeout that is shorter than the function’s timeout',
      withProperties('WorkQueue', { VisibilityTimeout: 9 }),
      "the queue's visibility timeout of 9 s is shorter than the function's timeout of 10 s",
    ],
    [
      'an event source that is not a queue of the template',
      withProperties('WorkSource', { EventSourceArn: elsewhere }),
      `receives from ${elsewhere}, which is not a queue of the template`,
    ],
    [
      'an event source whose function does not exist',
      withProperties('WorkSource', { FunctionName: 'other:live' }),
      'invokes other:live, which is not a function of the template',
    ],
    [
      'a rule that sends to a queue without a policy for it',
      withProperties('OwnRule', { Targets: [{ Arn: queueArn, Id: 'queue' }] }),
      'the rule firstframe-own may not send to arn:aws:sqs:us-east-1:000000000000:firstframe-work',
    ],
    ['a rule that sends to a queue that lets another rule send', sending('DropsRule'), 'firstframe-own may not send'],
    [
      'a rule whose queue lets another account send',
      sending('OwnRule', { Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } }),
      'firstframe-own may not send',
    ],
    ['a rule whose queue refuses it', sending('OwnRule', { Effect: 'Deny' }), 'firstframe-own may not send'],
    [
      'a rule whose queue lets another service send',
      sending('OwnRule', { Principal: { Service: 'sns.amazonaws.com' } }),
      'firstframe-own may not send',
    ],
    [
      'a rule that sends to a queue that does not exist',
      withProperties('OwnRule', { Targets: [{ Arn: elsewhere, Id: 'queue' }] }),
      `the rule firstframe-own sends to ${elsewhere}, which is not a queue of the template`,
    ],
    [
      'a redrive policy with a queue that does not exist',
      withProperties('WorkQueue', { RedrivePolicy: { deadLetterTargetArn: elsewhere, maxReceiveCount: 1 } }),
      `the queue firstframe-work sends its dead letters to ${elsewhere}`,
    ],
    [
      'an event source with a batching window',
      withProperties('WorkSource', { MaximumBatchingWindowInSeconds: 1 }),
      'the property MaximumBatchingWindowInSeconds is not supported',
    ],
    [
      'an event source without a maximum concurrency',
      withProperties('WorkSource', { ScalingConfig: {} }),
      'MaximumConcurrency',
    ],
    ['a FIFO queue', withProperties('WorkQueue', { FifoQueue: true }), 'the property FifoQueue is not supported'],
  ])('%s', async (_, template, message) => {
    await expect(running({ template })).rejects.toThrow(message);
  });

  test('an existing table with another key is rejected', async () => {
    const first = await running();
    await first.close();
    const changed: Template = {
      ...smallTemplate,
      Resources: {
        ...smallTemplate.Resources,
        VideosTable: {
          ...smallTemplate.Resources.VideosTable!,
          Properties: {
            KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
            AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          },
        },
      },
    };
    await expect(running({ directory: first.directory, template: changed })).rejects.toThrow('other keys or indexes');
  });
});
