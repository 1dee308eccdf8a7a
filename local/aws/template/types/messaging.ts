import { arn, resourceType, tags } from '../resource-type.ts';
import { anything, inert, list, map, number, object, oneOf, optional, text, withDefault } from '../schema.ts';

const target = object({
  Arn: text,
  DeadLetterConfig: optional(object({ Arn: text })),
  Id: text,
  Input: optional(text),
  InputPath: optional(text),
  RetryPolicy: inert('handing an event to a local function needs no second try; the function itself is tried again'),
});

export const messagingTypes = {
  'AWS::Events::Rule': resourceType({
    name_property: 'Name',
    ref: ({ name }) => name,
    attributes: { Arn: arn('events', ({ name }) => `rule/${name}`) },
    properties: object({
      Description: inert('a description'),
      EventBusName: optional(oneOf('default')),
      EventPattern: optional(map(anything)),
      Name: optional(text),
      ScheduleExpression: optional(text),
      State: withDefault(oneOf('ENABLED', 'DISABLED'), 'ENABLED'),
      Tags: tags,
      Targets: withDefault(list(target), []),
    }),
  }),
  'AWS::SQS::Queue': resourceType({
    name_property: 'QueueName',
    ref: ({ name, region, account }) => `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    attributes: {
      Arn: arn('sqs', ({ name }) => name),
      QueueName: ({ name }) => name,
      QueueUrl: ({ name, region, account }) => `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    },
    properties: object({
      DelaySeconds: withDefault(number(0, 900), 0),
      KmsMasterKeyId: inert('files on this machine are as encrypted as its disk'),
      MessageRetentionPeriod: withDefault(number(60, 1_209_600), 345_600),
      QueueName: optional(text),
      RedrivePolicy: optional(object({ deadLetterTargetArn: text, maxReceiveCount: number(1, 1000) })),
      SqsManagedSseEnabled: inert('files on this machine are as encrypted as its disk'),
      Tags: tags,
      VisibilityTimeout: withDefault(number(0, 43_200), 30),
    }),
  }),
  'AWS::SQS::QueuePolicy': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: object({
      PolicyDocument: inert('policies are not evaluated at run time'),
      Queues: inert('policies are not evaluated at run time'),
    }),
  }),
  'AWS::SNS::Topic': resourceType({
    name_property: 'TopicName',
    ref: arn('sns', ({ name }) => name),
    attributes: { TopicArn: arn('sns', ({ name }) => name), TopicName: ({ name }) => name },
    properties: inert('only alarms speak to it, and they do not ring here'),
  }),
  'AWS::SNS::TopicPolicy': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: inert('policies are not evaluated at run time'),
  }),
};
