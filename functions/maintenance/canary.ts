import type { RecordMetric } from '../shared/metrics.ts';
import { offeredModelNames } from '../wan/catalogue.ts';
import type { WanClient } from '../wan/client/client.ts';

export interface CanaryServices {
  wan: Pick<WanClient, 'listTasks'>;
  /** Wan's key, empty when it was never set. */
  apiKey: () => Promise<string>;
  recordMetric: RecordMetric;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The result of a canary run. `cause` is a short name: an error code of Wan or of the network. */
type CanaryReport =
  | { outcome: 'answered' }
  /** The operator has not set Wan's key yet, which is not a failure. */
  | { outcome: 'unset' }
  /** Wan throttles the account. Another metric counts that, and key and network work. */
  | { outcome: 'throttled' }
  /** Wan does not serve the account: a wrong key, arrears, a wrong address. The operator must fix it. */
  | { outcome: 'refused'; cause: string; request_id?: string }
  /** Wan fails or cannot be reached. */
  | { outcome: 'unreachable'; cause: string; request_id?: string }
  /** The secret could not be read: a permission is missing, or Secrets Manager fails. */
  | { outcome: 'secret_unreadable'; cause: string };

type WanReport = Exclude<CanaryReport, { outcome: 'unset' | 'secret_unreadable' }>;

const failures: ReadonlySet<CanaryReport['outcome']> = new Set(['refused', 'unreachable', 'secret_unreadable']);

export const isFailure = ({ outcome }: CanaryReport): boolean => failures.has(outcome);

/**
 * Lists Wan's tasks of the last minute, which is free, to detect an invalid key and an unreachable Wan before a video needs them. Each
 * run records `CanaryFailed` as 0 or 1: missing data means that the canary does not run.
 */
export async function canary(services: CanaryServices): Promise<CanaryReport> {
  const report = await probe(services);
  services.recordMetric('CanaryFailed', isFailure(report) ? 1 : 0, { outcome: report.outcome });
  return report;
}

async function probe(services: CanaryServices): Promise<CanaryReport> {
  let key: string;
  try {
    key = await services.apiKey();
  } catch (error) {
    return { outcome: 'secret_unreadable', cause: error instanceof Error ? error.name : 'unknown' };
  }
  return key === '' ? { outcome: 'unset' } : probeWan(services);
}

/** Checks a key by listing Wan's tasks of the last minute, which is free. */
export async function probeWan({ wan, now }: Pick<CanaryServices, 'wan' | 'now'>): Promise<WanReport> {
  const end = now();
  const answer = await wan.listTasks({
    model: offeredModelNames[0]!,
    start_time: new Date(end - 60_000).toISOString(),
    end_time: new Date(end).toISOString(),
    page_size: 1,
  });
  const requestId = 'request_id' in answer && answer.request_id ? { request_id: answer.request_id } : {};
  switch (answer.outcome) {
    case 'tasks':
      return { outcome: 'answered' };
    case 'throttled':
      return { outcome: 'throttled' };
    case 'account_refused':
      return { outcome: 'refused', cause: answer.reason, ...requestId };
    case 'unavailable':
      return { outcome: 'unreachable', cause: answer.cause, ...requestId };
  }
}
