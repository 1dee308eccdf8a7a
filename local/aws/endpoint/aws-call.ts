import { account, region } from '../account.ts';
import { defaultBus } from '../events/event-bus.ts';
import { executionOfToken } from '../step-functions/interpreter.ts';

/** One AWS call, as IAM evaluates it. */
export interface AwsCall {
  /** Milliseconds since 1970. */
  at: number;
  /** The ARN of the calling role, or `local` for the developer. */
  principal: string;
  /** `dynamodb:GetItem`, `s3:PutObject`, … */
  action: string;
  /** The ARN of the resource, or `*`. */
  resource: string;
  /** Condition keys such as `s3:prefix`. @default none */
  conditions?: Readonly<Record<string, string | readonly string[]>>;
}

/** Returns the IAM condition keys of a call to a JSON service: `dynamodb:LeadingKeys` if the call names an item. */
export function conditionKeys(service: string, { Key }: Record<string, unknown>): Pick<AwsCall, 'conditions'> {
  if (service !== 'dynamodb' || typeof Key !== 'object' || Key === null) return {};
  // Tables here have a partition key only.
  const [value] = Object.values(Key) as { S?: string }[];
  return value?.S === undefined ? {} : { conditions: { 'dynamodb:LeadingKeys': [value.S] } };
}

/** Returns the IAM resource of a call to a JSON service. */
export function resourceArn(service: string, operation: string, input: Record<string, unknown>): string {
  const arn = (path: string) => `arn:aws:${service}:${region}:${account}:${path}`;
  if (service === 'dynamodb') {
    if (typeof input.TableName !== 'string') return '*';
    const index = typeof input.IndexName === 'string' ? `/index/${input.IndexName}` : '';
    return arn(`table/${input.TableName}${index}`);
  }
  if (service === 'states') {
    // Sending a task's result is granted on the state machine.
    const machine = executionOfToken(String(input.taskToken ?? ''))?.replace(
      /:execution:([^:]*):.*/,
      ':stateMachine:$1',
    );
    return String(input.stateMachineArn ?? input.executionArn ?? machine ?? '*');
  }
  if (service === 'secretsmanager') return String(input.SecretId ?? '*');
  if (service === 'sqs') return arn(String(input.QueueUrl).split('/').at(-1) ?? '');
  if (operation !== 'PutEvents') return '*';
  // All entries of a call go to one bus here.
  const [entry] = (input.Entries ?? []) as { EventBusName?: string }[];
  const bus = entry?.EventBusName ?? defaultBus;
  return bus.startsWith('arn:') ? bus : arn(`event-bus/${bus}`);
}
