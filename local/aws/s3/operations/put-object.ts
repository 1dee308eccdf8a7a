import { receiveBody } from '../body/receive.ts';
import { attributeHeaders, readAttributes } from '../objects/attributes.ts';
import { checksumHeaders, storedHeaders } from '../objects/object-headers.ts';
import { storeObject } from '../objects/store-object.ts';
import { beginWrite, writeConditionHeaders } from '../objects/write-conditions.ts';
import { bodyHeaders, type Operation } from './operation.ts';

export const putObject: Operation = {
  name: 'PutObject',
  method: 'PUT',
  target: 'object',
  headers: [...attributeHeaders, ...bodyHeaders, ...writeConditionHeaders],
  run: async (call, services) => {
    call.record('s3:PutObject');
    const { bucket: bucketName, key } = call.target;
    const bucket = services.buckets.get(bucketName);
    const attributes = readAttributes(call.headers);
    const check = beginWrite(bucket, key, call.headers);
    const { blob, result } = await bucket.blobs.write((write) => receiveBody(call, write));
    const object = await storeObject(
      services,
      bucket,
      {
        ...attributes,
        key,
        blob,
        size: result.size,
        etag: result.md5,
        checksum: { ...result.checksum, type: 'FULL_OBJECT' },
      },
      { reason: 'PutObject', requester: call.access_key_id, check },
    );
    return { status: 200, headers: { ...storedHeaders(bucket, object), ...checksumHeaders(object) } };
  },
};
