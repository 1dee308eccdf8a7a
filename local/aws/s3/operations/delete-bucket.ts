import { S3Error } from '../errors.ts';
import type { Operation } from './operation.ts';

export const deleteBucket: Operation = {
  name: 'DeleteBucket',
  method: 'DELETE',
  target: 'bucket',
  run: async (call, services) => {
    call.record('s3:DeleteBucket');
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
  },
};
