import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { pacedWan, wanClientOf } from '../polling/rate-limited-wan.ts';
import type { WorkflowInput } from '../queue/execution.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { tableOf } from '../video/table.ts';
import { type ArchiveServices, archiveVideo } from '../workflow/archive-video.ts';
import { logged } from '../workflow/step-handler.ts';
import { copyAndProve } from '../workflow/verify-video.ts';
import { watchedTable } from './services.ts';

const environment = readEnvironment('archive-video');
const logger = createLogger('archive-video');
const s3 = new S3Client({});
const bucket = environment.VIDEOS_BUCKET;
const measure = createMeasure();
const table = watchedTable(tableOf(new DynamoDBClient({}), environment.TABLE_NAME), {
  s3,
  measure,
  logger,
  copyVideo: environment.COPY_VIDEO_BESIDE,
});
const sleep = (milliseconds: number) => setTimeout(Math.max(0, milliseconds));
const copying = {
  s3,
  bucket,
  fetch,
  videoHosts: environment.VIDEO_HOSTS,
  trustedOrigins: environment.TRUSTED_ORIGINS,
  now: Date.now,
  measure,
  logger,
};

const services: ArchiveServices = {
  table,
  s3,
  bucket,
  wan: pacedWan(wanClientOf(environment, new SecretsManagerClient({})), { table, measure, sleep }),
  wanRegion: environment.WAN_REGION,
  copyAndProve: (video, videoUrl, key) => copyAndProve(copying, video, videoUrl, key),
};

export const handler = logged(logger, async (input: WorkflowInput) => {
  const output = await archiveVideo(services, input);
  logger.info('A video is archived.');
  return output;
});
