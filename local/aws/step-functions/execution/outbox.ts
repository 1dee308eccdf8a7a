import { type Clock, sleepUntil } from '../clock.ts';
import type { ExecutionStatus, StatusChangeDetail } from '../contract.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';

/** How long a status change that nobody took waits for its next try. */
const retryDelay = 1000;

export interface Outbox {
  /** Tells what is untold of an execution, the start before the end. Returns at once. */
  deliver(execution: Execution): void;
  /** Whether something is untold. */
  busy(): boolean;
  /** Resolves when what is untold now was told. */
  idle(): Promise<void>;
  /** Delivers no more. What was not told stays so in the journal. */
  close(): void;
}

export function createOutbox(
  executions: Executions,
  onStatusChange: (detail: StatusChangeDetail) => Promise<void>,
  clock: Clock,
): Outbox {
  const stopped = new AbortController();
  const delivering = new Map<string, Promise<void>>();

  async function tell(execution: Execution, what: 'start_told' | 'end_told', status: ExecutionStatus): Promise<void> {
    try {
      await onStatusChange(statusChange(execution, status));
    } catch {
      return sleepUntil(clock.now() + retryDelay, clock, stopped.signal);
    }
    if (!stopped.signal.aborted) executions.tell(execution, what);
  }

  async function deliverAll(execution: Execution): Promise<void> {
    while (!stopped.signal.aborted) {
      if (!execution.start_told) await tell(execution, 'start_told', 'RUNNING');
      else if (execution.status !== 'RUNNING' && !execution.end_told)
        await tell(execution, 'end_told', execution.status);
      else break;
    }
    // At once, not in a callback: a change that comes a moment later has to find nobody here.
    delivering.delete(execution.arn);
  }

  return {
    deliver(execution) {
      if (delivering.has(execution.arn)) return;
      // deliverAll runs up to its first wait before it returns, and would forget itself too early.
      const delivery = Promise.resolve()
        .then(() => deliverAll(execution))
        .catch((error: unknown) => {
          if (!stopped.signal.aborted) throw error;
        });
      delivering.set(execution.arn, delivery);
    },
    busy: () => delivering.size > 0,
    async idle() {
      await Promise.all(delivering.values());
    },
    close: () => stopped.abort(),
  };
}

function statusChange(execution: Execution, status: ExecutionStatus): StatusChangeDetail {
  const over = status !== 'RUNNING';
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.state_machine_arn,
    name: execution.name,
    status,
    startDate: execution.started_at,
    stopDate: over ? execution.stopped_at : null,
    input: execution.input,
    output: over ? execution.output : null,
    error: over ? execution.error : null,
    cause: over ? execution.cause : null,
    inputDetails: { included: true },
    outputDetails: over && execution.output !== null ? { included: true } : null,
    stateMachineVersionArn: null,
    stateMachineAliasArn: null,
    redriveCount: 0,
    redriveDate: null,
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason: `Execution is ${status} and cannot be redriven`,
  };
}
