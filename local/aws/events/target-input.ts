import type { BusEvent } from './event.ts';

/**
 * What a target gets of an event, as JSON: a constant, a part, or all of it.
 * @throws Error for a path other than `$` and plain member names
 */
export function targetInput(target: { input?: string; input_path?: string }): (event: BusEvent) => string {
  const { input, input_path } = target;
  if (input !== undefined) {
    JSON.parse(input);
    return () => input;
  }
  if (input_path === undefined) return (event) => JSON.stringify(event);
  const members = /^\$(\.[\w-]+)*$/.test(input_path) ? input_path.split('.').slice(1) : undefined;
  if (!members)
    throw new Error(`the input path ${input_path} is unknown: the local runtime knows $ and $.member.member`);
  return (event) => {
    const part = members.reduce<unknown>(
      (found, member) => (found as Record<string, unknown> | undefined)?.[member],
      event,
    );
    return JSON.stringify(part ?? null);
  };
}
