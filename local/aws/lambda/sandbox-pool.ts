import { ServiceError } from '../service-error.ts';
import type { FunctionDefinition, Outcome } from './function-definition.ts';
import { type Invocation, type Sandbox, type SandboxOptions, startSandbox } from './sandbox.ts';

export interface SandboxPoolOptions extends SandboxOptions {
  definition: FunctionDefinition;
  /** Workers at once; more invocations wait. */
  largest: number;
  /** A worker that was not used for so long is ended. */
  idle_milliseconds: number;
}

/** The sandboxes of one function: warm ones are used again, new ones started on demand, idle ones ended. */
export interface SandboxPool {
  /**
   * Waits for a free sandbox when this machine's limit is reached, where Lambda would have grown further.
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
  let asked = 0;

  const park = (sandbox: Sandbox) => {
    const entry = {
      sandbox,
      cancelEnd: clock.after(options.idle_milliseconds, () => {
        idle.splice(idle.indexOf(entry), 1);
        void sandbox.end();
      }),
    };
    idle.push(entry);
  };
  /** The sandbox used last, so that the others can grow idle. */
  const warm = (): Sandbox | undefined => {
    for (let entry = idle.pop(); entry; entry = idle.pop()) {
      entry.cancelEnd();
      if (entry.sandbox.alive()) return entry.sandbox;
    }
    return undefined;
  };

  return {
    async run(invocation) {
      if (asked >= reserved)
        throw new ServiceError(
          'TooManyRequestsException',
          429,
          `Rate Exceeded: ${definition.name} runs ${reserved} at once`,
        );
      asked += 1;
      try {
        while (running.size >= options.largest) await new Promise<void>((free) => waiting.push(free));
        const sandbox = warm() ?? startSandbox(definition, options);
        running.add(sandbox);
        const outcome = await sandbox.invoke(invocation);
        running.delete(sandbox);
        if (sandbox.alive()) park(sandbox);
        return outcome;
      } finally {
        asked -= 1;
        waiting.shift()?.();
      }
    },
    async close() {
      const parked = idle.splice(0);
      for (const { cancelEnd } of parked) cancelEnd();
      await Promise.all([...parked.map(({ sandbox }) => sandbox), ...running].map((sandbox) => sandbox.end()));
    },
  };
}
