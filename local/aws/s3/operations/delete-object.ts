import { deleteObject as remove } from '../objects/delete-object.ts';
import type { Operation } from './operation.ts';

export const deleteObject: Operation = {
  name: 'DeleteObject',
  method: 'DELETE',
  target: 'object',
  parameters: ['versionId'],
  run: async (call, services) => {
    const versionId = call.query.get('versionId');
    call.record(versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion');
    const bucket = services.buckets.get(call.target.bucket);
    const deletion = { key: call.target.key, version_id: versionId };
    const outcome = await remove(services, bucket, deletion, call.access_key_id);
    return {
      status: 204,
      headers: {
        'x-amz-version-id': outcome.version_id,
        'x-amz-delete-marker': outcome.marker ? 'true' : undefined,
      },
    };
  },
};
