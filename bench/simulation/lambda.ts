import type { FunctionName } from '../../functions/shared/environment.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/** The handler that an entry exports. */
export type Handler = (event: never) => Promise<unknown>;

/**
 * Simulates Lambda's containers: an idle container is reused, and a new one has a cold start and no state.
 * @param load loads the entry of a function in a container
 * @param onInvocation called with the duration of each invocation, including the container's start
 */
export function createLambda(
  { clock, latency }: { clock: VirtualClock; latency: Latency },
  load: (name: FunctionName) => Handler,
  onInvocation: (name: FunctionName, milliseconds: number) => void = () => undefined,
) {
  const idle = new Map<FunctionName, Handler[]>();
  const failedInvocations: { name: FunctionName; error: unknown }[] = [];

  /** Invokes a function and returns its result or throws its error. */
  async function invoke(name: FunctionName, event: unknown): Promise<unknown> {
    const containers = idle.get(name) ?? [];
    idle.set(name, containers);
    const warm = containers.pop();
    const began = clock.now();
    const handler = await latency(warm ? 'warmStart' : 'coldStart', async () => warm ?? load(name));
    try {
      return await handler(JSON.parse(JSON.stringify(event)) as never);
    } finally {
      onInvocation(name, clock.now() - began);
      containers.push(handler);
    }
  }

  async function invokeWithRetries(name: FunctionName, event: unknown): Promise<void> {
    for (const wait of [60_000, 120_000]) {
      try {
        await invoke(name, event);
        return;
      } catch {
        await clock.sleep(wait);
      }
    }
    await invoke(name, event).catch((error: unknown) => void failedInvocations.push({ name, error }));
  }

  return {
    invoke,
    /** Invokes a function asynchronously. Like Lambda, it retries an error after one minute, then after two. */
    accept: (name: FunctionName, event: unknown): void => void invokeWithRetries(name, event),
    /** Asynchronous invocations whose last retry failed. */
    failedInvocations: failedInvocations as readonly { name: string; error: unknown }[],
  };
}
