import type { FunctionName } from '../../functions/shared/environment.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/** What an entry exports. */
export type Handler = (event: never) => Promise<unknown>;

/**
 * Functions in containers: an idle one is taken again, and a new one begins cold and with nothing in its memory.
 * @param load what the entry of a function does when a container loads it
 * @param ran told of each invocation and how long it took, its start included
 */
export function createLambda(
  { clock, latency }: { clock: VirtualClock; latency: Latency },
  load: (name: FunctionName) => Handler,
  ran: (name: FunctionName, milliseconds: number) => void = () => undefined,
) {
  const idle = new Map<FunctionName, Handler[]>();
  const dead: { name: FunctionName; error: unknown }[] = [];

  /** Runs a function and gives its answer, or throws its error. */
  async function invoke(name: FunctionName, event: unknown): Promise<unknown> {
    const containers = idle.get(name) ?? [];
    idle.set(name, containers);
    const warm = containers.pop();
    const began = clock.now();
    const handler = await latency(warm ? 'warmStart' : 'coldStart', async () => warm ?? load(name));
    try {
      return await handler(JSON.parse(JSON.stringify(event)) as never);
    } finally {
      ran(name, clock.now() - began);
      containers.push(handler);
    }
  }

  async function insist(name: FunctionName, event: unknown): Promise<void> {
    for (const wait of [60_000, 120_000]) {
      try {
        await invoke(name, event);
        return;
      } catch {
        await clock.sleep(wait);
      }
    }
    await invoke(name, event).catch((error: unknown) => void dead.push({ name, error }));
  }

  return {
    invoke,
    /** Runs it without anybody waiting: an error is tried again after one minute, then after two, as Lambda does. */
    accept: (name: FunctionName, event: unknown): void => void insist(name, event),
    /** Invocations that nobody waits for and that failed for good. */
    dead: dead as readonly { name: string; error: unknown }[],
  };
}
