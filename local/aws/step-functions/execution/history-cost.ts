/** How many events a Standard execution may have (quota); the one after ends it. */
export const mostHistoryEvents = 25_000;

/** Scheduled, started, and succeeded or failed. */
export const eventsOfInvocation = 3;

/** Events that a state writes when all goes well: entered and exited, and for a Task those of its invocation. */
export function eventsOfState(type: string): number {
  if (type === 'Fail') return 1;
  return type === 'Task' ? 2 + eventsOfInvocation : 2;
}
