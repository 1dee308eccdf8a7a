import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';
import { type ArchiveServices, archiveVideo } from './archive-video.ts';
import type { WorkflowInput } from './payload.ts';
import { copyAndProve } from './prove-video.ts';
import { wanClientOf } from './wan-client.ts';

const environment = readEnvironment('archive-video');
const logger = createLogger('archive-video');
const s3 = new S3Client({});
const bucket = environment.VIDEOS_BUCKET;
const copying = { s3, bucket, fetch, trustedOrigins: environment.TRUSTED_ORIGINS, now: Date.now };

const services: ArchiveServices = {
  table: tableOf(new DynamoDBClient({}), environment.TABLE_NAME),
  s3,
  bucket,
  wan: wanClientOf(environment, new SecretsManagerClient({})),
  wanRegion: environment.WAN_REGION,
  copyAndProve: (video, videoUrl, key) => copyAndProve(copying, video, videoUrl, key),
};

export async function handler(input: WorkflowInput) {
  const output = await archiveVideo(services, input);
  logger.info('A video is archived.', { video_id: input.id, run: input.run });
  return output;
}
