import { receiveText } from '../body/receive.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { namesOf, readXml } from '../http/xml.ts';
import { checkAcl } from '../objects/attributes.ts';
import { bodyHeaders, type Operation } from './operation.ts';

/** Creates a bucket that keeps no versions. Its region is not kept: there is one endpoint for all. */
export const createBucket: Operation = {
  name: 'CreateBucket',
  method: 'PUT',
  target: 'bucket',
  headers: [...bodyHeaders, 'x-amz-acl'],
  run: async (call, services) => {
    call.record('s3:CreateBucket');
    checkAcl(call.headers.get('x-amz-acl'));
    const { bucket: name } = call.target;
    const document = await receiveText(call);
    if (document !== '') refuseUnknown(document);
    if (services.buckets.find(name)) {
      throw new S3Error('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded.', {
        elements: { BucketName: name },
      });
    }
    services.buckets.create(name, { versioning: 'Unversioned', created: services.now() });
    return { status: 200, headers: { location: `/${name}` } };
  },
};

function refuseUnknown(document: string): void {
  const names = namesOf(readXml(document, 'CreateBucketConfiguration'));
  const unknown = names.find((name) => name !== 'LocationConstraint');
  if (unknown !== undefined) throw notImplemented(`CreateBucket with ${unknown}`);
}
