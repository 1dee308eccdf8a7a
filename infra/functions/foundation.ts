import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { indexes } from '../../functions/shared/table-schema.ts';
import type { Configuration } from '../config.ts';
import type { Storage } from '../storage/storage.ts';
import {
  type Access,
  eventAccess,
  listAccess,
  mergeAccess,
  settings,
  startAccess,
  tableAccess,
  uploadsAccess,
  versionsAccess,
  videosAccess,
} from './grants.ts';
import type { FunctionSettings } from './pipeline-function.ts';

/** What the constructs of the stack share. */
export interface Foundation {
  readonly configuration: Configuration;
  readonly functions: FunctionSettings;
  readonly storage: Storage;
  readonly eventBus: EventBus;
  readonly wanSecret: ISecret;
  /** Signs links to files. */
  readonly fileLinkSecret: ISecret;
  /** The owners' secrets, which sign webhooks, are derived from it. */
  readonly webhookSecret: ISecret;
  /** The queue of deliveries of webhooks. */
  readonly webhookQueue: IQueue;
  /** The operator's key, if all data is encrypted with it. */
  readonly key: IKey | undefined;
  readonly stateMachine: StateMachineAddress;
}

export interface StateMachineAddress {
  readonly name: string;
  readonly arn: string;
}

/**
 * Returns the state machine's name and ARN before it is created. It has a physical name because the functions that the state
 * machine invokes need its ARN, since a function that releases a permit starts the next video; a reference to the resource would
 * be circular.
 */
export function stateMachineAddress(scope: Construct): StateMachineAddress {
  const stack = Stack.of(scope);
  const name = `${stack.stackName}-videos`;
  return {
    name,
    arn: stack.formatArn({
      service: 'states',
      resource: 'stateMachine',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      resourceName: name,
    }),
  };
}

/** Dispatch: give the next video a permit, publish its new status and start its execution. */
export function dispatchAccess(
  { storage, stateMachine, configuration, eventBus }: Foundation,
  actions: readonly ('GetItem' | 'PutItem' | 'UpdateItem')[],
) {
  return mergeAccess(
    tableAccess(storage.table, actions, indexes.byStatus.name),
    startAccess(stateMachine.arn),
    eventAccess(eventBus),
    modelSettings(configuration),
  );
}

/** The limits of models and what the file `catalogue.json` changes. */
export const modelSettings = ({ limitSettings, catalogue }: Configuration) =>
  settings({ LIMIT_SETTINGS: JSON.stringify(limitSettings), CATALOGUE: JSON.stringify(catalogue) });

/** The monthly spending limit of an owner. Empty: unlimited. */
export const spendingLimit = ({ monthlySpendingLimit }: Configuration) =>
  settings({ MONTHLY_SPENDING_LIMIT: monthlySpendingLimit?.toString() ?? '' });

/** The usual duration of a task. Empty: the catalogue's values. */
export const taskSeconds = ({ typicalSeconds }: Configuration) =>
  settings({ TYPICAL_SECONDS: typicalSeconds?.toString() ?? '' });

/** How long files of videos are kept, for functions that may end a video. Empty: until they are deleted. */
export const videoRetention = ({ retention }: Configuration) =>
  settings({ VIDEO_RETENTION_DAYS: retention.videos?.toString() ?? '' });

/** The rate limit of queries about tasks. */
export const queryRate = ({ wanQueriesPerSecond }: Configuration) =>
  settings({ WAN_QUERIES_PER_SECOND: String(wanQueriesPerSecond) });

/** Validation of a request without its media: what decides the offered models and their prices, and the origins that its URLs may name. */
export const requestSettings = ({ region, wanBaseUrl, prices, watermark, catalogue, trustedOrigins }: Configuration) =>
  settings({
    WAN_REGION: region,
    WAN_BASE_URL: wanBaseUrl,
    MODEL_PRICES: JSON.stringify(prices),
    WATERMARK: watermark,
    CATALOGUE: JSON.stringify(catalogue),
    TRUSTED_ORIGINS: JSON.stringify(trustedOrigins),
  });

/** Whether images are accepted that only their EXIF orientation turns upright. */
export const imageRules = ({ rotatedImages }: Configuration) => settings({ ROTATED_IMAGES: rotatedImages });

/** How many requests an owner may send. */
export const requestRate = ({ ownerThrottle: { rate, burst } }: Configuration) =>
  settings({ REQUEST_RATE: JSON.stringify({ per_second: rate, burst }) });

/** How many requests may wait. */
export const longPollLimits = ({ longPolls }: Configuration) => settings({ LONG_POLLS: JSON.stringify(longPolls) });

/** Whether webhooks may go to this computer. */
export const loopbackWebhooks = ({ loopbackWebhooks: allowed }: Configuration) =>
  settings({ LOOPBACK_WEBHOOKS: allowed ? 'yes' : 'no' } as const);

/** Accepting a request for a video: validate it, copy its media to the video's prefix, write its record, dispatch it. */
export function acceptAccess(foundation: Foundation) {
  const { configuration, storage } = foundation;
  return mergeAccess(
    dispatchAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
    uploadsAccess(storage.uploads, ['uploads/'], ['GetObject', 'GetObjectVersion']),
    listAccess(storage.uploads),
    uploadsAccess(storage.uploads, ['inputs/'], ['PutObject']),
    requestSettings(configuration),
    imageRules(configuration),
    spendingLimit(configuration),
    loopbackWebhooks(configuration),
  );
}

/** Reading the files of a video that another one is derived from: its archived file and its inputs. */
export const sourceAccess = ({ storage: { uploads, videos } }: Foundation): Access => ({
  ...mergeAccess(
    videosAccess(videos, ['GetObjectVersion']),
    uploadsAccess(uploads, ['inputs/', 'drop/'], ['GetObjectVersion']),
    // To distinguish a file that is gone from one without read permission.
    listAccess(videos),
    versionsAccess(videos),
    listAccess(uploads),
    versionsAccess(uploads),
  ),
  // The record has the bucket and key of each file.
  environment: {},
});

/** Writing the result of a drop next to it. The record has the bucket and key. */
export const resultWriterAccess = ({ storage: { uploads } }: Foundation): Access => ({
  ...mergeAccess(
    uploadsAccess(uploads, ['drop/'], ['GetObject', 'PutObject']),
    listAccess(uploads),
    // To find out which of two versions of an image is newer.
    versionsAccess(uploads, 'drop/'),
  ),
  environment: {},
});

/** Whether the video is copied next to its image. */
export const copyToDropAccess = ({ drop: { copyVideo } }: Configuration) =>
  settings({ COPY_VIDEO_TO_DROP: copyVideo ? 'yes' : 'no' } as const);

/** Copying a finished video next to its image, in a function that writes results of videos that exist. */
export const copyResultAccess = ({ configuration, storage: { videos } }: Foundation) => ({
  ...mergeAccess(videosAccess(videos, ['GetObject', 'GetObjectVersion']), listAccess(videos)),
  environment: copyToDropAccess(configuration).environment,
});

/** Deleting all objects of a video, its input media included, each version by its id. */
export const deleteAccess = ({ storage: { uploads, videos } }: Foundation) =>
  mergeAccess(
    videosAccess(videos, ['DeleteObjectVersion']),
    versionsAccess(videos),
    uploadsAccess(uploads, ['inputs/'], ['DeleteObjectVersion']),
    versionsAccess(uploads, 'inputs/'),
  );
