import { sleepWithTimers } from './clock.ts';
import type { JsonObject, StateMachineResource, StepFunctions, StepFunctionsOptions } from './contract.ts';
import { readStateMachine, type StateMachine } from './definition/state-machine.ts';
import { unsupported } from './definition/unsupported.ts';
import { StepFunctionsError, UnsupportedDefinition } from './errors.ts';
import type { Execution } from './execution/execution.ts';
import { openExecutions } from './execution/executions.ts';
import { createOutbox } from './execution/outbox.ts';
import { createRunner } from './execution/runner.ts';
import { describeExecution } from './operations/describe-execution.ts';
import { describeStateMachine } from './operations/describe-state-machine.ts';
import { getExecutionHistory } from './operations/get-execution-history.ts';
import { listExecutions } from './operations/list-executions.ts';
import { listStateMachines } from './operations/list-state-machines.ts';
import type { Services } from './operations/services.ts';
import { startExecution } from './operations/start-execution.ts';
import { stopExecution } from './operations/stop-execution.ts';

export type {
  ExecutionStatus,
  Invoke,
  StateMachineResource,
  StatusChangeDetail,
  StepFunctions,
  StepFunctionsOptions,
} from './contract.ts';
export { StepFunctionsError, UnsupportedDefinition } from './errors.ts';

/**
 * Step Functions (Standard workflows) whose executions survive a kill of the process.
 * @throws {UnsupportedDefinition} when a definition has something that would behave differently here
 * @example
 * const stepFunctions = createStepFunctions({ directory, now: Date.now, stateMachines, invoke, onStatusChange });
 * await stepFunctions.resume();
 * await stepFunctions.handle('StartExecution', { stateMachineArn, name: 'one', input: '{}' });
 */
export function createStepFunctions(options: StepFunctionsOptions): StepFunctions {
  const machines = new Map(
    options.stateMachines.map((resource) => [resource.arn, { resource, machine: readSupported(resource) }]),
  );
  const clock = { now: options.now, sleep: options.sleep ?? sleepWithTimers };
  const executions = openExecutions(options.directory, options.now);
  const outbox = createOutbox(executions, options.onStatusChange, clock);

  /** Definitions that running executions started with, by hash: a new one changes nothing for them. */
  const known = new Map<string, StateMachine>([...machines.values()].map(({ machine }) => [machine.hash, machine]));
  function machineOf(execution: Execution): StateMachine {
    const machine =
      known.get(execution.definition) ?? readStateMachine(executions.definition(execution.definition) as JsonObject);
    known.set(execution.definition, machine);
    return machine;
  }

  const runner = createRunner({
    executions,
    clock,
    outbox,
    machineOf,
    resourceOf: (execution) => machines.get(execution.state_machine_arn)?.resource,
    invoke: options.invoke,
    random: options.random ?? Math.random,
  });
  const services: Services = { clock, machines, executions, runner, outbox, created_at: options.now() };
  const operations = new Map<string, (input: unknown) => Promise<unknown>>([
    ['StartExecution', startExecution(services)],
    ['DescribeExecution', describeExecution(services)],
    ['ListExecutions', listExecutions(services)],
    ['StopExecution', stopExecution(services)],
    ['GetExecutionHistory', getExecutionHistory(services)],
    ['DescribeStateMachine', describeStateMachine(services)],
    ['ListStateMachines', listStateMachines(services)],
  ]);
  let closed = false;

  return {
    async handle(operation, input) {
      if (closed) throw new StepFunctionsError('ServiceUnavailable', 'The local Step Functions is stopping.');
      const answer = operations.get(operation);
      if (answer) return answer(input);
      throw new StepFunctionsError(
        'UnknownOperationException',
        `The local Step Functions does not know ${operation}, only ${[...operations.keys()].join(', ')}.`,
      );
    },
    async resume() {
      for (const execution of executions.list()) {
        if (execution.status === 'RUNNING') runner.launch(execution);
        if (!execution.end_told) outbox.deliver(execution);
      }
    },
    async idle() {
      while (runner.busy() || outbox.busy()) await Promise.all([runner.idle(), outbox.idle()]);
    },
    async close() {
      if (closed) return;
      closed = true;
      outbox.close();
      await runner.close();
      executions.closeFiles();
    },
  };
}

function readSupported(resource: StateMachineResource): StateMachine {
  const definition = resource.definition as JsonObject;
  const problems = unsupported(definition);
  if (problems.length > 0) throw new UnsupportedDefinition(resource.name, problems);
  return readStateMachine(definition);
}
