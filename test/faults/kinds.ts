import { watcherFaults } from './aws-faults.ts';
import type { InjectedFault } from './fault-log.ts';
import { receiverFaults } from './receiver.ts';
import { wanFaults } from './wan-proxy.ts';

/** Faults of calls that change state. */
const changing = ['lost response', 'twice'] as const;
const killed = ['killed before', 'killed after'] as const;

/** The faults that must occur at least once in a run of the default length. Secrets are read once per life of a worker. */
export const everyKind: readonly string[] = [
  ...['DynamoDB', 'S3', 'Step Functions', 'EventBridge'].flatMap((service) => [
    ...[...changing, 'error', 'throttled', 'late', 'reset'].map((kind) => `${service} ${kind}`),
    ...killed.map((kind) => `Lambda ${kind} ${service}`),
  ]),
  'DynamoDB outage',
  ...['WaitForEnd', 'SendTaskSuccess'].flatMap((call) =>
    [...changing, 'error', 'throttled', 'outage', 'late', 'reset'].map((kind) => `${call} ${kind}`),
  ),
  ...watcherFaults,
  'Secrets Manager error',
  'SQS twice',
  'EventBridge partly refused',
  'SQS partly refused',
  ...killed.map((kind) => `deliver ${kind} DynamoDB`),
  'Event delivered twice',
  'Event delivered late',
  'Process killed',
  ...wanFaults,
  ...receiverFaults,
];

/** Counts faults by kind, sorted by name. */
export const countByKind = (faults: readonly InjectedFault[]): Record<string, number> => {
  const counts = new Map<string, number>();
  for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([one], [other]) => (one < other ? -1 : 1)));
};
