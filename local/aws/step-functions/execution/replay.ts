import { type Entry, type Execution, type Visit, visitsKept } from './execution.ts';

/** A line of the journal of running executions. */
export type RunningLine =
  | { kind: 'definition'; hash: string; definition: object }
  | { kind: 'execution'; execution: Execution }
  | { kind: 'enter'; arn: string; entry: Entry; visits: Visit[] }
  | { kind: 'start_told' | 'end_told'; arn: string };

/**
 * What the two journals say together. A closed line was written before the running journal heard of the end, so it wins
 * over a running one of the same start; what was told is known from the running journal alone.
 */
export function replay(
  running: RunningLine[],
  closed: Execution[],
): { byArn: Map<string, Execution>; definitions: Map<string, object> } {
  const definitions = new Map<string, object>();
  const untold = new Map<string, Execution>();
  for (const line of running) {
    if (line.kind === 'definition') definitions.set(line.hash, line.definition);
    else if (line.kind === 'execution') untold.set(line.execution.arn, line.execution);
    else if (line.kind === 'end_told') untold.delete(line.arn);
    else {
      const execution = untold.get(line.arn);
      if (!execution)
        throw new Error(`The journal speaks of ${line.arn} before its start. Remove the directory to start afresh.`);
      if (line.kind === 'enter') {
        execution.current = line.entry;
        execution.visits = [...execution.visits, ...line.visits].slice(-visitsKept);
      } else {
        execution.start_told = true;
      }
    }
  }

  const byArn = new Map<string, Execution>();
  for (const execution of closed) {
    const live = untold.get(execution.arn);
    byArn.delete(execution.arn);
    if (live?.started_at === execution.started_at) {
      byArn.set(execution.arn, { ...execution, start_told: live.start_told, end_told: false });
      untold.delete(execution.arn);
    } else {
      byArn.set(execution.arn, { ...execution, start_told: true, end_told: true });
    }
  }
  for (const [arn, execution] of untold) byArn.set(arn, execution);
  return { byArn, definitions };
}
