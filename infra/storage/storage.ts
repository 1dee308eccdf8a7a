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
import { acknowledge } from '../functions/acknowledge.ts';
import { pinLogicalId } from '../functions/logical-id.ts';

export interface StorageProps {
  readonly removalPolicy: RemovalPolicy;
}

/** For what is gone on purpose, or was never meant to stay: its old versions may be asked for by mistake for a day. */
const brief = Duration.days(1);

/** What came in and is not a drop. Where rules overlap, S3 keeps to the shorter time. */
const uploadsLifecycle: readonly LifecycleRule[] = [
  {
    // A request that names an upload makes a copy, so what nobody named in two days is superfluous, and what was named too.
    prefix: 'uploads/',
    expiration: Duration.days(2),
    noncurrentVersionExpiration: brief,
  },
  // Written once and deleted with their video: an old version here is one that somebody wants gone.
  { prefix: 'inputs/', noncurrentVersionExpiration: brief },
];

/** All that lasts: pictures that came in, videos that were made, and the records of both. */
export class Storage extends Construct {
  /** Media: drops below `drop/`, uploads that wait for a request below `uploads/`, those of videos below `inputs/`. */
  readonly uploads: Bucket;
  /** Archived videos and their metadata, below the video's id. */
  readonly videos: Bucket;
  readonly table: Table;

  constructor(scope: Construct, id: string, { removalPolicy }: StorageProps) {
    super(scope, id);
    this.uploads = privateBucket(this, 'UploadsBucket', {
      removalPolicy,
      lifecycleRules: [...uploadsLifecycle],
      // Pages upload by signed forms, and read first frames by presigned URLs: these grant the access, whatever the page's origin.
      cors: [
        {
          allowedMethods: [HttpMethods.POST, HttpMethods.GET],
          allowedOrigins: ['*'],
          exposedHeaders: ['ETag'],
          maxAge: 3600,
        },
      ],
    });
    // By the resource's own property: the construct's `eventBridgeEnabled` deploys a custom resource to do the same.
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
        // An overwritten picture is still the first frame of the video it became: keep it for a while. Current ones stay.
        noncurrentVersionExpiration: Duration.days(90),
        abortIncompleteMultipartUploadAfter: Duration.days(1),
        expiredObjectDeleteMarker: true,
      },
      ...lifecycleRules,
    ],
  });
  pinLogicalId(bucket, id);
  acknowledge(
    bucket,
    'S1',
    'Nobody reaches an object but through a role of this stack or a URL it presigned for minutes; both are in the access log of the API and in the record. Who wants a log of every object turns on CloudTrail data events for the account.',
  );
  return bucket;
}

function videosTable(scope: Construct, removalPolicy: RemovalPolicy): Table {
  const table = new Table(scope, 'VideosTable', {
    partitionKey: { name: partitionKey, type: AttributeType.STRING },
    timeToLiveAttribute: timeToLive,
    billingMode: BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: removalPolicy === RemovalPolicy.RETAIN,
    removalPolicy,
  });
  pinLogicalId(table, 'VideosTable');
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
