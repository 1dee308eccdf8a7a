import type { ExecutionStatus, Json } from '../contract.ts';

/** Where a running execution is: the state it entered last, with all that is needed to run that state again. */
export interface Entry {
  state: string;
  input: Json;
  /** Epoch milliseconds; a Wait counts from here, also after a restart. */
  entered_at: number;
  /** How often each of the state's retriers was used. */
  retries: number[];
  /** When the next try is due, after a failed one. */
  retry_at: number | null;
  /** History events that AWS would have written by the end of this state. */
  events: number;
}

/** A state that was entered, for the history. */
export interface Visit {
  state: string;
  type: string;
  entered_at: number;
}

/** How many of the latest visits an execution keeps for its history: a closed one has to stay small. */
export const visitsKept = 20;

/** One run of a state machine, as it is journaled. Times are epoch milliseconds. */
export interface Execution {
  arn: string;
  name: string;
  state_machine_arn: string;
  /** Which definition it started with and keeps: the hash of its text. */
  definition: string;
  /** The text that StartExecution brought. */
  input: string;
  started_at: number;
  status: ExecutionStatus;
  stopped_at: number | null;
  output: string | null;
  error: string | null;
  cause: string | null;
  /** null once it is closed. */
  current: Entry | null;
  /** The latest of them, oldest first. */
  visits: Visit[];
  /** Whether onStatusChange has heard that it runs. */
  start_told: boolean;
  /** Whether onStatusChange has heard how it ended. */
  end_told: boolean;
}

/** How an execution ends. */
export type Ending =
  | { status: 'SUCCEEDED'; output: string }
  | { status: 'FAILED' | 'TIMED_OUT' | 'ABORTED'; error: string | null; cause: string | null };
