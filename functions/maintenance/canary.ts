import type { RecordMetric } from '../shared/metrics.ts';
import { models } from '../wan/catalogue.ts';
import type { WanClient } from '../wan/client/client.ts';

export interface CanaryServices {
  wan: Pick<WanClient, 'listTasks'>;
  /** Returns Wan's key; empty when it was never set. */
  apiKey: () => Promise<string>;
  recordMetric: RecordMetric;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The result of a run. `cause` is one of Wan's error codes, or a network error code. */
type CanaryReport =
  | { outcome: 'answered' }
  /** The operator has not stored Wan's key yet; this is not a failure. */
  | { outcome: 'unset' }
  /** Wan throttles the account. Not a failure: key and network work, and `WanThrottled` counts it. */
  | { outcome: 'throttled' }
  /**
   * Wan refuses the account: invalid key, arrears or wrong base URL. The operator must fix it. `message`: what is wrong with the text of
   * the key, and how to fix it.
   */
  | { outcome: 'refused'; cause: string; message?: string; request_id?: string }
  /** Wan is unavailable or unreachable. */
  | { outcome: 'unreachable'; cause: string; request_id?: string }
  /** Secrets Manager failed: a permission is missing, or the service is unavailable. */
  | { outcome: 'secret_unreadable'; cause: string };

type WanReport = Exclude<CanaryReport, { outcome: 'unset' | 'secret_unreadable' }>;

const failures: ReadonlySet<CanaryReport['outcome']> = new Set(['refused', 'unreachable', 'secret_unreadable']);

export const isFailure = ({ outcome }: CanaryReport): boolean => failures.has(outcome);

/**
 * Queries Wan for the tasks of the last minute, which is free, so that an invalid key or an outage is noticed before a video needs Wan.
 * Every run records `CanaryFailed` as 0 or 1; a missing metric means that the canary does not run.
 */
export async function canary(services: CanaryServices): Promise<CanaryReport> {
  const report = await check(services);
  services.recordMetric('CanaryFailed', isFailure(report) ? 1 : 0, { outcome: report.outcome });
  return report;
}

async function check(services: CanaryServices): Promise<CanaryReport> {
  let key: string;
  try {
    key = await services.apiKey();
  } catch (error) {
    return { outcome: 'secret_unreadable', cause: error instanceof Error ? error.name : 'unknown' };
  }
  return key === '' ? { outcome: 'unset' } : probeWan(services);
}

/** Tests Wan's key with a free query for the tasks of the last minute. */
export async function probeWan({ wan, now }: Pick<CanaryServices, 'wan' | 'now'>): Promise<WanReport> {
  const end = now();
  const response = await wan.listTasks({
    model: models[0]!.name,
    start_time: new Date(end - 60_000).toISOString(),
    end_time: new Date(end).toISOString(),
    page_size: 1,
  });
  const details = 'request_id' in response && response.request_id ? { request_id: response.request_id } : {};
  switch (response.outcome) {
    case 'tasks':
      return { outcome: 'answered' };
    case 'throttled':
      return { outcome: 'throttled' };
    case 'account_refused':
      return {
        outcome: 'refused',
        cause: response.reason,
        // Found before anything was sent, so that it has no words of Wan.
        ...(response.code === response.reason ? { message: response.message } : {}),
        ...details,
      };
    case 'unavailable':
      return { outcome: 'unreachable', cause: response.cause, ...details };
  }
}
