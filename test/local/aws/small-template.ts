// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation's own placeholders
import type { Template } from '../../../local/aws/template/template.ts';

const mainFunction = { 'Fn::GetAtt': ['MainFunction', 'Arn'] };
const target = { Arn: mainFunction, Id: 'Target0' };
const role = { Type: 'AWS::IAM::Role' };
const uri = {
  'Fn::Sub': 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${MainFunction.Arn}/invocations',
};

/** The smallest template with all services of the runtime. One function handles everything. */
export const smallTemplate: Template = {
  Resources: {
    MainRole: role,
    MachineRole: role,
    MainFunction: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { S3Bucket: 'assets', S3Key: 'main.zip' },
        Handler: 'index.handler',
        Role: { 'Fn::GetAtt': ['MainRole', 'Arn'] },
        Runtime: 'nodejs24.x',
        MemorySize: 256,
        Timeout: 10,
      },
    },
    EventsPermission: {
      Type: 'AWS::Lambda::Permission',
      Properties: { Action: 'lambda:InvokeFunction', FunctionName: mainFunction, Principal: 'events.amazonaws.com' },
    },
    ApiPermission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: mainFunction,
        Principal: 'apigateway.amazonaws.com',
      },
    },
    VideosTable: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        AttributeDefinitions: ['pk', 'owner', 'created_at_id'].map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S',
        })),
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        GlobalSecondaryIndexes: [
          {
            IndexName: 'by_owner',
            KeySchema: [
              { AttributeName: 'owner', KeyType: 'HASH' },
              { AttributeName: 'created_at_id', KeyType: 'RANGE' },
            ],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      },
    },
    UploadsBucket: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        VersioningConfiguration: { Status: 'Enabled' },
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      },
    },
    VideosBucket: { Type: 'AWS::S3::Bucket', Properties: {} },
    WanApiKey: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
    StateMachine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: 'firstframe-machine',
        RoleArn: { 'Fn::GetAtt': ['MachineRole', 'Arn'] },
        DefinitionString: {
          'Fn::Sub': '{"StartAt":"Only","States":{"Only":{"Type":"Task","Resource":"${MainFunction.Arn}","End":true}}}',
        },
      },
    },
    DropsRule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventPattern: { source: ['aws.s3'], detail: { object: { key: [{ prefix: 'drop/' }] } } },
        Targets: [target],
      },
    },
    DiedRule: {
      Type: 'AWS::Events::Rule',
      Properties: { EventPattern: { source: ['aws.states'], detail: { status: ['FAILED'] } }, Targets: [target] },
    },
    OwnRule: {
      Type: 'AWS::Events::Rule',
      Properties: { EventPattern: { source: ['firstframe'] }, Targets: [target] },
    },
    WorkQueue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['DeadQueue', 'Arn'] }, maxReceiveCount: 3 },
      },
    },
    DeadQueue: { Type: 'AWS::SQS::Queue', Properties: {} },
    WorkSource: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': ['WorkQueue', 'Arn'] },
        FunctionName: { Ref: 'MainFunction' },
        ScalingConfig: { MaximumConcurrency: 2 },
      },
    },
    Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'firstframe' } },
    Health: {
      Type: 'AWS::ApiGateway::Resource',
      Properties: {
        ParentId: { 'Fn::GetAtt': ['Api', 'RootResourceId'] },
        PathPart: 'health',
        RestApiId: { Ref: 'Api' },
      },
    },
    HealthGet: {
      Type: 'AWS::ApiGateway::Method',
      Properties: {
        AuthorizationType: 'NONE',
        HttpMethod: 'GET',
        Integration: { IntegrationHttpMethod: 'POST', Type: 'AWS_PROXY', Uri: uri },
        ResourceId: { Ref: 'Health' },
        RestApiId: { Ref: 'Api' },
      },
    },
    Deployment: { Type: 'AWS::ApiGateway::Deployment', Properties: { RestApiId: { Ref: 'Api' } } },
    Stage: {
      Type: 'AWS::ApiGateway::Stage',
      Properties: { DeploymentId: { Ref: 'Deployment' }, RestApiId: { Ref: 'Api' }, StageName: 'v1' },
    },
  },
};
