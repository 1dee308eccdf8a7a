import { receiveText } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import type { S3Response } from '../http/messages.ts';
import { namesOf, readXml, writeXml } from '../http/xml.ts';
import { checkAcl } from './attributes.ts';
import { type Call, type Services, xmlResponse, xmlTime } from './call.ts';

export async function listBuckets(_: Call, services: Services): Promise<S3Response> {
  const buckets = services.buckets
    .all()
    .map((bucket) => ({ Name: bucket.name, CreationDate: xmlTime(bucket.state().created) }));
  return xmlResponse(writeXml('ListAllMyBucketsResult', { Buckets: { Bucket: buckets } }));
}

/** Creates an unversioned bucket. The region is ignored: one endpoint serves all regions. */
export async function createBucket(call: Call, services: Services): Promise<S3Response> {
  checkAcl(call.headers.get('x-amz-acl'));
  const { bucket: name } = call.target;
  const document = await receiveText(call);
  const names = document === '' ? [] : namesOf(readXml(document, 'CreateBucketConfiguration'));
  const unsupported = names.find((name) => name !== 'LocationConstraint');
  if (unsupported !== undefined) throw notImplemented(`CreateBucket with ${unsupported}`);
  if (services.buckets.find(name)) {
    throw new S3Error('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded.', {
      elements: { BucketName: name },
    });
  }
  services.buckets.create(name, { versioning: 'Unversioned', created: services.now() });
  return { status: 200, headers: { location: `/${name}` } };
}

export async function headBucket(call: Call, services: Services): Promise<S3Response> {
  services.buckets.get(call.target.bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } };
}

export async function deleteBucket(call: Call, services: Services): Promise<S3Response> {
  const bucket = services.buckets.get(call.target.bucket);
  if (bucket.versions.keys().length > 0) {
    throw new S3Error(
      'BucketNotEmpty',
      'The bucket you tried to delete is not empty. You must delete all versions in the bucket.',
      { elements: { BucketName: bucket.name } },
    );
  }
  await services.buckets.remove(bucket);
  return { status: 204 };
}

export async function getBucketVersioning(call: Call, services: Services): Promise<S3Response> {
  const { versioning } = services.buckets.get(call.target.bucket).state();
  const Status = versioning === 'Unversioned' ? undefined : versioning;
  return xmlResponse(writeXml('VersioningConfiguration', { Status }));
}
