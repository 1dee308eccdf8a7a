import { writeXml } from '../http/xml.ts';
import { type Operation, xmlAnswer, xmlTime } from './operation.ts';

export const listBuckets: Operation = {
  name: 'ListBuckets',
  method: 'GET',
  target: 'service',
  run: async (call, services) => {
    call.record('s3:ListAllMyBuckets');
    const buckets = services.buckets
      .all()
      .map((bucket) => ({ Name: bucket.name, CreationDate: xmlTime(bucket.state().created) }));
    return xmlAnswer(writeXml('ListAllMyBucketsResult', { Buckets: { Bucket: buckets } }));
  },
};
