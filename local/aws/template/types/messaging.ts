import * as z from 'zod';
import { arn, type Identity, resourceType } from '../resource-type.ts';
import { ignored, number, oneOf, tags, text } from '../schema.ts';

const target = z.strictObject({
  Arn: text,
  DeadLetterConfig: z.strictObject({ Arn: text }).optional(),
  Id: text,
  RetryPolicy: ignored('local delivery does not fail transiently; failed functions are retried'),
});

/** The name of a rule of another bus than the default one contains the bus. */
const ruleOf = ({ name, property }: Identity): string =>
  `rule/${[property('EventBusName'), name].filter((part) => part !== undefined).join('/')}`;

const queuePolicyStatement = z.object({
  Action: z.union([text, z.array(text)]),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  Effect: oneOf('Allow', 'Deny'),
  Principal: z.union([text, z.record(z.string(), z.unknown())]),
});

export const messagingTypes = {
  'AWS::Events::EventBus': resourceType({
    name_property: 'Name',
    attributes: { Arn: arn('events', ({ name }) => `event-bus/${name}`), Name: ({ name }) => name },
    properties: z.strictObject({ Name: text, ...tags }),
  }),
  'AWS::Events::Rule': resourceType({
    attributes: { Arn: arn('events', ruleOf) },
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
  'AWS::SQS::QueuePolicy': resourceType({
    properties: z.strictObject({
      PolicyDocument: z.object({ Statement: z.array(queuePolicyStatement) }),
      Queues: z.array(text),
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
