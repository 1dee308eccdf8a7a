// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation's own placeholders
import { describe, expect, test } from 'vitest';
import { loadStack } from '../../../local/aws/template/load-stack.ts';
import type { Template } from '../../../local/aws/template/template.ts';

const load = (template: Template) =>
  loadStack(template, { stack_name: 'firstframe', account: '000000000000', region: 'us-east-1' });
const outputsOf = (template: Template) => load(template).outputs;
const outputs = (values: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(values).map(([name, Value]) => [name, { Value }]));

const resources: Template['Resources'] = {
  UploadsBucket: { Type: 'AWS::S3::Bucket', Properties: {} },
  VideosTable: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    },
  },
  SubmitFunction81FD0F43: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Code: { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}-${AWS::Region}' }, S3Key: 'x.zip' },
      Handler: 'index.handler',
      Role: 'arn:aws:iam::000000000000:role/r',
      Runtime: 'nodejs24.x',
      Environment: { Variables: { TABLE: { Ref: 'VideosTable' } } },
    },
  },
  SubmitFunctionVersion: {
    Type: 'AWS::Lambda::Version',
    Properties: { FunctionName: { Ref: 'SubmitFunction81FD0F43' } },
  },
  SubmitFunctionLive: {
    Type: 'AWS::Lambda::Alias',
    Properties: {
      FunctionName: { Ref: 'SubmitFunction81FD0F43' },
      FunctionVersion: { 'Fn::GetAtt': ['SubmitFunctionVersion', 'Version'] },
      Name: 'live',
    },
  },
};

describe('intrinsic functions', () => {
  test('resolve as in CloudFormation', () => {
    expect(
      outputsOf({
        Parameters: { Stage: { Type: 'String', Default: 'test' } },
        Resources: resources,
        Outputs: outputs({
          Bucket: { Ref: 'UploadsBucket' },
          Arn: { 'Fn::GetAtt': ['VideosTable', 'Arn'] },
          Alias: { Ref: 'SubmitFunctionLive' },
          Joined: { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }, { Ref: 'AWS::Region' }]] },
          Selected: { 'Fn::Select': [1, { 'Fn::Split': [':', { 'Fn::GetAtt': ['VideosTable', 'Arn'] }] }] },
          Substituted: { 'Fn::Sub': '${AWS::StackName}/${VideosTable.Arn}' },
        }),
      }),
    ).toEqual({
      Bucket: 'firstframe-uploads',
      Arn: 'arn:aws:dynamodb:us-east-1:000000000000:table/firstframe-videos',
      Alias: 'arn:aws:lambda:us-east-1:000000000000:function:firstframe-submit:live',
      Joined: 'a-test-us-east-1',
      Selected: 'aws',
      Substituted: 'firstframe/arn:aws:dynamodb:us-east-1:000000000000:table/firstframe-videos',
    });
  });

  test.each([
    [{ 'Fn::ImportValue': 'other-stack' }, 'Fn::ImportValue'],
    [{ 'Fn::GetAZs': '' }, 'Fn::GetAZs'],
    [{ Ref: 'Nowhere' }, 'Nowhere'],
    [{ 'Fn::GetAtt': ['VideosTable', 'StreamArn'] }, 'VideosTable.StreamArn'],
    [{ 'Fn::If': ['Missing', 1, 2] }, 'Fn::If'],
    [{ 'Fn::Sub': ['${Own}', { Own: 'a' }] }, 'Fn::Sub'],
    [{ Ref: 'AWS::NoValue' }, 'AWS::NoValue'],
  ])('%j is rejected by name', (value, name) => {
    expect(() => outputsOf({ Resources: resources, Outputs: outputs({ Wrong: value }) })).toThrow(name);
  });
});

describe('an unsupported template', () => {
  test('is rejected with the name of every unsupported type, property, attribute and section', () => {
    const loadInvalid = () =>
      load({
        Transform: 'AWS::Serverless-2016-10-31',
        Conditions: {},
        Resources: {
          Cache: { Type: 'AWS::ElastiCache::CacheCluster', Properties: {} },
          UploadsBucket: { Type: 'AWS::S3::Bucket', Properties: { AccelerateConfiguration: {} } },
          Loose: {
            Type: 'AWS::Events::Rule',
            Properties: { ScheduleExpression: 'rate(1 minute)', Targets: [{ Arn: 'a', Id: 'b', SqsParameters: {} }] },
          },
          Made: { Type: 'AWS::SQS::Queue', Properties: {}, CreationPolicy: {} },
        },
      } as Template);
    expect(loadInvalid).toThrow('Cache (AWS::ElastiCache::CacheCluster): this resource type is not supported');
    expect(loadInvalid).toThrow(
      'UploadsBucket (AWS::S3::Bucket): the property AccelerateConfiguration is not supported',
    );
    expect(loadInvalid).toThrow('Loose (AWS::Events::Rule): the property Targets.0.SqsParameters is not supported');
    expect(loadInvalid).toThrow('Made (AWS::SQS::Queue): the attribute CreationPolicy is not supported');
    expect(loadInvalid).toThrow("the template's section Transform is not supported");
    expect(loadInvalid).toThrow("the template's section Conditions is not supported");
  });

  test('is rejected for an unsupported value of a supported property', () => {
    expect(() =>
      load({
        Resources: { VideosTable: { Type: 'AWS::DynamoDB::Table', Properties: { BillingMode: 'PROVISIONED' } } },
      }),
    ).toThrow('VideosTable (AWS::DynamoDB::Table): the property BillingMode: "PROVISIONED"');
  });
});

test('a name in the template overrides the generated name', () => {
  const [machine] = load({
    Resources: {
      Machine: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: { StateMachineName: { 'Fn::Sub': '${AWS::StackName}-mine' }, DefinitionString: '{}', RoleArn: 'r' },
      },
    },
  }).all('AWS::StepFunctions::StateMachine');
  expect(machine).toMatchObject({
    name: 'firstframe-mine',
    ref: 'arn:aws:states:us-east-1:000000000000:stateMachine:firstframe-mine',
  });
});
