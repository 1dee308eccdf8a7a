import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import type { Wait } from '../polling/wait-item.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { WorkflowError } from '../shared/errors.ts';
import { describeError, inContext } from '../shared/logging.ts';
import type { Failure } from '../video/record.ts';

/**
 * A step of the workflow whose lines all carry the video's id and the run, and which says by what error it ended before Step Functions
 * decides about it: an error that the state machine knows by name is a warning, any other a surprise with its stack.
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
        if (error instanceof WorkflowError) logger.warn('The step failed with a known error', { code: error.name });
        else logger.error('The step failed', describeError(error));
        throw error;
      }
    },
    ({ id, run }) => ({ video_id: id, run }),
  );

/** What travels through the workflow: declared once, small always. Only ever grows, so that executions in flight survive a deploy. */

export type CreateTaskOutput = WorkflowInput &
  (
    | { outcome: 'created'; wait: Wait }
    /** The task ended before: the video only has to be archived. */
    | { outcome: 'succeeded' }
    /**
     * The record already ended or moved on; nothing is left to do in this execution. `held`: why Wan refuses the account, for which
     * the video went back to its queue.
     */
    | { outcome: 'settled'; account_refused?: string }
    | { outcome: 'failed'; error: Failure }
  );

/** `error` is there when nothing woke the execution: its sleep ended by its timeout, or could not begin. */
export type CheckTaskInput = WorkflowInput & { wait?: Pick<Wait, 'pause_seconds'>; error?: unknown };

export type CheckTaskOutput = WorkflowInput &
  (
    | { outcome: 'running'; wait: Wait }
    | { outcome: 'succeeded' }
    | { outcome: 'settled' }
    | { outcome: 'failed'; error: Failure }
  );

/** `settled`: the video had ended or moved on before its archive was written. */
export type ArchiveVideoOutput = WorkflowInput & { outcome: 'archived' | 'settled' };

/** Either a failure that a state returned as a value, or what a Catch caught. */
export type RecordFailureInput = WorkflowInput & { error: Failure | { Error: string; Cause?: string } };

/** `requeued`: the video waits in its queue again. `settled`: there was no failure to write; it had ended or moved on. */
export type RecordFailureOutput = WorkflowInput & { outcome: 'failed' | 'requeued' | 'settled' };
