import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import type { Wait } from '../polling/wait-item.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { WorkflowError } from '../shared/errors.ts';
import { describeError, inContext } from '../shared/logging.ts';
import type { Failure } from '../video/record.ts';

/**
 * Wraps a step of the workflow. All its log lines carry the video's id and run. A failed step is logged before Step Functions handles
 * its error: errors that the state machine matches by name as warnings, unexpected errors with their stack.
 */
export const logged = <Input extends WorkflowInput, Output>(
  logger: Pick<Logger, 'addContext' | 'appendKeys' | 'resetKeys' | 'warn' | 'error'>,
  step: (input: Input) => Promise<Output>,
): ((input: Input, context: Context) => Promise<Output>) =>
  inContext(
    logger,
    async (input: Input) => {
      try {
        return await step(input);
      } catch (error) {
        if (error instanceof WorkflowError) logger.warn('Step failed with a known error', { code: error.name });
        else logger.error('Step failed with an unexpected error', describeError(error));
        throw error;
      }
    },
    ({ id, run }) => ({ video_id: id, run }),
  );

// The inputs and outputs of the steps. They stay small, and fields are only ever added, so that running executions survive a deploy.

export type CreateTaskOutput = WorkflowInput &
  (
    | { outcome: 'created'; wait: Wait }
    /** The task has succeeded already; the video only has to be archived. */
    | { outcome: 'succeeded' }
    /**
     * The video's status or run has changed; this execution has nothing left to do. `account_refused`: why Wan refuses the account,
     * for which the video was returned to its queue.
     */
    | { outcome: 'settled'; account_refused?: string }
    | { outcome: 'failed'; error: Failure }
  );

/** `error` is set when the watcher did not wake the execution: WaitForEnd timed out or failed. */
export type CheckTaskInput = WorkflowInput & { wait?: Pick<Wait, 'pause_seconds'>; error?: unknown };

export type CheckTaskOutput = WorkflowInput &
  (
    | { outcome: 'running'; wait: Wait }
    | { outcome: 'succeeded' }
    | { outcome: 'settled' }
    | { outcome: 'failed'; error: Failure }
  );

/** `settled`: the video's status or run changed before its archive was recorded. */
export type ArchiveVideoOutput = WorkflowInput & { outcome: 'archived' | 'settled' };

/** `error` is a failure that a state returned as a value, or the error that a Catch caught. */
export type RecordFailureInput = WorkflowInput & { error: Failure | { Error: string; Cause?: string } };

/** `requeued`: the video was returned to its queue. `settled`: its status or run has changed; no failure was written. */
export type RecordFailureOutput = WorkflowInput & { outcome: 'failed' | 'requeued' | 'settled' };
