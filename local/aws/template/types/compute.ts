import { arn, type Identity, resourceType } from '../resource-type.ts';
import { inert, map, number, object, oneOf, optional, text, textLike, withDefault } from '../schema.ts';

/** `function:<name>:<qualifier>`, of a version or alias of the function that a property names. */
const qualified = (qualifier: (identity: Identity) => string) =>
  arn('lambda', (identity) => {
    const functionName = identity.property('FunctionName')?.split(':').at(-1);
    return `function:${functionName}:${qualifier(identity)}`;
  });

export const computeTypes = {
  'AWS::Lambda::Function': resourceType({
    attributes: { Arn: arn('lambda', ({ name }) => `function:${name}`) },
    properties: object({
      Architectures: inert("the code is JavaScript and runs on this machine's processor"),
      Code: object({ S3Bucket: text, S3Key: text }),
      DeadLetterConfig: optional(object({ TargetArn: text })),
      Description: inert('a description'),
      Environment: optional(object({ Variables: map(text) })),
      Handler: text,
      LoggingConfig: inert('logs go to the state directory'),
      MemorySize: withDefault(number(128, 10_240), 128),
      ReservedConcurrentExecutions: optional(number(0)),
      Role: text,
      Runtime: textLike(/^nodejs\d+\.x$/, 'must be a Node.js runtime'),
      Timeout: withDefault(number(1, 900), 3),
      TracingConfig: inert('there is no tracing'),
    }),
  }),
  'AWS::Lambda::Version': resourceType({
    ref: qualified(() => '1'),
    attributes: { Version: () => '1' },
    properties: object({ FunctionName: text }),
  }),
  'AWS::Lambda::Alias': resourceType({
    name_property: 'Name',
    ref: qualified(({ name }) => name),
    properties: object({ FunctionName: text, FunctionVersion: text, Name: text }),
  }),
  'AWS::Lambda::EventInvokeConfig': resourceType({
    properties: object({
      FunctionName: text,
      MaximumEventAgeInSeconds: optional(number(60, 21_600)),
      MaximumRetryAttempts: optional(number(0, 2)),
      Qualifier: text,
    }),
  }),
  'AWS::Lambda::EventSourceMapping': resourceType({
    properties: object({
      // Larger batches wait to be filled, which nothing does here.
      BatchSize: withDefault(number(1, 10), 10),
      EventSourceArn: textLike(/^arn:aws:sqs:/, 'must be the ARN of an SQS queue'),
      FunctionName: text,
      // Needed: without it Lambda grows to what the account has, and there is no such number here.
      ScalingConfig: object({ MaximumConcurrency: number(2, 1000) }),
    }),
  }),
  'AWS::Lambda::Permission': resourceType({
    properties: object({
      Action: oneOf('lambda:InvokeFunction'),
      FunctionName: text,
      Principal: text,
      SourceArn: optional(text),
    }),
  }),
  'AWS::StepFunctions::StateMachine': resourceType({
    name_property: 'StateMachineName',
    ref: arn('states', ({ name }) => `stateMachine:${name}`),
    properties: object({
      DefinitionString: text,
      LoggingConfiguration: inert('logs go to the state directory'),
      RoleArn: text,
      StateMachineName: optional(text),
      TracingConfiguration: inert('there is no tracing'),
    }),
  }),
};
