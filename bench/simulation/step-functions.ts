import * as sfn from '@aws-sdk/client-sfn';
import {
  createStepFunctions,
  type StateMachineResource,
  type StatusChangeDetail,
} from '../../local/aws/step-functions/step-functions.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/**
 * Runs the local Step Functions on the virtual clock.
 * @param onExecutionEnd called when an execution ends
 */
export function simulateStepFunctions(
  { clock, latency }: { clock: VirtualClock; latency: Latency },
  {
    stateMachines,
    invoke,
    updateItem,
    onExecutionEnd,
  }: {
    stateMachines: StateMachineResource[];
    invoke: (functionArn: string, payload: unknown) => Promise<unknown>;
    updateItem: (parameters: object) => Promise<object>;
    onExecutionEnd: (detail: StatusChangeDetail) => void;
  },
) {
  const transition = () => latency('transition', async () => undefined);
  const { handle, executions, close } = createStepFunctions({
    now: clock.now,
    sleep: clock.sleep,
    stateMachines,
    async invokeFunction(functionArn, payload) {
      await transition();
      return invoke(functionArn, payload);
    },
    async callAws(_action, parameters) {
      await transition();
      return updateItem(parameters);
    },
    onStatusChange: (detail) => detail.status !== 'RUNNING' && onExecutionEnd(detail),
  });
  const send = ({ constructor: { name }, input }: { constructor: { name: string }; input: object }) =>
    latency('stepFunctions', () => handle(name.replace(/Command$/, ''), input)).catch((error: unknown) => {
      throw toSdkException(error);
    });
  return { client: { send } as Pick<sfn.SFNClient, 'send'>, executions, close };
}

/** The errors that callers distinguish by class. */
const exceptions: Record<string, new (fields: { message: string; $metadata: object }) => Error> = {
  ExecutionAlreadyExists: sfn.ExecutionAlreadyExists,
  ExecutionDoesNotExist: sfn.ExecutionDoesNotExist,
  InvalidToken: sfn.InvalidToken,
  TaskDoesNotExist: sfn.TaskDoesNotExist,
  TaskTimedOut: sfn.TaskTimedOut,
};

function toSdkException(error: unknown): unknown {
  const { name, message } = error as Error;
  const Exception = exceptions[name];
  return Exception ? new Exception({ message, $metadata: {} }) : error;
}
