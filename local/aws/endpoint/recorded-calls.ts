import { account, region } from '../account.ts';
import { executionOfToken } from '../step-functions/interpreter.ts';

/** One call to AWS, as IAM would judge it. */
export interface AwsCall {
  /** Milliseconds since 1970. */
  at: number;
  /** The ARN of the role that called, or `local` for a person. */
  principal: string;
  /** `dynamodb:GetItem`, `s3:PutObject`, … */
  action: string;
  /** The ARN it was about, or `*`. */
  resource: string;
  /** What a policy's condition may ask for, such as `s3:prefix`. @default nothing */
  conditions?: Readonly<Record<string, string | readonly string[]>>;
}

/** What policies may ask of a call to a JSON service: which items it is about, where it names one by its key. */
export function conditionsOf(service: string, { Key }: Record<string, unknown>): Pick<AwsCall, 'conditions'> {
  if (service !== 'dynamodb' || typeof Key !== 'object' || Key === null) return {};
  // Tables here have a partition key and no other.
  const [value] = Object.values(Key) as { S?: string }[];
  return value?.S === undefined ? {} : { conditions: { 'dynamodb:LeadingKeys': [value.S] } };
}

/** What a call to a JSON service is about, for IAM. */
export function resourceOf(service: string, operation: string, input: Record<string, unknown>): string {
  const arn = (path: string) => `arn:aws:${service}:${region}:${account}:${path}`;
  if (service === 'dynamodb') {
    if (typeof input.TableName !== 'string') return '*';
    const index = typeof input.IndexName === 'string' ? `/index/${input.IndexName}` : '';
    return arn(`table/${input.TableName}${index}`);
  }
  if (service === 'states') {
    // An answer to a task is granted on its state machine.
    const machine = executionOfToken(String(input.taskToken ?? ''))?.replace(
      /:execution:([^:]*):.*/,
      ':stateMachine:$1',
    );
    return String(input.stateMachineArn ?? input.executionArn ?? machine ?? '*');
  }
  if (service === 'secretsmanager') return String(input.SecretId ?? '*');
  if (service === 'sqs') return arn(String(input.QueueUrl).split('/').at(-1) ?? '');
  return operation === 'PutEvents' ? arn('event-bus/default') : '*';
}
