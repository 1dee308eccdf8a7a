import type { IncomingMessage } from 'node:http';
import { executionOfToken } from '../../local/aws/step-functions/interpreter.ts';

/** The properties of a call to AWS that decide about its fault. */
export interface AwsCall {
  service: 'DynamoDB' | 'S3' | 'Step Functions' | 'Secrets Manager' | 'SQS' | 'EventBridge' | 'Lambda' | 'other';
  /** `UpdateItem`, `PUT`, … */
  action: string;
  /** Whether the call changes state. */
  changes: boolean;
  /** The worker that made the call. */
  sandbox: string | undefined;
  /** The same for all retries of one call by the SDK; undefined for other clients. */
  invocation_id: string | undefined;
}

const services: Record<string, AwsCall['service']> = {
  DynamoDB_20120810: 'DynamoDB',
  AWSStepFunctions: 'Step Functions',
  AmazonSQS: 'SQS',
  AWSEvents: 'EventBridge',
  secretsmanager: 'Secrets Manager',
};
const reads = /^(Get|Query|Scan|BatchGet|Describe|List|HEAD|GET)/;

export function awsCallOf({ headers, method = '', url = '' }: IncomingMessage): AwsCall {
  const [target = '', operation = ''] = String(headers['x-amz-target'] ?? '').split('.');
  const isLambda = url.startsWith('/2015-03-31/');
  const isS3 = target === '' && !isLambda;
  const action = operation || method;
  return {
    service: isS3 ? 'S3' : isLambda ? 'Lambda' : (services[target] ?? 'other'),
    action,
    changes: !reads.test(action),
    sandbox: / app\/([0-9a-f-]{36})/.exec(String(headers['user-agent']))?.[1],
    invocation_id: headers['amz-sdk-invocation-id']?.toString(),
  };
}

/** Returns how a call takes part in waiting for a task: by the key of a wait item, or by the video of a task token. */
export function waitRoleOf({ service, action }: AwsCall, body: Buffer): { place: WaitRole; id: string } | undefined {
  if (service === 'Step Functions' && action === 'SendTaskSuccess') {
    const { taskToken = '' } = parse<{ taskToken: string }>(body);
    const name = executionOfToken(taskToken)?.split(':').at(-1) ?? '';
    return { place: 'wake', id: name.replace(/-\d+$/, '') };
  }
  if (service !== 'DynamoDB' || (action !== 'GetItem' && action !== 'UpdateItem')) return undefined;
  const [kind, id = ''] = (parse<{ Key: { pk?: { S?: string } } }>(body).Key?.pk?.S ?? '').split('#');
  if (kind === 'watcher') return { place: 'lease', id: '' };
  if (kind !== 'wait') return undefined;
  return { place: action === 'GetItem' ? 'token read' : 'token write', id };
}
/** Returns {} for the incomplete body of a killed worker. */
export function parse<Fields>(body: Buffer): Partial<Fields> {
  try {
    return JSON.parse(body.toString('utf8')) as Fields;
  } catch {
    return {};
  }
}
export type WaitRole = 'token read' | 'token write' | 'wake' | 'lease';

/** Returns the service's response for an internal error or throttling. */
export function refusalOf(service: AwsCall['service'], why: 'error' | 'throttled') {
  const isError = why === 'error';
  if (service === 'S3') {
    const code = isError ? 'InternalError' : 'SlowDown';
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Injected fault.</Message></Error>`;
    return { status: isError ? 500 : 503, headers: { 'content-type': 'application/xml' }, body };
  }
  const throttling = service === 'DynamoDB' ? 'ProvisionedThroughputExceededException' : 'ThrottlingException';
  const type = isError ? 'InternalServerError' : throttling;
  return {
    status: isError ? 500 : 400,
    headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': type },
    body: JSON.stringify({ __type: type, message: 'Injected fault.' }),
  };
}
