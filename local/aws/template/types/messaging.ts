import { arn, resourceType } from '../resource-type.ts';
import { anything, inert, list, map, number, object, oneOf, optional, text, withDefault } from '../schema.ts';

const target = object({
  Arn: text,
  DeadLetterConfig: optional(object({ Arn: text })),
  Id: text,
  RetryPolicy: inert('handing an event to a local function needs no second try; the function itself is tried again'),
});

export const messagingTypes = {
  'AWS::Events::Rule': resourceType({
    attributes: { Arn: arn('events', ({ name }) => `rule/${name}`) },
    properties: object({
      Description: inert('a description'),
      EventPattern: optional(map(anything)),
      ScheduleExpression: optional(text),
      State: withDefault(oneOf('ENABLED'), 'ENABLED'),
      Targets: list(target),
    }),
  }),
  'AWS::SQS::Queue': resourceType({
    ref: ({ name, region, account }) => `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    attributes: { Arn: arn('sqs', ({ name }) => name), QueueName: ({ name }) => name },
    properties: object({
      MessageRetentionPeriod: withDefault(number(60, 1_209_600), 345_600),
      RedrivePolicy: optional(object({ deadLetterTargetArn: text, maxReceiveCount: number(1, 1000) })),
      SqsManagedSseEnabled: inert('files on this machine are as encrypted as its disk'),
      VisibilityTimeout: withDefault(number(0, 43_200), 30),
    }),
  }),
};
