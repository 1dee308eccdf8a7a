/** What travels through the workflow: declared once, small always. Only ever grows, so that executions in flight survive a deploy. */

import type { Failure } from '../video/record.ts';

/** The input of an execution, exactly. */
export interface WorkflowInput {
  /** The video's id. */
  id: string;
  /** Which start of this video's workflow it is: 1, 2, … The execution's name is `<id>-<run>`. */
  run: number;
}

export type CreateTaskOutput = WorkflowInput &
  (
    | { outcome: 'created' /** ISO 8601, when to look first. */; check_at: string }
    /** The record already ended or moved on; nothing is left to do in this execution. */
    | { outcome: 'settled' }
    | { outcome: 'failed'; error: Failure }
  );

export type CheckTaskOutput = WorkflowInput &
  (
    | { outcome: 'running'; check_at: string }
    | { outcome: 'succeeded' }
    | { outcome: 'settled' }
    | { outcome: 'failed'; error: Failure }
  );

/** Either a failure that a state returned as a value, or what a Catch caught. */
export type RecordFailureInput = WorkflowInput & { error: Failure | { Error: string; Cause?: string } };
