import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  CfnAccount,
  LogGroupLogDestination,
  MethodLoggingLevel,
  type RestApi,
  type StageOptions,
} from 'aws-cdk-lib/aws-apigateway';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledgeWildcard, justify, justifyLogKey } from '../functions/acknowledge.ts';

/**
 * One line per request. It has no headers, path, query or body, so it contains no keys, prompts and tokens of links. The ids in a path are
 * in the log of the function, under the same request id.
 */
const accessLine = {
  request_id: '$context.requestId',
  // Unlike the request id, a caller cannot choose it.
  extended_request_id: '$context.extendedRequestId',
  time: '$context.requestTimeEpoch',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  bytes: '$context.responseLength',
  milliseconds: '$context.responseLatency',
  owner: '$context.authorizer.owner',
  key_id: '$context.authorizer.key_id',
  // The caller of a signed request, which has no authorizer.
  user_arn: '$context.identity.userArn',
  source_ip: '$context.identity.sourceIp',
  trace_id: '$context.xrayTraceId',
};

/** Returns the options for a stage's access log, execution errors and traces. */
export function stageLogging(scope: Construct, retention: RetentionDays): StageOptions {
  const accessLog = new LogGroup(scope, 'AccessLog', { retention, removalPolicy: RemovalPolicy.DESTROY });
  justifyLogKey(accessLog);
  return {
    accessLogDestination: new LogGroupLogDestination(accessLog),
    accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLine)),
    loggingLevel: MethodLoggingLevel.ERROR,
    dataTraceEnabled: false,
    // Metrics by method are billed as custom metrics. Alarms and dashboard use those of the stage, which are free.
    metricsEnabled: false,
    tracingEnabled: true,
  };
}

/**
 * Creates the log group that API Gateway would otherwise create itself for a stage's execution errors: one without retention,
 * which stays after the stack is deleted.
 */
export function executionLog(
  scope: Construct,
  { restApiId }: RestApi,
  stageName: string,
  retention: RetentionDays,
): LogGroup {
  const log = new LogGroup(scope, 'ExecutionLog', {
    logGroupName: `API-Gateway-Execution-Logs_${restApiId}/${stageName}`,
    retention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  justifyLogKey(log);
  return log;
}

/**
 * Allows API Gateway to write logs: a setting of the account and region that a stage with logs requires. It is retained when the
 * stack is deleted, since other APIs of the account may depend on it.
 */
export function accountLogging(scope: Construct): CfnAccount {
  const role = new Role(scope, 'LoggingRole', {
    assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
    inlinePolicies: { WriteLogs: new PolicyDocument({ statements: [logStatement()] }) },
  });
  role.applyRemovalPolicy(RemovalPolicy.RETAIN);
  const reason =
    "API Gateway's logging role serves every API of the account, and API Gateway chooses the log groups. The role has the actions that the service requires, and no other service can assume it.";
  acknowledgeWildcard(role, '*', reason);
  justify(role, 'CKV_AWS_111', reason);
  const account = new CfnAccount(scope, 'AccountLogging', { cloudWatchRoleArn: role.roleArn });
  account.applyRemovalPolicy(RemovalPolicy.RETAIN);
  return account;
}

/** The actions that API Gateway requires of the role. */
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
