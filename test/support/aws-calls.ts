import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { AwsCall } from '../../local/aws/endpoint/aws-call.ts';

/** A call as IAM judges it, whenever it was. */
export type JudgedCall = Omit<AwsCall, 'at'>;

const kept = new Set<string>();

/**
 * Appends a call to the file that `AWS_CALLS_FILE` names, the first of each kind in this process: ids, digests and numbers make none.
 * Written at once, since nothing tells a worker of tests that it will end.
 */
export function keepCall({ principal, action, resource, conditions }: AwsCall): void {
  const { AWS_CALLS_FILE: file } = process.env;
  if (!file) return;
  const call: JudgedCall = { principal, action, resource, ...(conditions ? { conditions } : {}) };
  const line = JSON.stringify(call);
  const kind = line.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}|\d+/g, '#');
  if (kept.has(kind)) return;
  kept.add(kind);
  if (kept.size === 1) mkdirSync(path.dirname(file), { recursive: true });
  appendFileSync(file, `${line}\n`);
}

/** What processes kept in a file, each call once. @throws Error where there is no such file */
export function readCalls(file: string): JudgedCall[] {
  const lines = new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean));
  return [...lines].map((line) => JSON.parse(line) as JudgedCall);
}
