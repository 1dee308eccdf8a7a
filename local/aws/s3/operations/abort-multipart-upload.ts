import { findUpload } from '../multipart/find-upload.ts';
import type { Operation } from './operation.ts';

export const abortMultipartUpload: Operation = {
  name: 'AbortMultipartUpload',
  method: 'DELETE',
  target: 'object',
  selectors: ['uploadId'],
  run: async (call, services) => {
    call.record('s3:AbortMultipartUpload');
    const { bucket, upload } = findUpload(call, services);
    bucket.commit({ end: upload.upload_id });
    return { status: 204 };
  },
};
