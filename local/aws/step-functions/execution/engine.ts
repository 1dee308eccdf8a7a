import type { Json, JsonObject } from '../contract.ts';
import { StateError } from '../errors.ts';

/** What a state gives on. */
export interface Step {
  output: Json;
  /** undefined when the execution ends here. */
  next: string | undefined;
}

/** Runs a Task's work on its effective input. */
export type TaskHandler = (input: Json) => Promise<Json>;

/** The name of the state being run: longer than a name may be (80 characters), so that no other state has it. */
const current = 'the state that is being run'.padEnd(81, '.');

// Importing the engine takes a quarter of a second (it brings two AWS clients), so the first state does it.
const loadEngine = () => import('aws-local-stepfunctions');

// The engine wants Node 22 for this one function.
if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', {
    configurable: true,
    writable: true,
    value: () => {
      let settle: object = {};
      const promise = new Promise((resolve, reject) => {
        settle = { resolve, reject };
      });
      return { promise, ...settle };
    },
  });
}

/**
 * Runs one state through the engine and tells where it leads. One at a time, so that the caller can journal between
 * any two, and no execution keeps the engine's timers and event logs while it waits.
 * @param names the machine's states: where `state` may lead to
 * @param task is always given: without one the engine would call AWS
 * @throws {StateError} the state's failure
 */
export async function runState(
  state: JsonObject,
  names: Iterable<string>,
  input: Json,
  context: JsonObject,
  task: TaskHandler = noTask,
): Promise<Step> {
  const { StateMachine } = await loadEngine();
  const others = Object.fromEntries([...names].map((name) => [name, { Type: 'Succeed' as const }]));
  const definition = { StartAt: current, States: { ...others, [current]: state } };
  const run = new StateMachine(definition as ConstructorParameters<typeof StateMachine>[0], {
    validationOptions: { noValidate: true },
  }).run(input, {
    context,
    overrides: { taskResourceLocalHandlers: { [current]: task }, waitTimeOverrides: { [current]: 0 } },
  });
  const output = await run.result.catch((error: unknown) => {
    throw stateError(error);
  });
  let next: string | undefined;
  for await (const event of run.eventLogs) {
    if (event.type === 'StateEntered' && event.state.name !== current) next = event.state.name;
  }
  return { output, next };
}

/**
 * The value of a payload template.
 * @throws {StateError} States.Runtime when a path leads nowhere
 */
export async function evaluate(template: Json, input: Json, context: JsonObject, inputPath?: Json): Promise<Json> {
  const state: JsonObject = { Type: 'Pass', Parameters: template, End: true };
  if (inputPath !== undefined) state.InputPath = inputPath;
  return (await runState(state, [], input, context)).output;
}

/** What AWS calls the failure; whatever is no failure of a state (a bad path, a wrong argument) is States.Runtime. */
function stateError(error: unknown): StateError {
  const reason = error instanceof Error && error.name === 'ExecutionError' ? error.cause : error;
  if (reason instanceof StateError) return reason;
  if (!(reason instanceof Error)) return new StateError('States.Runtime', String(reason));
  return new StateError(reason.name.startsWith('States.') ? reason.name : 'States.Runtime', reason.message);
}

const noTask: TaskHandler = () => Promise.reject(new StateError('States.Runtime', 'The state has no task.'));
