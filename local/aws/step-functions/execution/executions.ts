import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { openJournalFile } from '../journal-file.ts';
import { type Ending, type Entry, type Execution, type Visit, visitsKept } from './execution.ts';
import { type RunningLine, replay } from './replay.ts';

/** A closed execution keeps its name this long (quota of the service: 90 days). */
export const nameRetention = 90 * 24 * 60 * 60 * 1000;

/** The journal of running executions is rewritten when it has this many lines and most of them are history. */
const linesBeforeCompaction = 10_000;

/** All executions, in memory and journaled: each change is on disk before the method returns. */
export interface Executions {
  /** undefined for an unknown ARN, and for one whose name is free again. */
  find(arn: string): Execution | undefined;
  /** In no order. */
  list(): Execution[];
  /** A definition that running executions keep, by hash. */
  definition(hash: string): object | undefined;
  add(execution: Execution, definition: object): void;
  enter(execution: Execution, entry: Entry, visit: Visit): void;
  retryLater(execution: Execution, entry: Entry): void;
  close(execution: Execution, ending: Ending, stoppedAt: number): void;
  tell(execution: Execution, what: 'start_told' | 'end_told'): void;
  closeFiles(): void;
}

/**
 * Reads the journal of a directory. `running.jsonl` holds what is not over, several lines an execution; `closed.jsonl`
 * one line for each that ended. An execution leaves the first when its end is in the second and was told.
 */
export function openExecutions(directory: string, now: () => number): Executions {
  mkdirSync(directory, { recursive: true });
  const running = openJournalFile<RunningLine>(path.join(directory, 'running.jsonl'));
  const closed = openJournalFile<Execution>(path.join(directory, 'closed.jsonl'));
  const nameIsFree = (execution: Execution) =>
    execution.end_told && execution.stopped_at !== null && execution.stopped_at + nameRetention <= now();

  const { byArn, definitions } = replay(running.content, closed.content);
  for (const execution of byArn.values()) if (nameIsFree(execution)) byArn.delete(execution.arn);

  function compactRunning(): void {
    const live = [...byArn.values()].filter((execution) => !execution.end_told);
    const inUse = new Set(live.map((execution) => execution.definition));
    for (const hash of definitions.keys()) if (!inUse.has(hash)) definitions.delete(hash);
    running.file.rewrite([
      ...[...definitions].map(([hash, definition]): RunningLine => ({ kind: 'definition', hash, definition })),
      ...live.map((execution): RunningLine => ({ kind: 'execution', execution })),
    ]);
    linesAfterCompaction = running.file.lines;
  }

  let linesAfterCompaction = 0;
  compactRunning();
  const keptClosed = [...byArn.values()].filter((execution) => execution.status !== 'RUNNING');
  if (keptClosed.length < closed.content.length) closed.file.rewrite(keptClosed);

  function append(line: RunningLine): void {
    running.file.append(line);
    if (running.file.lines > linesBeforeCompaction && running.file.lines > 4 * linesAfterCompaction) compactRunning();
  }

  return {
    find(arn) {
      const execution = byArn.get(arn);
      return execution && !nameIsFree(execution) ? execution : undefined;
    },
    list: () => [...byArn.values()].filter((execution) => !nameIsFree(execution)),
    definition: (hash) => definitions.get(hash),
    add(execution, definition) {
      if (!definitions.has(execution.definition)) {
        running.file.append({ kind: 'definition', hash: execution.definition, definition });
        definitions.set(execution.definition, definition);
      }
      running.file.append({ kind: 'execution', execution });
      byArn.delete(execution.arn);
      byArn.set(execution.arn, execution);
    },
    enter(execution, entry, visit) {
      execution.current = entry;
      execution.visits = [...execution.visits, visit].slice(-visitsKept);
      append({ kind: 'enter', arn: execution.arn, entry, visits: execution.visits.slice(-1) });
    },
    retryLater(execution, entry) {
      execution.current = entry;
      append({ kind: 'enter', arn: execution.arn, entry, visits: [] });
    },
    close(execution, ending, stoppedAt) {
      const over: Execution = {
        ...execution,
        status: ending.status,
        stopped_at: stoppedAt,
        output: ending.status === 'SUCCEEDED' ? ending.output : null,
        error: ending.status === 'SUCCEEDED' ? null : ending.error,
        cause: ending.status === 'SUCCEEDED' ? null : ending.cause,
        current: null,
      };
      closed.file.append(over);
      Object.assign(execution, over);
    },
    tell(execution, what) {
      execution[what] = true;
      append({ kind: what, arn: execution.arn });
    },
    closeFiles() {
      running.file.close();
      closed.file.close();
    },
  };
}
