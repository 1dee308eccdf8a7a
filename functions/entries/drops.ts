import { type DropEventServices, type DropInvocation, eventsOf, handleDropEvent } from '../drops/drop-event.ts';
import { ownerOf } from '../drops/drop-key.ts';
import type { DropOutcome } from '../drops/drop-outcome.ts';
import { findLatest, readObject, readSmallFile, startWait } from '../drops/dropped-object.ts';
import { storeClip } from '../drops/extend-drop.ts';
import { acceptManifest, type ManifestServices } from '../drops/manifest.ts';
import { isPossibleKey, resultKey, writeOutcome } from '../drops/result-object.ts';
import { listFiles } from '../drops/settings-files.ts';
import { MAX_SETTINGS_BYTES } from '../drops/settings-purpose.ts';
import { rewriteResult } from '../drops/write-result.ts';
import type { Environment } from '../shared/environment.ts';
import { inContext } from '../shared/logging.ts';
import type { Deployment } from '../wan/prices.ts';
import { openTableWithEndings } from './on-status-changed.ts';
import type { Platform } from './platform.ts';
import { createAcceptServices, createDispatcher, deploymentReader } from './services.ts';

export function composeDrop(
  environment: Environment<'drop'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'eventBridge' | 'sqs' | 'recordMetric'>,
) {
  const { s3, sqs, logger } = platform;
  const copyVideo = environment.COPY_VIDEO_TO_DROP;
  const table = openTableWithEndings(environment, platform);
  const acceptServices = createAcceptServices(environment, platform, createDispatcher(environment, platform, table));
  const readDeployment = deploymentReader(environment, table);
  const manifests: Omit<ManifestServices, 'deployment'> = {
    ...acceptServices,
    s3,
    ownerOf: (key) => ownerOf(key, environment.DROP_RULES, environment.DROP_DEFAULTS),
  };
  const servicesOf = (deployment: Deployment): DropEventServices => ({
    ...acceptServices,
    deployment,
    defaults: environment.DROP_DEFAULTS,
    rules: environment.DROP_RULES,
    findLatest: ({ bucket, key }) => findLatest(s3, bucket, key),
    readObject: (object) => readObject(s3, object),
    readFile: ({ bucket, key }) => readSmallFile(s3, { bucket, key, most: MAX_SETTINGS_BYTES }),
    listFiles: (at) => listFiles(s3, at),
    startWait: (object, seconds) => startWait({ client: sqs, queueUrl: environment.DROP_QUEUE_URL, seconds }, object),
    storeClip: (planned) => storeClip(acceptServices, planned),
    writeResult: (video) => rewriteResult({ s3, copyVideo }, video),
    writeOutcome: (object, at, result) => writeOutcome(s3, object, at, result),
    acceptManifest: (object) => acceptManifest({ ...manifests, deployment }, object),
  });
  return inContext(logger, async (invocation: DropInvocation): Promise<void> => {
    const services = servicesOf(await readDeployment());
    for (const { event, waited } of eventsOf(invocation)) {
      const outcome = await handleDropEvent(services, event, { waited });
      if (!outcome) continue;
      const id = 'id' in outcome ? { video_id: outcome.id } : {};
      const status = 'video' in outcome ? { status: outcome.video.status } : {};
      logger.info(dropMessages[outcome.outcome], { ...id, ...status });
      if (!isPossibleKey(resultKey(event.detail.object.key)))
        logger.warn('The key of a drop is too long for the name of its result', id);
    }
  });
}

const dropMessages = {
  created: 'Created a video from a drop',
  restarted: 'Restarted the failed video of a drop',
  existing: 'Ignored a repeated upload, event or late sidecar of a drop: its video exists',
  waiting: 'Started to wait for the sidecar, or for the rest of the bytes, of a drop',
  superseded: 'Ignored a part of an image that a later upload completed',
  claimed: 'Ignored a sidecar while another process creates the video of its image',
  gone: 'Ignored a drop whose image was deleted',
  deleted: 'Ignored a drop whose video was deleted',
  unreadable: 'Could not read a drop because S3 refused',
} as const satisfies Record<DropOutcome['outcome'], string>;
