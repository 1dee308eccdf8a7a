import type { Operation } from './operation.ts';

export const headBucket: Operation = {
  name: 'HeadBucket',
  method: 'HEAD',
  target: 'bucket',
  run: async (call, services) => {
    call.record('s3:ListBucket');
    services.buckets.get(call.target.bucket);
    return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } };
  },
};
