import { DynamoDBClient, UpdateItemCommand, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { region } from './account.ts';
import { roleAccessKey } from './endpoint/access-keys.ts';
import type { Lambda } from './lambda/lambda.ts';
import { ServiceError } from './service-error.ts';

/**
 * Runs a Lambda task of a state machine.
 * @throws Error named as in Step Functions: the function's `errorType`, or `Lambda.<exception>` for an error of the
 *   service
 */
export async function runLambdaTask(
  lambda: Pick<Lambda, 'invoke'>,
  functionArn: string,
  payload: unknown,
): Promise<unknown> {
  const outcome = await lambda.invoke(functionArn, JSON.stringify(payload)).catch((error: unknown) => {
    if (error instanceof ServiceError) throw Object.assign(error, { name: `Lambda.${error.name}` });
    throw error;
  });
  if ('payload' in outcome) return JSON.parse(outcome.payload);
  const { errorType, errorMessage, trace } = outcome.error;
  throw Object.assign(new Error(errorMessage), { name: errorType, trace });
}

/** Makes the AWS calls of state machines, through the endpoint and with the credentials of their roles. */
export function createTaskClient(endpoint: string) {
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
