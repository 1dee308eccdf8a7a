import type { Execution } from '../execution/execution.ts';
import { pageOf } from './page.ts';
import { optionalFlag, requiredText } from './parameters.ts';
import { epochSeconds, existingExecution, type Services } from './services.ts';

interface HistoryEvent {
  id: number;
  previousEventId: number;
  /** Seconds since 1970. */
  timestamp: number;
  type: string;
  [details: string]: unknown;
}

/** Start, end, and the latest states entered and exited, without what went in and out of them. */
export function getExecutionHistory(services: Pick<Services, 'executions'>) {
  return async (request: unknown) => {
    const execution = existingExecution(services, requiredText(request, 'executionArn'));
    const events = historyOf(execution);
    if (optionalFlag(request, 'reverseOrder')) events.reverse();
    const page = pageOf(events, (event) => String(event.id), request);
    return { events: page.items, nextToken: page.nextToken };
  };
}

function historyOf(execution: Execution): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const add = (type: string, at: number, details: Record<string, unknown>) =>
    events.push({
      id: events.length + 1,
      previousEventId: events.length,
      timestamp: epochSeconds(at),
      type,
      ...details,
    });

  add('ExecutionStarted', execution.started_at, { executionStartedEventDetails: { input: execution.input } });
  for (const [index, { state, type, entered_at: enteredAt }] of execution.visits.entries()) {
    add(`${type}StateEntered`, enteredAt, { stateEnteredEventDetails: { name: state } });
    const left =
      execution.visits[index + 1]?.entered_at ?? (execution.status === 'SUCCEEDED' ? execution.stopped_at : null);
    if (left !== null) add(`${type}StateExited`, left, { stateExitedEventDetails: { name: state } });
  }
  if (execution.stopped_at !== null) {
    const { type, details } = endEvent(execution);
    add(type, execution.stopped_at, details);
  }
  return events;
}

function endEvent({ status, output, error, cause }: Execution): { type: string; details: Record<string, unknown> } {
  const reason = { ...(error === null ? {} : { error }), ...(cause === null ? {} : { cause }) };
  switch (status) {
    case 'SUCCEEDED':
      return { type: 'ExecutionSucceeded', details: { executionSucceededEventDetails: { output } } };
    case 'TIMED_OUT':
      return { type: 'ExecutionTimedOut', details: { executionTimedOutEventDetails: reason } };
    case 'ABORTED':
      return { type: 'ExecutionAborted', details: { executionAbortedEventDetails: reason } };
    default:
      return { type: 'ExecutionFailed', details: { executionFailedEventDetails: reason } };
  }
}
