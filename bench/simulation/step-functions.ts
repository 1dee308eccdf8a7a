import { ExecutionAlreadyExists, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';
import {
  createStepFunctions,
  type StateMachineResource,
  type StatusChangeDetail,
  type StepFunctions,
} from '../../local/aws/step-functions/step-functions.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

export interface SimulatedStepFunctions {
  client: Pick<SFNClient, 'send'>;
  close(): Promise<void>;
}

/**
 * The local Step Functions by the virtual clock. While an execution is neither in a function nor waiting, its engine is at work, and
 * the clock stands still.
 * @param ended told how each execution ended
 */
export function simulateStepFunctions(
  { clock, latency, random }: { clock: VirtualClock; latency: Latency; random: () => number },
  {
    directory,
    stateMachines,
    invoke,
    ended,
  }: {
    directory: string;
    stateMachines: StateMachineResource[];
    invoke: (functionArn: string, payload: unknown) => Promise<unknown>;
    ended: (detail: StatusChangeDetail) => void;
  },
): SimulatedStepFunctions {
  const atWork: (() => void)[] = [];
  const engineStarts = () => void atWork.push(clock.stop());
  const engineRests = () => atWork.pop()?.();
  // The service asks for the end of a task's or an execution's time right as it begins: nobody waits for that end alone.
  let isTimeLimit = false;

  const service: StepFunctions = createStepFunctions({
    directory,
    now: clock.now,
    random,
    stateMachines,
    async sleep(milliseconds, signal) {
      const isLimit = isTimeLimit;
      if (!isLimit) engineRests();
      await clock.sleep(milliseconds, signal);
      if (!isLimit || !signal.aborted) engineStarts();
    },
    async invoke(functionArn, payload, { signal }) {
      isTimeLimit = true;
      queueMicrotask(() => {
        isTimeLimit = false;
      });
      engineRests();
      try {
        await latency('transition', async () => undefined);
        return await invoke(functionArn, payload);
      } finally {
        if (!signal.aborted) engineStarts();
      }
    },
    async onStatusChange(detail) {
      if (detail.status === 'RUNNING') return;
      engineRests();
      ended(detail);
    },
  });

  const started = new Set<string>();
  const start = (input: { name?: string }) => {
    // One that runs already is answered for as if it were new.
    const isNew = !started.has(input.name ?? '');
    started.add(input.name ?? '');
    if (isNew) engineStarts();
    isTimeLimit = true;
    const answer = service.handle('StartExecution', input);
    isTimeLimit = false;
    return answer;
  };
  const send = ({ constructor: { name }, input }: { constructor: { name: string }; input: object }) =>
    latency('stepFunctions', () =>
      (name === 'StartExecutionCommand' ? start(input) : service.handle(name.replace(/Command$/, ''), input)).catch(
        (error: unknown) => {
          throw asException(error);
        },
      ),
    );
  return { client: { send } as Pick<SFNClient, 'send'>, close: service.close };
}

/** What the SDK makes of the service's answer. */
function asException(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const told = { message: error.message, $metadata: {} };
  switch (error.name) {
    case 'ExecutionAlreadyExists':
      return new ExecutionAlreadyExists(told);
    case 'ExecutionDoesNotExist':
      return new ExecutionDoesNotExist(told);
    default:
      return error;
  }
}
