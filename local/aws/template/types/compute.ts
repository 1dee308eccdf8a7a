import * as z from 'zod';
import { arn, type Identity, resourceType } from '../resource-type.ts';
import { ignored, number, oneOf, tags, text, textLike } from '../schema.ts';

/** Returns `function:<name>:<qualifier>` for a version or alias. */
const qualified = (qualifier: (identity: Identity) => string) =>
  arn('lambda', (identity) => {
    const functionName = identity.property('FunctionName')?.split(':').at(-1);
    return `function:${functionName}:${qualifier(identity)}`;
  });

export const computeTypes = {
  'AWS::Lambda::Function': resourceType({
    attributes: { Arn: arn('lambda', ({ name }) => `function:${name}`) },
    properties: z.strictObject({
      Architectures: ignored('the code is JavaScript and runs on any processor'),
      Code: z.strictObject({ S3Bucket: text, S3Key: text }),
      DeadLetterConfig: z.strictObject({ TargetArn: text }).optional(),
      Description: ignored('a description'),
      Environment: z.strictObject({ Variables: z.record(z.string(), text) }).optional(),
      Handler: text,
      LoggingConfig: ignored('logs go to the state directory'),
      MemorySize: number(128, 10_240).default(128),
      ReservedConcurrentExecutions: number(0).optional(),
      Role: text,
      Runtime: textLike(/^nodejs\d+\.x$/, 'must be a Node.js runtime'),
      Timeout: number(1, 900).default(3),
      ...tags,
      TracingConfig: ignored('there is no tracing'),
    }),
  }),
  'AWS::Lambda::Version': resourceType({
    ref: qualified(() => '1'),
    attributes: { Version: () => '1' },
    properties: z.strictObject({ FunctionName: text }),
  }),
  'AWS::Lambda::Alias': resourceType({
    name_property: 'Name',
    ref: qualified(({ name }) => name),
    properties: z.strictObject({ FunctionName: text, FunctionVersion: text, Name: text }),
  }),
  'AWS::Lambda::EventInvokeConfig': resourceType({
    properties: z.strictObject({
      FunctionName: text,
      MaximumEventAgeInSeconds: number(60, 21_600).optional(),
      MaximumRetryAttempts: number(0, 2).optional(),
      Qualifier: text,
    }),
  }),
  'AWS::Lambda::EventSourceMapping': resourceType({
    properties: z.strictObject({
      // Larger batches need a batching window, which is not supported.
      BatchSize: number(1, 10).default(10),
      EventSourceArn: textLike(/^arn:aws:sqs:/, 'must be the ARN of an SQS queue'),
      FunctionName: text,
      FunctionResponseTypes: z.array(oneOf('ReportBatchItemFailures')).default([]),
      // Required: the default depends on the account's concurrency, which does not exist here.
      ScalingConfig: z.strictObject({ MaximumConcurrency: number(2, 1000) }),
      ...tags,
    }),
  }),
  'AWS::Lambda::Permission': resourceType({
    properties: z.strictObject({
      Action: oneOf('lambda:InvokeFunction'),
      FunctionName: text,
      Principal: text,
      SourceArn: text.optional(),
    }),
  }),
  'AWS::StepFunctions::StateMachine': resourceType({
    name_property: 'StateMachineName',
    ref: arn('states', ({ name }) => `stateMachine:${name}`),
    properties: z.strictObject({
      DefinitionString: text,
      LoggingConfiguration: ignored('logs go to the state directory'),
      RoleArn: text,
      StateMachineName: text.optional(),
      TracingConfiguration: ignored('there is no tracing'),
      ...tags,
    }),
  }),
};
