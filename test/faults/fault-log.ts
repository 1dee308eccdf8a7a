import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** An injected fault. */
export interface InjectedFault {
  /** ISO 8601 UTC. */
  at: string;
  /** `DynamoDB error`, `Wan submit answered 429`, … */
  kind: string;
  /** What it affected: function, call, video and occurrence. */
  what: string;
}

export interface FaultLog {
  add(kind: string, ...what: readonly (string | number)[]): void;
}

const fileIn = (directory: string) => path.join(directory, 'faults.jsonl');

/** Appends to a file synchronously, because the process may be killed at any moment. */
export const openFaultLog = (directory: string): FaultLog => ({
  add(kind, ...what) {
    const fault: InjectedFault = { at: new Date().toISOString(), kind, what: what.join(' ') };
    appendFileSync(fileIn(directory), `${JSON.stringify(fault)}\n`);
  },
});

/** Returns all injected faults, oldest first. */
export const readFaultLog = (directory: string): InjectedFault[] =>
  readFileSync(fileIn(directory), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as InjectedFault);
