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

/** What a run of the canary found. `cause` is a short name: a code of Wan's, or of the network. */
type CanaryReport =
  | { outcome: 'answered' }
  /** The operator has not put Wan's key into its secret yet: there is nothing to ask with, and nothing is wrong. */
  | { outcome: 'unset' }
  /** Wan serves others as well at the moment. That is told by another metric, and no reason to doubt key or line. */
  | { outcome: 'throttled' }
  /** Wan does not serve the account: a wrong key, arrears, a wrong address. The operator must mend it. */
  | { outcome: 'refused'; cause: string; request_id?: string }
  /** Wan is out of order or out of reach. */
  | { outcome: 'unreachable'; cause: string; request_id?: string }
  /** The secret could not be read: a permission is missing, or the store of secrets is out of order. */
  | { outcome: 'secret_unreadable'; cause: string };

type WanReport = Exclude<CanaryReport, { outcome: 'unset' | 'secret_unreadable' }>;

const failures: ReadonlySet<CanaryReport['outcome']> = new Set(['refused', 'unreachable', 'secret_unreadable']);

export const isFailure = ({ outcome }: CanaryReport): boolean => failures.has(outcome);

/**
 * Asks Wan for the tasks of the last minute, which costs nothing, so that a key that no longer works and a Wan that is out of
 * reach are known before a video needs them. Every run tells `CanaryFailed`, as 0 or 1: none for a while means that nothing runs.
 */
export async function canary(services: CanaryServices): Promise<CanaryReport> {
  const report = await look(services);
  services.recordMetric('CanaryFailed', isFailure(report) ? 1 : 0, { outcome: report.outcome });
  return report;
}

async function look(services: CanaryServices): Promise<CanaryReport> {
  let key: string;
  try {
    key = await services.apiKey();
  } catch (error) {
    return { outcome: 'secret_unreadable', cause: error instanceof Error ? error.name : 'unknown' };
  }
  return key === '' ? { outcome: 'unset' } : probeWan(services);
}

/** What Wan says of the key it is asked with: a question for the tasks of the last minute, which costs nothing. */
export async function probeWan({ wan, now }: Pick<CanaryServices, 'wan' | 'now'>): Promise<WanReport> {
  const end = now();
  const answer = await wan.listTasks({
    model: offeredModelNames[0]!,
    start_time: new Date(end - 60_000).toISOString(),
    end_time: new Date(end).toISOString(),
    page_size: 1,
  });
  const said = 'request_id' in answer && answer.request_id ? { request_id: answer.request_id } : {};
  switch (answer.outcome) {
    case 'tasks':
      return { outcome: 'answered' };
    case 'throttled':
      return { outcome: 'throttled' };
    case 'account_refused':
      return { outcome: 'refused', cause: answer.reason, ...said };
    case 'unavailable':
      return { outcome: 'unreachable', cause: answer.cause, ...said };
  }
}
