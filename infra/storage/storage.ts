import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
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
import { indexes, partitionKey, timeToLive } from '../../functions/shared/table-schema.ts';
import { acknowledge, justify } from '../functions/acknowledge.ts';
import { pinLogicalId } from '../functions/logical-id.ts';

export interface StorageProps {
  readonly removalPolicy: RemovalPolicy;
}

/** How long the old versions of deleted or temporary objects can be restored. */
const deletedRetention = Duration.days(1);

/** Rules for uploads other than drops. Where rules overlap, S3 applies the shorter time. */
const uploadsLifecycle: readonly LifecycleRule[] = [
  {
    // A request copies the upload that it names, so every upload is superfluous after two days.
    prefix: 'uploads/',
    expiration: Duration.days(2),
    noncurrentVersionExpiration: deletedRetention,
  },
  // Written once and deleted with their video, so an old version here was deleted on purpose.
  { prefix: 'inputs/', noncurrentVersionExpiration: deletedRetention },
];

/** All persistent data: uploaded media, archived videos, and the table. */
export class Storage extends Construct {
  /** Media: drops below `drop/`, uploads that no request has used yet below `uploads/`, and media of videos below `inputs/`. */
  readonly uploads: Bucket;
  /** Archived videos and their metadata, below the video's id. */
  readonly videos: Bucket;
  readonly table: Table;

  constructor(scope: Construct, id: string, { removalPolicy }: StorageProps) {
    super(scope, id);
    this.uploads = privateBucket(this, 'UploadsBucket', {
      removalPolicy,
      lifecycleRules: [...uploadsLifecycle],
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
    // Set on the resource: the construct's `eventBridgeEnabled` would deploy a custom resource for it.
    (this.uploads.node.defaultChild as CfnBucket).notificationConfiguration = {
      eventBridgeConfiguration: { eventBridgeEnabled: true },
    };
    this.videos = privateBucket(this, 'VideosBucket', { removalPolicy });
    this.table = videosTable(this, removalPolicy);
  }
}

function privateBucket(scope: Construct, id: string, { lifecycleRules = [], ...props }: BucketProps): Bucket {
  const bucket = new Bucket(scope, id, {
    ...props,
    versioned: true,
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    lifecycleRules: [
      {
        // An overwritten image may still be the first frame of a video, so old versions are kept for a while. Current versions do
        // not expire.
        noncurrentVersionExpiration: Duration.days(90),
        abortIncompleteMultipartUploadAfter: Duration.days(1),
        expiredObjectDeleteMarker: true,
      },
      ...lifecycleRules,
    ],
  });
  pinLogicalId(bucket, id);
  const noAccessLog =
    'Objects are only reachable through a role of this stack or a URL that it presigned for minutes. The access log of the API and the record show both. For a log of every access, set accessLogBucket.';
  acknowledge(bucket, 'S1', noAccessLog);
  justify(bucket, 'CKV_AWS_18', noAccessLog);
  return bucket;
}

function videosTable(scope: Construct, removalPolicy: RemovalPolicy): Table {
  const isDeleted = removalPolicy === RemovalPolicy.DESTROY;
  const table = new Table(scope, 'VideosTable', {
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    timeToLiveAttribute: timeToLive,
    billingMode: BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: !isDeleted,
    // Retained even when its creation is rolled back: the rollback could not delete a protected table and would fail.
    removalPolicy: isDeleted ? removalPolicy : RemovalPolicy.RETAIN,
  });
  pinLogicalId(table, 'VideosTable');
  justify(table, 'CKV_AWS_119', 'DynamoDB encrypts it with a key of AWS; the setting kmsKeyArn uses another.');
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
