import type { Clock } from '../clock.ts';
import type { StateMachineResource } from '../contract.ts';
import type { StateMachine } from '../definition/state-machine.ts';
import { StepFunctionsError } from '../errors.ts';
import type { Execution } from '../execution/execution.ts';
import type { Executions } from '../execution/executions.ts';
import type { Outbox } from '../execution/outbox.ts';
import type { Runner } from '../execution/runner.ts';

/** A state machine as it is deployed now. */
export interface DeployedMachine {
  resource: StateMachineResource;
  machine: StateMachine;
}

/** What the operations work with; each asks for the part it uses. */
export interface Services {
  clock: Pick<Clock, 'now'>;
  machines: ReadonlyMap<string, DeployedMachine>;
  executions: Executions;
  runner: Pick<Runner, 'launch' | 'end'>;
  outbox: Pick<Outbox, 'deliver'>;
  /** When the state machines were created: this process's start, epoch milliseconds. */
  created_at: number;
}

/** The protocol's form of a time: seconds since 1970. */
export const epochSeconds = (milliseconds: number): number => milliseconds / 1000;

/** @throws {StepFunctionsError} InvalidArn, StateMachineDoesNotExist */
export function deployedMachine(services: Pick<Services, 'machines'>, arn: string): DeployedMachine {
  checkArn(arn);
  const deployed = services.machines.get(arn);
  if (!deployed) throw new StepFunctionsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  return deployed;
}

/** @throws {StepFunctionsError} InvalidArn, ExecutionDoesNotExist */
export function existingExecution(services: Pick<Services, 'executions'>, arn: string): Execution {
  checkArn(arn);
  const execution = services.executions.find(arn);
  if (!execution) throw new StepFunctionsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  return execution;
}

function checkArn(arn: string): void {
  if (!/^arn:aws[\w-]*:states:[^:]+:\d{12}:\w+:.+$/.test(arn)) {
    throw new StepFunctionsError('InvalidArn', `Invalid Arn: '${arn}'`);
  }
}
