import { randomUUID } from 'node:crypto';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { SendTaskSuccessCommand } from '@aws-sdk/client-sfn';
import { wanWithMetrics } from '../polling/rate-limited-wan.ts';
import { type WatcherServices, watch } from '../polling/watcher.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { reserveQueries } from '../queue/rate-limiter.ts';
import type { Environment } from '../shared/environment.ts';
import { describeError, inContext } from '../shared/logging.ts';
import { readTrustedHosts } from '../video/catalogue-changes.ts';
import { explainKeyDefect } from '../wan/key.ts';
import { type ArchiveServices, archiveVideo, deleteLeftovers } from '../workflow/archive-video.ts';
import { type CheckTaskServices, checkTask } from '../workflow/check-task.ts';
import { type CreateTaskServices, createTask } from '../workflow/create-task.ts';
import { resolveMediaUrls } from '../workflow/media-urls.ts';
import { recordFailure } from '../workflow/record-failure.ts';
import {
  type ArchiveVideoOutput,
  type CheckTaskInput,
  type CheckTaskOutput,
  type CreateTaskOutput,
  logged,
  type RecordFailureInput,
  type RecordFailureOutput,
} from '../workflow/step-handler.ts';
import { copyAndVerify } from '../workflow/verify-video.ts';
import { openTableWithEndings, openTableWithEvents } from './on-status-changed.ts';
import type { Platform } from './platform.ts';
import { createDispatcher, deploymentReader, openTable, rateLimitedWanOf, secondsReader, wanOf } from './services.ts';

export function composeCreateTask(
  environment: Environment<'create-task'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'eventBridge' | 'lambda' | 'secrets' | 'recordMetric'>,
) {
  const { s3, recordMetric, logger, clock } = platform;
  const table = openTableWithEvents(environment, platform);
  // A connection that Wan closes during the submission would make the video uncertain.
  const wan = rateLimitedWanOf(environment, platform, table, { keepAlive: false });
  const readSeconds = secondsReader(environment, table);
  const services: Omit<CreateTaskServices, 'configuredSeconds'> = {
    ...createDispatcher(environment, platform, table),
    wan,
    resolveMediaUrls: (video, transfer) => resolveMediaUrls({ s3, wan }, video, transfer),
    mediaTransfer: environment.IMAGE_TRANSFER,
    wanRegion: environment.WAN_REGION,
    uncertainSeconds: environment.UNCERTAIN_SECONDS,
    monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
    recordMetric,
    onAmbiguous: ({ id, run }, task_ids) =>
      logger.error('Found several tasks for a submission whose response was lost', { video_id: id, run, task_ids }),
    startWatcher: () => startWatcher(platform.lambda, environment.WATCHER_ARN),
    onWatcherNotStarted: (error) =>
      logger.error('Could not start a watcher; the schedule will start one within a minute', describeError(error)),
    sleep: clock.sleep,
  };
  return logged(logger, async (input: WorkflowInput) => {
    const output = await createTask({ ...services, configuredSeconds: await readSeconds() }, input);
    if (output.outcome === 'settled' && output.account_refused) {
      logger.warn('Returned the video to its queue, because Wan refuses the account', {
        reason: output.account_refused,
        ...explainKeyDefect(output.account_refused),
      });
      return output;
    }
    const details = output.outcome === 'failed' ? { code: output.error.code } : {};
    logger.info(createTaskMessages[output.outcome], { outcome: output.outcome, ...details });
    return output;
  });
}

const createTaskMessages = {
  created: 'Created the task, or found an existing one',
  succeeded: 'Found a succeeded task',
  settled: "Created no task: the video's status or run has changed",
  failed: 'Failed to create a task',
} as const satisfies Record<CreateTaskOutput['outcome'], string>;

async function startWatcher(lambda: Platform['lambda'], watcherArn: string): Promise<void> {
  const Payload = JSON.stringify({ startedBy: 'create-task' } satisfies WatchEvent);
  await lambda.send(new InvokeCommand({ FunctionName: watcherArn, InvocationType: 'Event', Payload }));
}

export function composeCheckTask(
  environment: Environment<'check-task'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'eventBridge' | 'secrets' | 'recordMetric'>,
) {
  const { recordMetric, logger } = platform;
  const table = openTableWithEndings(environment, platform);
  const readSeconds = secondsReader(environment, table);
  const services: Omit<CheckTaskServices, 'configuredSeconds'> = {
    ...createDispatcher(environment, platform, table),
    wan: rateLimitedWanOf(environment, platform, table),
    recordMetric,
    onUnknownStatus: ({ id, run }, status) => {
      logger.error('Received an undocumented task status', { video_id: id, run, status });
      // The name comes from outside, and each value of a dimension is a metric.
      recordMetric('UnknownTaskStatus', 1, { status: /^[A-Z][A-Z_]{0,39}$/.test(status) ? status : 'other' });
    },
  };
  return logged(logger, async (input: CheckTaskInput) => {
    const output = await checkTask({ ...services, configuredSeconds: await readSeconds() }, input);
    logger.info(checkTaskMessages[output.outcome], { outcome: output.outcome });
    return output;
  });
}

export function composeArchiveVideo(
  environment: Environment<'archive-video'>,
  platform: Platform<'dynamoDb' | 's3' | 'eventBridge' | 'secrets' | 'recordMetric'>,
) {
  const { s3, recordMetric, logger, fetch, clock } = platform;
  const bucket = environment.VIDEOS_BUCKET;
  const table = openTableWithEndings(environment, platform, {
    copyVideo: environment.COPY_VIDEO_TO_DROP,
    deleteLeftovers: (id, archived) => deleteLeftovers(s3, id, archived),
  });
  const copyServices = {
    s3,
    bucket,
    fetch,
    now: clock.now,
    recordMetric,
    logger,
  };
  const readDeployment = deploymentReader(environment, table);
  const services: Omit<ArchiveServices, 'deployment'> = {
    table,
    s3,
    bucket,
    wan: rateLimitedWanOf(environment, platform, table),
    copyAndVerify: async (video, videoUrl, key) => {
      const added = await readTrustedHosts(table);
      const videoHosts = [...environment.VIDEO_HOSTS, ...added];
      const trustedOrigins = [...environment.TRUSTED_ORIGINS, ...added];
      return copyAndVerify({ ...copyServices, videoHosts, trustedOrigins }, video, videoUrl, key);
    },
    onDownloadFailed: ({ persists, ...failure }) => {
      if (!persists) return logger.warn('A download failed; will retry', failure);
      recordMetric('DownloadBlocked', 1, { kind: failure.kind });
      logger.error('A download failed, and repetition is not expected to help', failure);
    },
  };
  return logged(logger, async (input: WorkflowInput) => {
    const output = await archiveVideo({ ...services, deployment: await readDeployment() }, input);
    logger.info(archiveVideoMessages[output.outcome]);
    return output;
  });
}

const checkTaskMessages = {
  running: 'Found a running task',
  succeeded: 'Found a succeeded task',
  failed: 'Found a failed or expired task',
  settled: "Checked no task: the video's status or run has changed",
} as const satisfies Record<CheckTaskOutput['outcome'], string>;

const archiveVideoMessages = {
  archived: 'Archived the video',
  settled: 'Archived no video: its status or run has changed',
} as const satisfies Record<ArchiveVideoOutput['outcome'], string>;

export function composeRecordFailure(
  environment: Environment<'record-failure'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'eventBridge' | 'recordMetric'>,
) {
  const { logger } = platform;
  const dispatcher = createDispatcher(environment, platform, openTableWithEndings(environment, platform));
  return logged(logger, async (input: RecordFailureInput) => {
    logger.warn('Received a failure', { code: 'Error' in input.error ? input.error.Error : input.error.code });
    const output = await recordFailure(dispatcher, input);
    logger.info(recordFailureMessages[output.outcome]);
    return output;
  });
}

const recordFailureMessages = {
  failed: 'Recorded the failure',
  requeued: 'Returned the video to its queue',
  settled: "Recorded no failure: the video's status or run has changed",
} as const satisfies Record<RecordFailureOutput['outcome'], string>;

/** The event of the watcher. The schedule sends another event, without `startedBy`. */
interface WatchEvent {
  startedBy?: 'create-task';
}

/** Shorter than the watcher's lease. */
const WATCHER_QUERY_MILLISECONDS = 5000;

export function composeWatch(
  environment: Environment<'watch'>,
  platform: Platform<'dynamoDb' | 'stepFunctions' | 'secrets' | 'recordMetric'>,
) {
  const { logger, clock, stepFunctions, recordMetric } = platform;
  const table = openTable(environment, platform);
  const perSecond = environment.WAN_QUERIES_PER_SECOND;
  const services: WatcherServices = {
    table,
    wan: wanWithMetrics(wanOf(environment, platform, { queryTimeout: WATCHER_QUERY_MILLISECONDS }), recordMetric),
    reserveQueries: (count) => reserveQueries(table, count, { perSecond, maxWait: WATCHER_QUERY_MILLISECONDS }),
    wake: (token) => wakeExecution(stepFunctions, token),
    sleep: clock.sleep,
    onError: (error) => logger.error('Watcher tick failed; will retry', describeError(error)),
  };
  return inContext(logger, async ({ startedBy }: WatchEvent) => {
    const end = await watch(services, randomUUID(), startedBy ?? 'schedule');
    logger.info('Watcher ended', { reason: end });
  });
}

/** Wakes the execution that wrote a token. Ignores a stale token: its execution was woken or timed out. */
async function wakeExecution(stepFunctions: Platform['stepFunctions'], taskToken: string): Promise<void> {
  try {
    await stepFunctions.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }));
  } catch (error) {
    if (!(error instanceof Error && staleTokens.has(error.name))) throw error;
  }
}

const staleTokens: ReadonlySet<string> = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);
