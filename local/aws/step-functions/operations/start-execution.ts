import { randomUUID } from 'node:crypto';
import type { Json } from '../contract.ts';
import { StepFunctionsError } from '../errors.ts';
import type { Entry, Execution } from '../execution/execution.ts';
import { eventsOfState } from '../execution/history-cost.ts';
import { optionalText, requiredText } from './parameters.ts';
import { type DeployedMachine, deployedMachine, epochSeconds, type Services } from './services.ts';

/** The largest input (quota: 256 KiB as UTF-8). */
const mostBytes = 256 * 1024;

/** White space, brackets, wildcards, the special characters of the API reference, and control characters. */
const forbidden = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\p{Cs}\ufffe\uffff]/u;

type StartServices = Pick<Services, 'clock' | 'machines' | 'executions' | 'runner' | 'outbox'>;

/**
 * Starts an execution, which is journaled before this answers. The same name with the same input answers like the first
 * time while that execution runs (Standard workflows).
 * @throws {StepFunctionsError} ExecutionAlreadyExists when the name is taken: by another input, or by an execution that
 * ended within 90 days
 */
export function startExecution(services: StartServices) {
  return async (request: unknown) => {
    const deployed = deployedMachine(services, requiredText(request, 'stateMachineArn'));
    const name = checkedName(optionalText(request, 'name') ?? randomUUID());
    const input = optionalText(request, 'input') ?? '{}';
    const parsed = parseInput(input);
    const arn = deployed.resource.arn.replace(':stateMachine:', ':execution:').concat(':', name);

    const existing = services.executions.find(arn);
    if (existing) {
      if (existing.status === 'RUNNING' && existing.input === input) return answer(existing);
      throw new StepFunctionsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const execution = newExecution(deployed, arn, name, input, parsed, services.clock.now());
    services.executions.add(execution, deployed.resource.definition);
    services.runner.launch(execution);
    services.outbox.deliver(execution);
    return answer(execution);
  };
}

const answer = (execution: Execution) => ({
  executionArn: execution.arn,
  startDate: epochSeconds(execution.started_at),
});

function newExecution(
  { resource, machine }: DeployedMachine,
  arn: string,
  name: string,
  input: string,
  parsed: Json,
  now: number,
): Execution {
  const type = machine.states.get(machine.start_at)?.type ?? '';
  const current: Entry = {
    state: machine.start_at,
    input: parsed,
    entered_at: now,
    retries: [],
    retry_at: null,
    events: 1 + eventsOfState(type),
  };
  return {
    arn,
    name,
    state_machine_arn: resource.arn,
    definition: machine.hash,
    input,
    started_at: now,
    status: 'RUNNING',
    stopped_at: null,
    output: null,
    error: null,
    cause: null,
    current,
    visits: [{ state: current.state, type, entered_at: now }],
    start_told: false,
    end_told: false,
  };
}

function checkedName(name: string): string {
  if (name.length < 1 || name.length > 80) {
    throw new StepFunctionsError(
      'ValidationException',
      `1 validation error detected: Value '${name}' at 'name' failed to satisfy constraint: Member must have length between 1 and 80`,
    );
  }
  if (forbidden.test(name)) throw new StepFunctionsError('InvalidName', `Invalid Name: '${name}'`);
  return name;
}

function parseInput(input: string): Json {
  const bytes = Buffer.byteLength(input);
  if (bytes > mostBytes) {
    throw new StepFunctionsError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: ${bytes} bytes are more than ${mostBytes}`,
    );
  }
  try {
    return JSON.parse(input);
  } catch {
    throw new StepFunctionsError('InvalidExecutionInput', 'Invalid State Machine Execution Input: it is not JSON');
  }
}
