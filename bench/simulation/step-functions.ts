import * as sfn from '@aws-sdk/client-sfn';
import {
  createStepFunctions,
  type StateMachineResource,
  type StatusChangeDetail,
} from '../../local/aws/step-functions/step-functions.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/**
 * The local Step Functions by the virtual clock.
 * @param ended told how each execution ended
 */
export function simulateStepFunctions(
  { clock, latency }: { clock: VirtualClock; latency: Latency },
  {
    stateMachines,
    invoke,
    updateItem,
    ended,
  }: {
    stateMachines: StateMachineResource[];
    invoke: (functionArn: string, payload: unknown) => Promise<unknown>;
    updateItem: (parameters: object) => Promise<object>;
    ended: (detail: StatusChangeDetail) => void;
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
    onStatusChange: (detail) => detail.status !== 'RUNNING' && ended(detail),
  });
  const send = ({ constructor: { name }, input }: { constructor: { name: string }; input: object }) =>
    latency('stepFunctions', () => handle(name.replace(/Command$/, ''), input)).catch((error: unknown) => {
      throw asException(error);
    });
  return { client: { send } as Pick<sfn.SFNClient, 'send'>, executions, close };
}

/** The errors that callers tell apart by their class. */
const exceptions: Record<string, new (fields: { message: string; $metadata: object }) => Error> = {
  ExecutionAlreadyExists: sfn.ExecutionAlreadyExists,
  ExecutionDoesNotExist: sfn.ExecutionDoesNotExist,
  InvalidToken: sfn.InvalidToken,
  TaskDoesNotExist: sfn.TaskDoesNotExist,
  TaskTimedOut: sfn.TaskTimedOut,
};

function asException(error: unknown): unknown {
  const { name, message } = error as Error;
  const Exception = exceptions[name];
  return Exception ? new Exception({ message, $metadata: {} }) : error;
}
