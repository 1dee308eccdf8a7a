import type { WorkflowInput } from '../queue/execution.ts';
import type { Environment } from '../shared/environment.ts';
import { type ArchiveServices, archiveVideo } from '../workflow/archive-video.ts';
import { type CheckTaskServices, checkTask } from '../workflow/check-task.ts';
import { type CreateTaskServices, createTask } from '../workflow/create-task.ts';
import { mediaForWan } from '../workflow/media-urls.ts';
import { recordFailure } from '../workflow/record-failure.ts';
import {
  type ArchiveVideoOutput,
  type CreateTaskOutput,
  logged,
  type RecordFailureInput,
  type RecordFailureOutput,
} from '../workflow/step-handler.ts';
import { copyAndProve } from '../workflow/verify-video.ts';
import type { Platform } from './platform.ts';
import { dispatcherOf, openTable, pacedWanOf, withEndings } from './services.ts';

export function composeCreateTask(
  environment: Environment<'create-task'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'secrets' | 'measure'>,
) {
  const { s3, measure, logger, random, clock } = platform;
  const table = openTable(environment, platform);
  const wan = pacedWanOf(environment, platform, table);
  const services: CreateTaskServices = {
    ...dispatcherOf(environment, platform, table),
    wan,
    mediaForWan: (video, transfer) => mediaForWan({ s3, wan }, video, transfer),
    mediaTransfer: environment.IMAGE_TRANSFER,
    wanRegion: environment.WAN_REGION,
    uncertainSeconds: environment.UNCERTAIN_SECONDS,
    monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
    configuredSeconds: environment.TYPICAL_SECONDS,
    measure,
    logSeveral: ({ id, run }, task_ids) =>
      logger.error('Found several tasks that may be the one whose answer was lost', { video_id: id, run, task_ids }),
    random,
    sleep: clock.sleep,
  };
  return logged(logger, async (input: WorkflowInput) => {
    const output = await createTask(services, input);
    if (output.outcome === 'settled' && output.held) {
      logger.warn('Returned the video to its queue: Wan refuses the account', { reason: output.held });
      return output;
    }
    const why = output.outcome === 'failed' ? { code: output.error.code } : {};
    logger.info(whatCreateTaskDid[output.outcome], { outcome: output.outcome, ...why });
    return output;
  });
}

const whatCreateTaskDid = {
  created: 'Created the task, or found the one that was created before',
  settled: 'Created no task: the video has ended or moved on',
  failed: 'Failed to create a task',
} as const satisfies Record<CreateTaskOutput['outcome'], string>;

export function composeCheckTask(
  environment: Environment<'check-task'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'secrets' | 'measure'>,
) {
  const { measure, logger, random, clock } = platform;
  const table = withEndings(openTable(environment, platform), platform);
  const services: CheckTaskServices = {
    ...dispatcherOf(environment, platform, table),
    wan: pacedWanOf(environment, platform, table),
    configuredSeconds: environment.TYPICAL_SECONDS,
    measure,
    random,
    sleep: clock.sleep,
  };
  return logged(logger, async (input: WorkflowInput) => {
    const output = await checkTask(services, input);
    logger.info('Finished a check of the task', { outcome: output.outcome });
    return output;
  });
}

export function composeArchiveVideo(
  environment: Environment<'archive-video'>,
  platform: Platform<'dynamoDb' | 's3' | 'secrets' | 'measure'>,
) {
  const { s3, measure, logger, fetch, clock } = platform;
  const bucket = environment.VIDEOS_BUCKET;
  const table = withEndings(openTable(environment, platform), platform, { copyVideo: environment.COPY_VIDEO_BESIDE });
  const copying = {
    s3,
    bucket,
    fetch,
    videoHosts: environment.VIDEO_HOSTS,
    trustedOrigins: environment.TRUSTED_ORIGINS,
    now: clock.now,
    measure,
    logger,
  };
  const services: ArchiveServices = {
    table,
    s3,
    bucket,
    wan: pacedWanOf(environment, platform, table),
    wanRegion: environment.WAN_REGION,
    copyAndProve: (video, videoUrl, key) => copyAndProve(copying, video, videoUrl, key),
  };
  return logged(logger, async (input: WorkflowInput) => {
    const output = await archiveVideo(services, input);
    logger.info(whatArchiveVideoDid[output.outcome]);
    return output;
  });
}

const whatArchiveVideoDid = {
  archived: 'Archived the video',
  settled: 'Nothing to archive: the video has ended or moved on',
} as const satisfies Record<ArchiveVideoOutput['outcome'], string>;

export function composeRecordFailure(
  environment: Environment<'record-failure'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'measure'>,
) {
  const { logger } = platform;
  const dispatcher = dispatcherOf(environment, platform, withEndings(openTable(environment, platform), platform));
  return logged(logger, async (input: RecordFailureInput) => {
    logger.warn('Received a failure', { code: 'Error' in input.error ? input.error.Error : input.error.code });
    const output = await recordFailure(dispatcher, input);
    logger.info(whatRecordFailureDid[output.outcome]);
    return output;
  });
}

const whatRecordFailureDid = {
  failed: 'Recorded the failure',
  requeued: 'Returned the video to its queue',
  settled: 'Recorded no failure: the video has ended or moved on',
} as const satisfies Record<RecordFailureOutput['outcome'], string>;
