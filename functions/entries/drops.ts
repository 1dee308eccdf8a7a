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
  const intake = createAcceptServices(environment, platform, createDispatcher(environment, platform, table));
  const waiting = {
    client: sqs,
    queueUrl: environment.DROP_QUEUE_URL,
    seconds: environment.DROP_RULES.sidecar_seconds,
  };
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
    acceptManifest: (object) => acceptManifest(manifests, object),
  };
  return inContext(logger, async (invocation: DropInvocation): Promise<void> => {
    for (const { event, waited } of eventsOf(invocation)) {
      const taken = await handleDropEvent(services, event, { waited });
      if (!taken) continue;
      const status = 'video' in taken ? { status: taken.video.status } : {};
      logger.info(whatBecameOfDrop[taken.outcome], { video_id: taken.id, ...status });
    }
  });
}

const whatBecameOfDrop = {
  created: 'Created the video of a drop',
  existing: 'Found the video of a drop: the event, or a late sidecar, changed nothing',
  waiting: 'Left a drop waiting for its sidecar',
  gone: 'Ignored a drop that has been deleted',
  deleted: 'Ignored a drop whose video was deleted',
} as const satisfies Record<DropOutcome['outcome'], string>;
