import * as z from 'zod';
import { arn, resourceType } from '../resource-type.ts';
import { ignored, number, oneOf, tags, text } from '../schema.ts';

const target = z.strictObject({
  Arn: text,
  DeadLetterConfig: z.strictObject({ Arn: text }).optional(),
  Id: text,
  RetryPolicy: ignored('local delivery does not fail transiently; failed functions are retried'),
});

export const messagingTypes = {
  'AWS::Events::EventBus': resourceType({
    name_property: 'Name',
    attributes: { Arn: arn('events', ({ name }) => `event-bus/${name}`), Name: ({ name }) => name },
    properties: z.strictObject({ Name: text }),
  }),
  'AWS::Events::Rule': resourceType({
    attributes: { Arn: arn('events', ({ name }) => `rule/${name}`) },
    properties: z.strictObject({
      Description: ignored('a description'),
      EventBusName: text.optional(),
      EventPattern: z.record(z.string(), z.unknown()).optional(),
      ScheduleExpression: text.optional(),
      State: oneOf('ENABLED').default('ENABLED'),
      Targets: z.array(target),
      ...tags,
    }),
  }),
  'AWS::SQS::Queue': resourceType({
    ref: ({ name, region, account }) => `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    attributes: { Arn: arn('sqs', ({ name }) => name), QueueName: ({ name }) => name },
    properties: z.strictObject({
      KmsMasterKeyId: ignored('encryption is up to the local disk'),
      MessageRetentionPeriod: number(60, 1_209_600).default(345_600),
      RedrivePolicy: z.strictObject({ deadLetterTargetArn: text, maxReceiveCount: number(1, 1000) }).optional(),
      SqsManagedSseEnabled: ignored('encryption is up to the local disk'),
      VisibilityTimeout: number(0, 43_200).default(30),
      ...tags,
    }),
  }),
};
