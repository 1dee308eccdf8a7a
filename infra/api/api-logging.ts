import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  CfnAccount,
  LogGroupLogDestination,
  MethodLoggingLevel,
  type StageOptions,
} from 'aws-cdk-lib/aws-apigateway';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from '../functions/acknowledge.ts';

/** One line for each request: who asked for what and how it went. No header, query or body, so neither keys nor prompts. */
const accessLine = {
  request_id: '$context.requestId',
  time: '$context.requestTimeEpoch',
  method: '$context.httpMethod',
  path: '$context.path',
  route: '$context.resourcePath',
  status: '$context.status',
  bytes: '$context.responseLength',
  milliseconds: '$context.responseLatency',
  owner: '$context.authorizer.owner',
  key_id: '$context.authorizer.key_id',
  // Where requests are signed there is no authorizer: this names their caller.
  user_arn: '$context.identity.userArn',
  source_ip: '$context.identity.sourceIp',
  trace_id: '$context.xrayTraceId',
};

/** A stage's access log, errors of the gateway's own, metrics and traces. */
export function stageLogging(scope: Construct, retention: RetentionDays): StageOptions {
  const accessLog = new LogGroup(scope, 'AccessLog', { retention, removalPolicy: RemovalPolicy.DESTROY });
  return {
    accessLogDestination: new LogGroupLogDestination(accessLog),
    accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLine)),
    loggingLevel: MethodLoggingLevel.ERROR,
    dataTraceEnabled: false,
    metricsEnabled: true,
    tracingEnabled: true,
  };
}

/**
 * Lets API Gateway write logs: a setting of the account and region, which a stage with logs can't be made without. It stays when
 * the stack goes, as other APIs of the account may rely on it.
 */
export function accountLogging(scope: Construct): CfnAccount {
  const role = new Role(scope, 'LoggingRole', {
    assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
    inlinePolicies: { WriteLogs: new PolicyDocument({ statements: [logStatement()] }) },
  });
  role.applyRemovalPolicy(RemovalPolicy.RETAIN);
  acknowledgeWildcard(
    role,
    '*',
    "API Gateway's role for logs serves every API of the account, whose log groups it names itself; it holds what the service asks for, and no other service can take it.",
  );
  const account = new CfnAccount(scope, 'AccountLogging', { cloudWatchRoleArn: role.roleArn });
  account.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return account;
}

/** The actions that API Gateway checks the role for. */
const logStatement = (): PolicyStatement =>
  new PolicyStatement({
    actions: [
      'logs:CreateLogGroup',
      'logs:CreateLogStream',
      'logs:DescribeLogGroups',
      'logs:DescribeLogStreams',
      'logs:FilterLogEvents',
      'logs:GetLogEvents',
      'logs:PutLogEvents',
    ],
    resources: ['*'],
  });
