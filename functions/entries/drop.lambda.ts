import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { DropOutcome } from '../drops/accept-drop.ts';
import { type DropEventServices, type DropInvocation, eventsOf, takeEvent } from '../drops/drop-event.ts';
import { ownerOf } from '../drops/drop-key.ts';
import { startWait } from '../drops/drop-wait.ts';
import { findLatest, readObject, readSmallFile } from '../drops/dropped-object.ts';
import { type ManifestServices, takeManifest } from '../drops/manifest.ts';
import { MAX_SETTINGS_BYTES } from '../drops/settings-file.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { tableOf } from '../video/table.ts';
import { dispatcherOf, intakeOf, watchedTable } from './services.ts';

const environment = readEnvironment('drop');
const logger = createLogger('drop');
const measure = createMeasure();
const s3 = new S3Client({});
const table = watchedTable(tableOf(new DynamoDBClient({}), environment.TABLE_NAME), { s3, measure, logger });
const dispatcher = dispatcherOf(environment, table, new SFNClient({}));
const waiting = {
  // The address of the queue would go before `AWS_ENDPOINT_URL`.
  client: new SQSClient({ useQueueUrlAsEndpoint: false }),
  queueUrl: environment.DROP_QUEUE_URL,
  seconds: environment.DROP_RULES.sidecar_seconds,
};

const intake = intakeOf(environment, dispatcher, s3, {
  measure,
  logUndispatched: (video, error) =>
    logger.error('A video stays queued for now.', { ...describeError(error), video_id: video.id }),
});
const manifests: ManifestServices = {
  ...intake,
  s3,
  ownerOf: (key) => ownerOf(key, environment.DROP_RULES, environment.DROP_DEFAULTS),
};
const services: DropEventServices = {
  ...intake,
  defaults: environment.DROP_DEFAULTS,
  rules: environment.DROP_RULES,
  findLatest: ({ bucket, key }) => findLatest(s3, bucket, key),
  readObject: (object) => readObject(s3, object),
  readFile: ({ bucket, key }) => readSmallFile(s3, { bucket, key, most: MAX_SETTINGS_BYTES }),
  startWait: (object) => startWait(waiting, object),
  takeManifest: (object) => takeManifest(manifests, object),
};

const sentences = {
  created: 'A drop was taken.',
  standing: 'A drop has its video already: its event, or a sidecar that came late, changes nothing.',
  waiting: 'A drop waits for its sidecar.',
  gone: 'A drop was deleted before it was taken.',
  deleted: "A drop's video was deleted: nothing is made anew.",
} as const satisfies Record<DropOutcome['outcome'], string>;

export const handler = inContext(logger, async (invocation: DropInvocation): Promise<void> => {
  for (const { event, waited } of eventsOf(invocation)) {
    const taken = await takeEvent(services, event, { waited });
    if (!taken) continue;
    const status = 'video' in taken ? { status: taken.video.status } : {};
    logger.info(sentences[taken.outcome], { video_id: taken.id, ...status });
  }
});
