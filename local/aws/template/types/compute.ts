import { arn, type Identity, resourceType, tags } from '../resource-type.ts';
import { boolean, inert, list, map, number, object, oneOf, optional, text, textLike, withDefault } from '../schema.ts';

/** `function:<name>:<qualifier>`, of a version or alias of the function that a property names. */
const qualified = (qualifier: (identity: Identity) => string) =>
  arn('lambda', (identity) => {
    const functionName = identity.property('FunctionName')?.split(':').at(-1);
    return `function:${functionName}:${qualifier(identity)}`;
  });

const destination = object({ Destination: text });

export const computeTypes = {
  'AWS::Lambda::Function': resourceType({
    name_property: 'FunctionName',
    ref: ({ name }) => name,
    attributes: { Arn: arn('lambda', ({ name }) => `function:${name}`) },
    properties: object({
      Architectures: inert("the code is JavaScript and runs on this machine's processor"),
      Code: object({ S3Bucket: text, S3Key: text }),
      DeadLetterConfig: optional(object({ TargetArn: text })),
      Description: inert('a description'),
      Environment: optional(object({ Variables: map(text) })),
      EphemeralStorage: inert("a worker has this machine's temporary directory"),
      FunctionName: optional(text),
      Handler: text,
      LoggingConfig: inert('logs go to the state directory'),
      MemorySize: withDefault(number(128, 10_240), 128),
      ReservedConcurrentExecutions: optional(number(0)),
      Role: text,
      Runtime: textLike(/^nodejs\d+\.x$/, 'must be a Node.js runtime'),
      Tags: tags,
      Timeout: withDefault(number(1, 900), 3),
      TracingConfig: inert('there is no tracing'),
    }),
  }),
  'AWS::Lambda::Version': resourceType({
    ref: qualified(() => '1'),
    attributes: {
      Version: () => '1',
      FunctionArn: qualified(() => '1'),
    },
    properties: object({ FunctionName: text, Description: inert('a description') }),
  }),
  'AWS::Lambda::Alias': resourceType({
    name_property: 'Name',
    ref: qualified(({ name }) => name),
    attributes: { AliasArn: qualified(({ name }) => name) },
    properties: object({
      Description: inert('a description'),
      FunctionName: text,
      FunctionVersion: text,
      Name: text,
    }),
  }),
  'AWS::Lambda::EventInvokeConfig': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: object({
      DestinationConfig: optional(object({ OnFailure: optional(destination) })),
      FunctionName: text,
      MaximumEventAgeInSeconds: optional(number(60, 21_600)),
      MaximumRetryAttempts: optional(number(0, 2)),
      Qualifier: text,
    }),
  }),
  'AWS::Lambda::EventSourceMapping': resourceType({
    ref: ({ name }) => name,
    attributes: { Id: ({ name }) => name },
    properties: object({
      // Larger batches wait to be filled, which nothing does here.
      BatchSize: withDefault(number(1, 10), 10),
      Enabled: withDefault(boolean, true),
      EventSourceArn: textLike(/^arn:aws:sqs:/, 'must be the ARN of an SQS queue'),
      FunctionName: text,
      FunctionResponseTypes: withDefault(list(oneOf('ReportBatchItemFailures')), []),
      // Needed: without it Lambda grows to what the account has, and there is no such number here.
      ScalingConfig: object({ MaximumConcurrency: number(2, 1000) }),
      Tags: tags,
    }),
  }),
  'AWS::Lambda::Permission': resourceType({
    ref: ({ name }) => name,
    attributes: {},
    properties: object({
      Action: oneOf('lambda:InvokeFunction'),
      FunctionName: text,
      Principal: text,
      SourceAccount: optional(text),
      SourceArn: optional(text),
    }),
  }),
  'AWS::StepFunctions::StateMachine': resourceType({
    name_property: 'StateMachineName',
    ref: arn('states', ({ name }) => `stateMachine:${name}`),
    attributes: {
      Arn: arn('states', ({ name }) => `stateMachine:${name}`),
      Name: ({ name }) => name,
    },
    properties: object({
      DefinitionString: text,
      EncryptionConfiguration: inert('files on this machine are as encrypted as its disk'),
      LoggingConfiguration: inert('logs go to the state directory'),
      RoleArn: text,
      StateMachineName: optional(text),
      StateMachineType: withDefault(oneOf('STANDARD'), 'STANDARD'),
      Tags: tags,
      TracingConfiguration: inert('there is no tracing'),
    }),
  }),
};
