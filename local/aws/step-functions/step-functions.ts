import { randomUUID } from 'node:crypto';
import { ServiceError } from '../service-error.ts';
import { type Json, readStateMachine, type StateMachine } from './definition.ts';
import {
  type Environment,
  executionOfToken,
  maxPayloadBytes,
  type Run,
  runExecution,
  StateError,
  sleepSeconds,
} from './interpreter.ts';

/** A state machine of the template. The ARNs in its definition are resolved. */
export interface StateMachineResource {
  /** `arn:aws:states:REGION:ACCOUNT:stateMachine:NAME` */
  arn: string;
  name: string;
  /** The parsed Amazon States Language. */
  definition: object;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** An execution. Times are milliseconds since 1970. */
export interface Execution {
  readonly arn: string;
  readonly state_machine_arn: string;
  readonly name: string;
  /** The text that StartExecution received. */
  readonly input: string;
  readonly started_at: number;
  status: ExecutionStatus;
  stopped_at: number | null;
  output: string | null;
  error: string | null;
  cause: string | null;
  /** Billed state transitions: states entered, and retries. */
  transitions: number;
  /** History events as AWS would record them. */
  history_events: number;
}

export interface StepFunctionsOptions extends Environment {
  stateMachines: readonly StateMachineResource[];
  /** Called at each start and end, in order per execution. */
  onStatusChange: (detail: StatusChangeDetail) => void;
}

/** Step Functions in memory. Executions do not survive the process. */
export interface StepFunctions {
  /**
   * Runs one operation of the JSON protocol.
   * @throws {ServiceError} whose `name` is the service's error code
   */
  handle(operation: string, input: unknown): Promise<object>;
  executions(): readonly Execution[];
  /** Drops all running executions. */
  close(): void;
}

/**
 * The `detail` of EventBridge's "Step Functions Execution Status Change". Dates are milliseconds since 1970, unlike in
 * the API.
 */
export type StatusChangeDetail = ReturnType<typeof statusChange>;

/**
 * Creates a Step Functions service for standard workflows. Supports what the template's definitions and our clients
 * use.
 * @throws Error that names each part of a definition that would behave differently from AWS
 * @example
 *     const stepFunctions = createStepFunctions({ now, sleep, invokeFunction, callAws, stateMachines, onStatusChange });
 *     await stepFunctions.handle('StartExecution', { stateMachineArn, name: 'one', input: '{}' });
 */
export function createStepFunctions(options: StepFunctionsOptions): StepFunctions {
  const { now, onStatusChange } = options;
  const createdAt = now();
  const machines = new Map(
    options.stateMachines.map(({ arn, name, definition }) => [
      arn,
      { arn, name, ...readStateMachine(name, definition) },
    ]),
  );
  const executions = new Map<string, Execution>();
  const running = new Map<string, AbortController>();
  const tokens: Run['tokens'] = new Map();
  let closed = false;

  function end(execution: Execution, ending: Pick<Execution, 'status'> & Partial<Execution>): void {
    if (execution.status !== 'RUNNING') return;
    Object.assign(execution, { stopped_at: now(), ...ending });
    running.get(execution.arn)?.abort();
    running.delete(execution.arn);
    onStatusChange(statusChange(execution));
  }

  async function run(machine: StateMachine, execution: Execution, { signal }: AbortController): Promise<void> {
    const timeout = machine.TimeoutSeconds;
    if (timeout !== undefined) {
      const timedOut = () => end(execution, { status: 'TIMED_OUT', error: 'States.Timeout' });
      sleepSeconds(timeout, options, signal).then(timedOut, () => undefined);
    }
    try {
      const output = await runExecution({ ...options, machine, execution, tokens, counts: execution, signal });
      end(execution, { status: 'SUCCEEDED', output: JSON.stringify(output) });
    } catch (error) {
      if (error instanceof StateError) end(execution, { status: 'FAILED', error: error.error, cause: error.cause });
      else if (!signal.aborted) throw error;
    }
  }

  function startExecution(input: Fields): object {
    const machine = findMachine(input);
    const name = input.name ?? randomUUID();
    if (!/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u.test(name))
      throw new ServiceError('InvalidName', `Invalid Name: '${name}'`);
    const text = input.input ?? '{}';
    if (parseJson(text) === undefined)
      throw new ServiceError('InvalidExecutionInput', `The input is not JSON of at most ${maxPayloadBytes} bytes.`);
    const arn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = executions.get(arn);
    if (existing) {
      const isRepeated = existing.status === 'RUNNING' && existing.input === text;
      if (!isRepeated) throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
      return startResult(existing);
    }
    const execution: Execution = {
      arn,
      state_machine_arn: machine.arn,
      name,
      input: text,
      started_at: now(),
      status: 'RUNNING',
      stopped_at: null,
      output: null,
      error: null,
      cause: null,
      transitions: 0,
      history_events: 0,
    };
    const controller = new AbortController();
    executions.set(arn, execution);
    running.set(arn, controller);
    onStatusChange(statusChange(execution));
    void run(machine, execution, controller);
    return startResult(execution);
  }

  /** @throws {ServiceError} for a token that is not waited for: InvalidToken, TaskDoesNotExist or TaskTimedOut */
  function claimToken({ taskToken = '' }: Fields) {
    const arn = executionOfToken(taskToken);
    if (arn === undefined) throw new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");
    const execution = executions.get(arn);
    if (!execution) throw new ServiceError('TaskDoesNotExist', "Task Does Not Exist: 'Provided task does not exist'");
    const resolveToken = tokens.get(taskToken);
    tokens.delete(taskToken);
    if (resolveToken && execution.status === 'RUNNING') return resolveToken;
    throw new ServiceError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
  }

  function findMachine({ stateMachineArn: arn = '' }: Fields) {
    const machine = machines.get(arn);
    if (machine) return machine;
    throw new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }

  function findExecution({ executionArn: arn = '' }: Fields): Execution {
    const execution = executions.get(arn);
    if (execution) return execution;
    throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }

  const operations: Record<string, (input: Fields) => object> = {
    StartExecution: startExecution,
    DescribeExecution: (input) => describeExecution(findExecution(input)),
    StopExecution(input) {
      const execution = findExecution(input);
      end(execution, { status: 'ABORTED', error: input.error ?? null, cause: input.cause ?? null });
      return { stopDate: execution.stopped_at! / 1000 };
    },
    /** All of them on one page, the latest first. */
    ListExecutions(input) {
      const { arn } = findMachine(input);
      const listed = [...executions.values()].filter(
        ({ state_machine_arn, status }) => state_machine_arn === arn && (input.statusFilter ?? status) === status,
      );
      return { executions: listed.reverse().map(summary) };
    },
    ListStateMachines: () => ({
      stateMachines: [...machines.values()].map(({ arn, name }) => ({
        stateMachineArn: arn,
        name,
        type: 'STANDARD',
        creationDate: createdAt / 1000,
      })),
    }),
    SendTaskSuccess(input) {
      const output = parseJson(input.output ?? '');
      if (output === undefined)
        throw new ServiceError('InvalidOutput', `The output is not JSON of at most ${maxPayloadBytes} bytes.`);
      claimToken(input)(output);
      return {};
    },
  };

  return {
    async handle(operation, input) {
      if (closed) throw new ServiceError('ServiceUnavailable', 'The local Step Functions is stopping.', 503);
      if (Object.hasOwn(operations, operation)) return operations[operation]!(input as Fields);
      const supported = Object.keys(operations).join(', ');
      throw new ServiceError(
        'UnknownOperationException',
        `The local Step Functions does not support ${operation}, only ${supported}.`,
      );
    },
    executions: () => [...executions.values()],
    close() {
      closed = true;
      for (const controller of running.values()) controller.abort();
    },
  };
}

/** The requests' fields; the SDK checks that they are text. */
type Fields = Partial<
  Record<
    'stateMachineArn' | 'executionArn' | 'name' | 'input' | 'statusFilter' | 'error' | 'cause' | 'taskToken' | 'output',
    string
  >
>;

function parseJson(text: string): Json | undefined {
  try {
    return Buffer.byteLength(text) > maxPayloadBytes ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

// The API's dates are seconds since 1970.
const startResult = ({ arn, started_at }: Execution) => ({ executionArn: arn, startDate: started_at / 1000 });

const summary = (execution: Execution) => ({
  ...startResult(execution),
  stateMachineArn: execution.state_machine_arn,
  name: execution.name,
  status: execution.status,
  ...(execution.stopped_at === null ? {} : { stopDate: execution.stopped_at / 1000 }),
});

const describeExecution = (execution: Execution) => ({
  ...summary(execution),
  input: execution.input,
  inputDetails: { included: true },
  ...(execution.output === null ? {} : { output: execution.output, outputDetails: { included: true } }),
  ...(execution.error === null ? {} : { error: execution.error }),
  ...(execution.cause === null ? {} : { cause: execution.cause }),
});

const statusChange = ({ arn, state_machine_arn, name, status, input, output, error, cause, ...times }: Execution) => ({
  executionArn: arn,
  stateMachineArn: state_machine_arn,
  name,
  status,
  startDate: times.started_at,
  stopDate: times.stopped_at,
  input,
  output,
  error,
  cause,
  inputDetails: { included: true },
  outputDetails: output === null ? null : { included: true },
});
