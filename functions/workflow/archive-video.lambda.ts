import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { watchedTable } from '../drops/watched-table.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import { createMeasure } from '../shared/measure.ts';
import { tableOf } from '../video/table.ts';
import { type ArchiveServices, archiveVideo } from './archive-video.ts';
import { logged } from './logged.ts';
import type { WorkflowInput } from './payload.ts';
import { copyAndProve } from './prove-video.ts';
import { pacedWan, wanClientOf } from './wan-client.ts';

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
const copying = { s3, bucket, fetch, trustedOrigins: environment.TRUSTED_ORIGINS, now: Date.now, measure };

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
