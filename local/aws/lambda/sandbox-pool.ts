import { ServiceError } from '../service-error.ts';
import type { FunctionDefinition, Outcome } from './function-definition.ts';
import { type Invocation, type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts';

export interface SandboxPoolOptions extends SandboxOptions {
  definition: FunctionDefinition;
  /** The maximum number of workers. Further invocations wait. */
  max_sandboxes: number;
  /** A worker is ended after it was idle for this long. */
  idle_milliseconds: number;
}

/** The sandboxes of one function. Reuses warm sandboxes, starts new ones on demand and ends idle ones. */
export interface SandboxPool {
  /**
   * Waits for a free sandbox at this machine's limit, where Lambda would start another one.
   * @throws ServiceError TooManyRequestsException above the function's reserved concurrency
   */
  run(invocation: Invocation): Promise<Outcome>;
  close(): Promise<void>;
}

export function createSandboxPool(options: SandboxPoolOptions): SandboxPool {
  const { definition, clock } = options;
  const reserved = definition.reserved_concurrency ?? Number.POSITIVE_INFINITY;
  const idle: { sandbox: Sandbox; cancelEnd: () => void }[] = [];
  const running = new Set<Sandbox>();
  const waiting: (() => void)[] = [];
  let pending = 0;

  const keepWarm = (sandbox: Sandbox) => {
    const entry = {
      sandbox,
      cancelEnd: clock.after(options.idle_milliseconds, () => {
        idle.splice(idle.indexOf(entry), 1);
        void sandbox.end();
      }),
    };
    idle.push(entry);
  };
  /** Returns the sandbox that was used last, so that the others become idle. */
  const takeWarm = (): Sandbox | undefined => {
    for (let entry = idle.pop(); entry; entry = idle.pop()) {
      entry.cancelEnd();
      if (entry.sandbox.alive()) return entry.sandbox;
    }
    return undefined;
  };

  return {
    async run(invocation) {
      if (pending >= reserved)
        throw new ServiceError(
          'TooManyRequestsException',
          `Rate Exceeded: ${definition.name} has a reserved concurrency of ${reserved}`,
          429,
        );
      pending += 1;
      try {
        while (running.size >= options.max_sandboxes) await new Promise<void>((resume) => waiting.push(resume));
        const sandbox = takeWarm() ?? startSandbox(definition, options);
        running.add(sandbox);
        const outcome = await sandbox.invoke(invocation);
        running.delete(sandbox);
        if (sandbox.alive()) keepWarm(sandbox);
        return outcome;
      } finally {
        pending -= 1;
        waiting.shift()?.();
      }
    },
    async close() {
      const warmSandboxes = idle.splice(0);
      for (const { cancelEnd } of warmSandboxes) cancelEnd();
      await Promise.all([...warmSandboxes.map(({ sandbox }) => sandbox), ...running].map((sandbox) => sandbox.end()));
    },
  };
}
