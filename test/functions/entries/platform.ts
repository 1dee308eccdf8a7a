import type { Platform } from '../../../functions/entries/platform.ts';
import { createLogger } from '../../../functions/shared/logging.ts';
import type { Table } from '../../../functions/video/table.ts';

/** Returns a platform with a table and its clock. Clients that the test does not pass throw when they are called. */
export function aPlatform(table: Table, given: Partial<Platform> = {}): Platform {
  const missing = { send: () => Promise.reject(new Error('The test passes no such client.')) };
  return {
    clock: { now: table.now, sleep: async () => undefined },
    random: () => 0.5,
    fetch: () => Promise.reject(new Error('The test passes no fetch.')),
    logger: createLogger('tested'),
    dynamoDb: table.client,
    s3: missing as Partial<Platform['s3']> as Platform['s3'],
    stepFunctions: missing,
    sqs: missing,
    eventBridge: { send: async () => ({ FailedEntryCount: 0 }) },
    lambda: missing,
    secrets: { send: async () => ({ SecretString: 'sk-test' }) } as unknown as Platform['secrets'],
    recordMetric: () => undefined,
    sendWebhook: () => Promise.reject(new Error('The test passes no sendWebhook.')),
    ...given,
  };
}
