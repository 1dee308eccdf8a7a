import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { FaultInjection } from '../fault-injection.ts';
import type { FunctionDefinition, FunctionError, Outcome } from './function-definition.ts';
import { workerEnvironment } from './worker-environment.ts';

export interface Invocation {
  request_id: string;
  /** As the caller named it, with the alias. */
  function_arn: string;
  /** JSON. */
  payload: string;
}

export interface SandboxOptions {
  endpoint_url: string;
  clock: Clock;
  onLog: (text: string, requestId: string | undefined) => void;
  /** Called at the start of an invocation. If set, AWS calls name the sandbox in their `User-Agent`. */
  onInvocation?: FaultInjection['onInvocation'];
}

/** A worker thread that has loaded a function's bundle. It runs one invocation at a time, as a Lambda sandbox does. */
export interface Sandbox {
  /** Never rejects. A crash, a timeout and exhausted memory are errors of the function. */
  invoke(invocation: Invocation): Promise<Outcome>;
  /** False after anything that ends a sandbox in Lambda. */
  alive(): boolean;
  end(): Promise<void>;
}

type WorkerMessage =
  | { type: 'ready' }
  | { type: 'log'; text: string }
  | { type: 'result'; payload: string }
  /** A fatal failure ends the sandbox. */
  | { type: 'failure'; error: FunctionError; fatal?: boolean };

/**
 * Lambda ends the init phase after 10 s and repeats it within the invocation's timeout. The limit is the sum of both.
 */
const initTimeout = 10_000;
/** Lambda's limit for the response of a synchronous invocation. */
const maxResponseBytes = 6_291_556;

export function startSandbox(
  definition: FunctionDefinition,
  { endpoint_url, clock, onLog, onInvocation }: SandboxOptions,
): Sandbox {
  const sandbox_id = randomUUID();
  const worker = new Worker(fileURLToPath(new URL('bootstrap.cjs', import.meta.url)), {
    env: { ...workerEnvironment(definition, endpoint_url), ...(onInvocation ? { AWS_SDK_UA_APP_ID: sandbox_id } : {}) },
    // This process's loaders do not exist in Lambda.
    execArgv: [],
    argv: [],
    resourceLimits: { maxOldGenerationSizeMb: definition.memory_mb },
    workerData: { code_directory: definition.code_directory, handler: definition.handler },
    stdout: true,
    stderr: true,
  });

  let ended = false;
  let initialized = false;
  let current: { invocation: Invocation; settle(outcome: Outcome): void } | undefined;
  let stopTimer = () => {};

  const settle = (outcome: Outcome) => {
    stopTimer();
    worker.unref();
    const settled = current;
    current = undefined;
    settled?.settle(outcome);
  };
  const fail = (errorType: string, message: string) => {
    ended = true;
    settle({
      error: { errorType, errorMessage: `RequestId: ${current?.invocation.request_id ?? 'none'} Error: ${message}` },
    });
  };
  const endAfter = (milliseconds: number) => {
    stopTimer = clock.after(milliseconds, () => {
      fail('Sandbox.Timedout', `Task timed out after ${definition.timeout_seconds.toFixed(2)} seconds`);
      void worker.terminate();
    });
  };
  const run = ({ invocation }: { invocation: Invocation }) => {
    const milliseconds = definition.timeout_seconds * 1000;
    endAfter(milliseconds);
    const { payload } = invocation;
    onInvocation?.({ sandbox_id, function_name: definition.name, payload, kill: () => void worker.terminate() });
    worker.postMessage({ ...invocation, deadline: clock.now() + milliseconds });
  };

  worker.on('message', (message: WorkerMessage) => {
    if (message.type === 'log') return onLog(message.text, current?.invocation.request_id);
    if (message.type === 'ready') {
      initialized = true;
      stopTimer();
      if (current) run(current);
      return;
    }
    if (message.type === 'failure') {
      if (message.fatal) ended = true;
      return settle({ error: message.error });
    }
    const bytes = Buffer.byteLength(message.payload);
    if (bytes <= maxResponseBytes) return settle({ payload: message.payload });
    const errorMessage = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${maxResponseBytes} bytes).`;
    settle({ error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } });
  });
  worker.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      fail('Runtime.OutOfMemory', 'Runtime exited with error: signal: killed');
    else fail('Runtime.ExitError', `Runtime exited with error: ${error.message}`);
  });
  worker.on('exit', (code) =>
    fail(
      'Runtime.ExitError',
      code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`,
    ),
  );
  worker.unref();

  return {
    alive: () => !ended,
    invoke(invocation) {
      if (current) throw new Error(`the sandbox of ${definition.name} is busy`);
      // The process may exit while sandboxes are idle, but not while one is running.
      worker.ref();
      return new Promise((resolve) => {
        current = { invocation, settle: resolve };
        if (initialized) run(current);
        else endAfter(initTimeout + definition.timeout_seconds * 1000);
      });
    },
    async end() {
      ended = true;
      await worker.terminate();
    },
  };
}
