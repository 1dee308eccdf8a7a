import { writeXml } from '../http/xml.ts';
import { findObject } from '../objects/find-version.ts';
import { type Operation, xmlAnswer } from './operation.ts';

/** Objects have no tags here. Version 2 of the AWS CLI asks for them before it copies a large object. */
export const getObjectTagging: Operation = {
  name: 'GetObjectTagging',
  method: 'GET',
  target: 'object',
  selectors: ['tagging'],
  run: async (call, services) => {
    call.record('s3:GetObjectTagging');
    findObject(services.buckets.get(call.target.bucket), call.target.key, undefined);
    return xmlAnswer(writeXml('Tagging', { TagSet: '' }));
  },
};
