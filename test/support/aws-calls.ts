import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { AwsCall } from '../../local/aws/endpoint/aws-call.ts';

/** A call as IAM evaluates it, without its time. */
export type JudgedCall = Omit<AwsCall, 'at'>;

const kept = new Set<string>();

/**
 * Appends the first call of each kind in this process to the file `AWS_CALLS_FILE`. Ids, digests and numbers do not distinguish kinds.
 * Writes synchronously, because a test worker gets no notice of its end.
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

/** Reads the calls that all processes appended to a file, without duplicates. @throws Error when the file does not exist */
export function readCalls(file: string): JudgedCall[] {
  const lines = new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean));
  return [...lines].map((line) => JSON.parse(line) as JudgedCall);
}
