import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { indexes } from '../../functions/shared/table-schema.ts';
import type { Configuration } from '../config.ts';
import type { Storage } from '../storage/storage.ts';
import {
  type Access,
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

/** What every part of the stack stands on. */
export interface Foundation {
  readonly configuration: Configuration;
  readonly functions: FunctionSettings;
  readonly storage: Storage;
  readonly wanSecret: ISecret;
  readonly stateMachine: StateMachineAddress;
}

export interface StateMachineAddress {
  readonly name: string;
  readonly arn: string;
}

/**
 * The state machine's name and ARN before it exists: the only physical name of the stack. The functions that it calls must know its
 * ARN, since whoever frees a permit starts the next video; taken from the resource itself that would be a circle.
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

/** What giving the next video its permit and starting its workflow takes. */
export function dispatchAccess(
  { storage, stateMachine, configuration }: Foundation,
  actions: readonly ('GetItem' | 'PutItem' | 'UpdateItem')[],
) {
  return mergeAccess(
    tableAccess(storage.table, actions, indexes.byStatus.name),
    startAccess(stateMachine.arn),
    settings({ LIMIT_SETTINGS: JSON.stringify(configuration.limitSettings) }),
  );
}

/** What an owner may spend in a month, for who keeps to it or tells it. */
export const spendingLimit = ({ monthlySpendingLimit }: Configuration) =>
  settings({ MONTHLY_SPENDING_LIMIT: monthlySpendingLimit?.toString() ?? '' });

/** How long a task takes, for who plans with it; empty for the catalogue's own figures. */
export const taskSeconds = ({ typicalSeconds }: Configuration) =>
  settings({ TYPICAL_SECONDS: typicalSeconds?.toString() ?? '' });

/** How often Wan may be asked about tasks. */
export const queryRate = ({ wanQueriesPerSecond }: Configuration) =>
  settings({ WAN_QUERIES_PER_SECOND: String(wanQueriesPerSecond) });

/** What checking a request takes beside the media it names: the region's catalogue and prices, and whom its URLs may name. */
export const requestSettings = ({ region, trustedOrigins }: Configuration) =>
  settings({ WAN_REGION: region, TRUSTED_ORIGINS: JSON.stringify(trustedOrigins) });

/** Taking a request for a video: it is checked, its media become the video's own, its record is written, and it is dispatched. */
export function acceptAccess(foundation: Foundation) {
  const { configuration, storage } = foundation;
  return mergeAccess(
    dispatchAccess(foundation, ['GetItem', 'PutItem', 'UpdateItem']),
    uploadsAccess(storage.uploads, ['uploads/'], ['GetObject', 'GetObjectVersion']),
    listAccess(storage.uploads),
    uploadsAccess(storage.uploads, ['inputs/'], ['PutObject']),
    requestSettings(configuration),
    spendingLimit(configuration),
  );
}

/** Writing what became of a drop beside it. The record says where that is. */
export const resultWriterAccess = ({ storage: { uploads } }: Foundation): Access => ({
  ...mergeAccess(
    uploadsAccess(uploads, ['drop/'], ['GetObject', 'PutObject']),
    listAccess(uploads),
    // Which of two versions of an image is the later one.
    versionsAccess(uploads, 'drop/'),
  ),
  environment: {},
});

/** Whether the video itself is copied there as well. */
export const copyToDropAccess = ({ drop: { copyVideo } }: Configuration) =>
  settings({ COPY_VIDEO_TO_DROP: copyVideo ? 'yes' : 'no' } as const);

/** Copying a finished video next to its image, in a function that writes results of videos that exist. */
export const copyResultAccess = ({ configuration, storage: { videos } }: Foundation) => ({
  ...mergeAccess(videosAccess(videos, ['GetObject', 'GetObjectVersion']), listAccess(videos)),
  environment: copyToDropAccess(configuration).environment,
});

/** Deleting all objects of a video, each version by its id: what was made, and the media it was made of. */
export const deleteAccess = ({ storage: { uploads, videos } }: Foundation) =>
  mergeAccess(
    videosAccess(videos, ['DeleteObjectVersion']),
    versionsAccess(videos),
    uploadsAccess(uploads, ['inputs/'], ['DeleteObjectVersion']),
    versionsAccess(uploads, 'inputs/'),
  );
