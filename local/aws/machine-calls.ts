import { DynamoDBClient, UpdateItemCommand, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { region } from './account.ts';
import { roleAccessKey } from './endpoint/access-keys.ts';
import type { Lambda } from './lambda/lambda.ts';
import { ServiceError } from './service-error.ts';

/** A failed task, as the state machine's Retry and Catch see it: `name` is what they match. */
class TaskFailure extends Error {
  readonly trace: string[] | undefined;

  constructor(name: string, message: string, trace?: string[]) {
    super(message);
    this.name = name;
    this.trace = trace;
  }
}

/**
 * Runs a Lambda task of a state machine.
 * @throws an error named as Step Functions names it: the function's own `errorType`, `Lambda.<exception>` where the service refused
 */
export async function invokeTask(
  lambda: Pick<Lambda, 'invoke'>,
  functionArn: string,
  payload: unknown,
): Promise<unknown> {
  const outcome = await lambda.invoke(functionArn, JSON.stringify(payload)).catch((error: unknown) => {
    if (error instanceof ServiceError) throw new TaskFailure(`Lambda.${error.name}`, error.message);
    throw error;
  });
  if ('payload' in outcome) return JSON.parse(outcome.payload);
  const { errorType, errorMessage, trace } = outcome.error;
  throw new TaskFailure(errorType, errorMessage, trace);
}

/** What state machines call besides functions: through the endpoint, as their role, with the SDK's retries. */
export function createMachineCalls(endpoint: string) {
  const clients = new Map<string, DynamoDBClient>();
  return {
    updateItem(parameters: object, roleArn: string): Promise<unknown> {
      const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = roleAccessKey(roleArn);
      const client =
        clients.get(roleArn) ?? new DynamoDBClient({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
      clients.set(roleArn, client);
      return client.send(new UpdateItemCommand(parameters as UpdateItemCommandInput));
    },
    close() {
      for (const client of clients.values()) client.destroy();
    },
  };
}
