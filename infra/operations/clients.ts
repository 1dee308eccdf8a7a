import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createAwsCall } from './aws-call.ts';
import { localAws } from './command.ts';

export type Clients = ReturnType<typeof clientsFor>;

/** Creates the clients of an operator's command. @param local whether they call the AWS endpoint of `npm start` */
export function clientsFor(local: boolean, environment: NodeJS.ProcessEnv) {
  const settings = local ? localAws(environment) : {};
  const cloudFormation = new CloudFormationClient(settings);
  return {
    aws: createAwsCall(cloudFormation, environment, fetch),
    cloudFormation,
    cloudWatch: new CloudWatchClient(settings),
    dynamoDb: new DynamoDBClient(settings),
    eventBridge: new EventBridgeClient(settings),
    lambda: new LambdaClient(settings),
    s3: new S3Client(settings),
    secrets: new SecretsManagerClient(settings),
    sqs: new SQSClient(settings),
    stepFunctions: new SFNClient(settings),
  };
}
