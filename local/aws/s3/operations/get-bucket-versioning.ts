import { writeXml } from '../http/xml.ts';
import { type Operation, xmlAnswer } from './operation.ts';

export const getBucketVersioning: Operation = {
  name: 'GetBucketVersioning',
  method: 'GET',
  target: 'bucket',
  selectors: ['versioning'],
  run: async (call, services) => {
    call.record('s3:GetBucketVersioning');
    const { versioning } = services.buckets.get(call.target.bucket).state();
    const Status = versioning === 'Unversioned' ? undefined : versioning;
    return xmlAnswer(writeXml('VersioningConfiguration', { Status }));
  },
};
