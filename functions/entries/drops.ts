import type { DropOutcome } from '../drops/accept-drop.ts';
import { type DropEventServices, type DropInvocation, eventsOf, handleDropEvent } from '../drops/drop-event.ts';
import { ownerOf } from '../drops/drop-key.ts';
import { startWait } from '../drops/drop-wait.ts';
import { findLatest, readObject, readSmallFile } from '../drops/dropped-object.ts';
import { acceptManifest, type ManifestServices } from '../drops/manifest.ts';
import { MAX_SETTINGS_BYTES } from '../drops/settings-file.ts';
import type { Environment } from '../shared/environment.ts';
import { inContext } from '../shared/logging.ts';
import type { Platform } from './platform.ts';
import { createAcceptServices, createDispatcher, openTable, withEndedHook } from './services.ts';

export function composeDrop(
  environment: Environment<'drop'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'sqs' | 'recordMetric'>,
) {
  const { s3, sqs, logger } = platform;
  const table = withEndedHook(openTable(environment, platform), platform);
  const acceptServices = createAcceptServices(environment, platform, createDispatcher(environment, platform, table));
  const waiting = {
    client: sqs,
    queueUrl: environment.DROP_QUEUE_URL,
    seconds: environment.DROP_RULES.sidecar_seconds,
  };
  const manifests: ManifestServices = {
    ...acceptServices,
    s3,
    ownerOf: (key) => ownerOf(key, environment.DROP_RULES, environment.DROP_DEFAULTS),
  };
  const services: DropEventServices = {
    ...acceptServices,
    defaults: environment.DROP_DEFAULTS,
    rules: environment.DROP_RULES,
    findLatest: ({ bucket, key }) => findLatest(s3, bucket, key),
    readObject: (object) => readObject(s3, object),
    readFile: ({ bucket, key }) => readSmallFile(s3, { bucket, key, most: MAX_SETTINGS_BYTES }),
    startWait: (object) => startWait(waiting, object),
    acceptManifest: (object) => acceptManifest(manifests, object),
  };
  return inContext(logger, async (invocation: DropInvocation): Promise<void> => {
    for (const { event, waited } of eventsOf(invocation)) {
      const outcome = await handleDropEvent(services, event, { waited });
      if (!outcome) continue;
      const status = 'video' in outcome ? { status: outcome.video.status } : {};
      logger.info(dropMessages[outcome.outcome], { video_id: outcome.id, ...status });
    }
  });
}

const dropMessages = {
  created: 'Created a video from a drop',
  existing: 'Ignored a repeated event or a late sidecar of a drop: its video exists',
  waiting: 'Started to wait for the sidecar of a drop',
  gone: 'Ignored a drop whose image was deleted',
  deleted: 'Ignored a drop whose video was deleted',
} as const satisfies Record<DropOutcome['outcome'], string>;
