import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type CfnBucket,
  HttpMethods,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { indexes, partitionKey, TOMBSTONE_DAYS, timeToLive } from '../../functions/shared/table-schema.ts';
import type { Configuration } from '../config.ts';
import { acknowledge, justify } from '../functions/acknowledge.ts';
import { pinLogicalId } from '../functions/logical-id.ts';

export interface StorageProps {
  readonly removalPolicy: RemovalPolicy;
  /** The operator's key. @default - keys of AWS */
  readonly key: IKey | undefined;
  readonly configuration: Pick<Configuration, 'accessLogBucket' | 'retention'>;
}

/** How long the old versions of deleted or temporary objects can be restored. */
const deletedRetention = Duration.days(1);

/** The rules of the uploads bucket. Where rules overlap, S3 applies the shorter time. */
const uploadsLifecycle = ({
  videos,
  inputs = inputsOf(videos),
  drops,
}: Configuration['retention']): LifecycleRule[] => [
  {
    // A request copies the upload that it names, so every upload is superfluous after two days.
    prefix: 'uploads/',
    expiration: Duration.days(2),
    noncurrentVersionExpiration: deletedRetention,
  },
  // Written once and deleted with their video, so an old version here was deleted on purpose.
  { prefix: 'inputs/', noncurrentVersionExpiration: deletedRetention, ...expiration(inputs) },
  ...(drops === undefined
    ? []
    : [
        {
          prefix: 'drop/',
          ...expiration(drops),
          // Longer than for inputs: an image is used in place, and a video may wait for one that was overwritten.
          noncurrentVersionExpiration: Duration.days(Math.min(drops, 7)),
        },
      ]),
];

/** Inputs are kept as long as the records of their videos: without a record nothing would delete them. */
const inputsOf = (videos: number | undefined) => (videos === undefined ? undefined : videos + TOMBSTONE_DAYS);

/** The expiration of a rule for a setting in days. S3 then adds a delete marker, and the version becomes an old one. */
const expiration = (days: number | undefined): Pick<LifecycleRule, 'expiration'> =>
  days === undefined ? {} : { expiration: Duration.days(days) };

/** All persistent data: uploaded media, archived videos, and the table. */
export class Storage extends Construct {
  /** Media: drops below `drop/`, uploads that no request has used yet below `uploads/`, and media of videos below `inputs/`. */
  readonly uploads: Bucket;
  /** Archived videos and their metadata, below the video's id. */
  readonly videos: Bucket;
  readonly table: Table;

  constructor(scope: Construct, id: string, props: StorageProps) {
    super(scope, id);
    const { removalPolicy, key } = props;
    const { retention, accessLogBucket } = props.configuration;
    this.uploads = privateBucket(this, 'UploadsBucket', accessLogBucket, {
      removalPolicy,
      encryptionKey: key,
      lifecycleRules: uploadsLifecycle(retention),
      // Pages upload with signed forms and read first frames by presigned URLs. The signature grants access, so any origin is
      // allowed.
      cors: [
        {
          allowedMethods: [HttpMethods.POST, HttpMethods.GET],
          allowedOrigins: ['*'],
          exposedHeaders: ['ETag'],
          maxAge: 3600,
        },
      ],
    });
    // Pages fetch videos by presigned URLs. The console's own origin is not known here, so any origin is allowed.
    this.videos = privateBucket(this, 'VideosBucket', accessLogBucket, {
      removalPolicy,
      encryptionKey: key,
      ...(retention.videos === undefined
        ? {}
        : { lifecycleRules: [expiration(retention.videos)], oldVersions: deletedRetention }),
      cors: [
        {
          allowedMethods: [HttpMethods.GET, HttpMethods.HEAD],
          allowedOrigins: ['*'],
          // Range and If-Range.
          allowedHeaders: ['*'],
          exposedHeaders: ['ETag', 'Content-Range', 'Accept-Ranges'],
          maxAge: 3600,
        },
      ],
    });
    for (const bucket of [this.uploads, this.videos]) {
      // Set on the resource: the construct's `eventBridgeEnabled` would deploy a custom resource for it.
      (bucket.node.defaultChild as CfnBucket).notificationConfiguration = {
        eventBridgeConfiguration: { eventBridgeEnabled: true },
      };
    }
    this.table = videosTable(this, removalPolicy, key);
  }
}

type PrivateBucketProps = Pick<BucketProps, 'removalPolicy' | 'lifecycleRules' | 'cors'> & {
  readonly encryptionKey: IKey | undefined;
  /** How long old versions are kept. @default 90 days */
  readonly oldVersions?: Duration;
};

function privateBucket(
  scope: Construct,
  id: string,
  accessLogBucket: string | undefined,
  { lifecycleRules = [], encryptionKey, oldVersions = Duration.days(90), ...props }: PrivateBucketProps,
): Bucket {
  const bucket = new Bucket(scope, id, {
    ...props,
    versioned: true,
    ...(encryptionKey
      ? // A bucket key saves almost all calls to KMS, which are billed and limited.
        { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
      : { encryption: BucketEncryption.S3_MANAGED }),
    enforceSSL: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    lifecycleRules: [
      {
        // An overwritten image may still be the first frame of a video, so old versions are kept for a while. Current versions do
        // not expire.
        noncurrentVersionExpiration: oldVersions,
        abortIncompleteMultipartUploadAfter: Duration.days(1),
        expiredObjectDeleteMarker: true,
      },
      ...lifecycleRules,
    ],
  });
  pinLogicalId(bucket, id);
  if (accessLogBucket !== undefined) {
    // Set on the resource: the construct would try to change the policy of a bucket that is not the stack's.
    (bucket.node.defaultChild as CfnBucket).loggingConfiguration = {
      destinationBucketName: accessLogBucket,
      logFilePrefix: `${Stack.of(scope).stackName}/${id}/`,
    };
    return bucket;
  }
  const noAccessLog =
    'Objects are only reachable through a role of this stack or a URL that it presigned for minutes. The access log of the API and the record show both. For a log of every access, set accessLogBucket.';
  acknowledge(bucket, 'S1', noAccessLog);
  justify(bucket, 'CKV_AWS_18', noAccessLog);
  return bucket;
}

function videosTable(scope: Construct, removalPolicy: RemovalPolicy, key: IKey | undefined): Table {
  const isDeleted = removalPolicy === RemovalPolicy.DESTROY;
  const table = new Table(scope, 'VideosTable', {
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    timeToLiveAttribute: timeToLive,
    billingMode: BillingMode.PAY_PER_REQUEST,
    ...(key ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key } : {}),
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: !isDeleted,
    // Retained even when its creation is rolled back: the rollback could not delete a protected table and would fail.
    removalPolicy: isDeleted ? removalPolicy : RemovalPolicy.RETAIN,
  });
  pinLogicalId(table, 'VideosTable');
  justify(
    table,
    'CKV_AWS_119',
    'DynamoDB encrypts it with a key of AWS; the setting kmsKeyArn uses another.',
    'sseSpecification',
  );
  addIndex(table, indexes.byOwner, ProjectionType.ALL);
  addIndex(table, indexes.byStatus, ProjectionType.KEYS_ONLY);
  return table;
}

function addIndex(
  table: Table,
  { name, partition, sort }: (typeof indexes)[keyof typeof indexes],
  projectionType: ProjectionType,
): void {
  table.addGlobalSecondaryIndex({
    indexName: name,
    partitionKey: { name: partition, type: AttributeType.STRING },
    sortKey: { name: sort, type: AttributeType.STRING },
    projectionType,
  });
}
