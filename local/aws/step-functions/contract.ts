/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A state machine of the template, its functions' ARNs resolved. */
export interface StateMachineResource {
  /** `arn:aws:states:REGION:ACCOUNT:stateMachine:NAME` */
  arn: string;
  name: string;
  /** The parsed Amazon States Language. */
  definition: object;
  type: 'STANDARD';
  /** @default - descriptions carry no `roleArn`, the context object has an empty `$$.Execution.RoleArn` */
  role_arn?: string;
}

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** The `detail` of EventBridge's 'Step Functions Execution Status Change'. Its dates are epoch milliseconds, unlike the API's. */
export interface StatusChangeDetail {
  executionArn: string;
  stateMachineArn: string;
  name: string;
  status: ExecutionStatus;
  startDate: number;
  stopDate: number | null;
  input: string;
  output: string | null;
  error: string | null;
  cause: string | null;
  inputDetails: { included: true };
  outputDetails: { included: true } | null;
  stateMachineVersionArn: null;
  stateMachineAliasArn: null;
  redriveCount: 0;
  redriveDate: null;
  redriveStatus: 'NOT_REDRIVABLE';
  redriveStatusReason: string;
}

/**
 * Runs a function and answers its result. A rejection is the function's failure: `name` is the error's name (the
 * Lambda's `errorType`, or one of AWS's own such as `Lambda.TooManyRequestsException` and `Sandbox.Timedout`), `message`
 * its text, and `trace`, where it has one, the lines for the cause.
 * `signal` is aborted when nobody waits for the answer any more: a timeout, a stop, the end of this process.
 */
export type Invoke = (
  functionArn: string,
  payload: unknown,
  context: { execution_arn: string; signal: AbortSignal },
) => Promise<unknown>;

export interface StepFunctionsOptions {
  /** Where the journal lies; created when missing. One process at a time. */
  directory: string;
  /** Milliseconds since 1970. */
  now: () => number;
  /**
   * Resolves after `milliseconds`, or as soon as `signal` is aborted. Give it together with a `now` that it moves.
   * @default - real timers, of any length
   */
  sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Between 0 and 1, for `JitterStrategy: FULL`. @default Math.random */
  random?: () => number;
  stateMachines: StateMachineResource[];
  invoke: Invoke;
  /** Told of every change at least once, in order for each execution; a rejection is tried again each second. */
  onStatusChange: (detail: StatusChangeDetail) => Promise<void>;
}

export interface StepFunctions {
  /**
   * Answers one request of the service's JSON protocol.
   * @throws {StepFunctionsError} whose `name` is the service's error code
   */
  handle(operation: string, input: unknown): Promise<unknown>;
  /** Continues what an earlier process left running, and delivers what it left untold. Call it once, after creation. */
  resume(): Promise<void>;
  /** Resolves when no execution runs (a waiting one does run) and every status change was delivered. */
  idle(): Promise<void>;
  /** Stops without ending anything: the next process resumes. */
  close(): Promise<void>;
}
