import { writeXml } from '../http/write-xml.ts';
import { type Operation, xmlAnswer } from './operation.ts';

/** Every bucket says that it lies in us-east-1, whose location is written as nothing. Any region may sign for it. */
export const getBucketLocation: Operation = {
  name: 'GetBucketLocation',
  method: 'GET',
  target: 'bucket',
  selectors: ['location'],
  run: async (call, services) => {
    call.record('s3:GetBucketLocation');
    services.buckets.get(call.target.bucket);
    return xmlAnswer(writeXml('LocationConstraint', ''));
  },
};
