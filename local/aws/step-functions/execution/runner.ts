import { sleepUntil } from '../clock.ts';
import type { StateMachineResource } from '../contract.ts';
import type { StateMachine } from '../definition/state-machine.ts';
import { contextObject } from './context-object.ts';
import type { Ending, Execution } from './execution.ts';
import type { Outbox } from './outbox.ts';
import type { RunServices } from './run.ts';
import { runExecution } from './run-execution.ts';

export interface Runner {
  /** Runs an execution that is journaled as running; at most once in this process. Returns at once. */
  launch(execution: Execution): void;
  /** Journals how an execution ended and tells of it, unless it has ended before. */
  end(execution: Execution, ending: Ending): void;
  /** Whether an execution runs. */
  busy(): boolean;
  /** Resolves when those that run now do so no more. */
  idle(): Promise<void>;
  /** Leaves every execution where it is. Resolves when none moves any more. */
  close(): Promise<void>;
}

export interface RunnerOptions extends RunServices {
  outbox: Outbox;
  /** The definition that an execution started with. */
  machineOf: (execution: Execution) => StateMachine;
  resourceOf: (execution: Execution) => StateMachineResource | undefined;
}

export function createRunner(options: RunnerOptions): Runner {
  const { executions, clock, outbox, machineOf, resourceOf } = options;
  const running = new Map<string, { controller: AbortController; settled: Promise<void> }>();

  function end(execution: Execution, ending: Ending): void {
    if (execution.status !== 'RUNNING') return;
    executions.close(execution, ending, clock.now());
    running.get(execution.arn)?.controller.abort();
    outbox.deliver(execution);
  }

  async function run(execution: Execution, signal: AbortSignal): Promise<void> {
    try {
      const machine = machineOf(execution);
      const context = contextObject(execution, resourceOf(execution));
      end(execution, await runExecution({ execution, machine, context, services: options, signal }));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async function endInTime(execution: Execution, signal: AbortSignal): Promise<void> {
    const seconds = machineOf(execution).timeout_seconds;
    if (seconds === undefined) return;
    try {
      await sleepUntil(execution.started_at + seconds * 1000, clock, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    end(execution, { status: 'TIMED_OUT', error: 'States.Timeout', cause: null });
  }

  async function idle(): Promise<void> {
    await Promise.all([...running.values()].map(({ settled }) => settled));
  }

  return {
    launch(execution) {
      if (running.has(execution.arn)) return;
      const controller = new AbortController();
      const { signal } = controller;
      const deadline = endInTime(execution, signal);
      const settled = run(execution, signal).then(() => {
        running.delete(execution.arn);
        return deadline;
      });
      running.set(execution.arn, { controller, settled });
    },
    end,
    busy: () => running.size > 0,
    idle,
    async close() {
      for (const { controller } of running.values()) controller.abort();
      await idle();
    },
  };
}
