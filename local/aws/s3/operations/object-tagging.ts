import { receiveText } from '../body/receive.ts';
import type { Call } from '../call.ts';
import { writeXml } from '../http/write-xml.ts';
import { findObject } from '../objects/find-version.ts';
import { versionHeader } from '../objects/object-headers.ts';
import { readTaggingXml } from '../objects/tags.ts';
import type { Services } from '../services.ts';
import type { Tag } from '../store/records.ts';
import { bodyHeaders, type Operation, xmlAnswer } from './operation.ts';

const selection = { target: 'object', selectors: ['tagging'], parameters: ['versionId'] } as const;

export const getObjectTagging: Operation = {
  name: 'GetObjectTagging',
  method: 'GET',
  ...selection,
  run: async (call, services) => {
    const { bucket, object } = find(call, services, 'Get');
    const tags = object.tags.map(({ key, value }) => ({ Key: key, Value: value }));
    return xmlAnswer(writeXml('Tagging', { TagSet: { Tag: tags } }), versionHeader(bucket, object));
  },
};

export const putObjectTagging: Operation = {
  name: 'PutObjectTagging',
  method: 'PUT',
  ...selection,
  headers: bodyHeaders,
  run: async (call, services) => {
    const tags = readTaggingXml(await receiveText(call));
    return { status: 200, headers: replaceTags(call, services, 'Put', tags) };
  },
};

export const deleteObjectTagging: Operation = {
  name: 'DeleteObjectTagging',
  method: 'DELETE',
  ...selection,
  run: async (call, services) => ({ status: 204, headers: replaceTags(call, services, 'Delete', []) }),
};

function find(call: Call, services: Pick<Services, 'buckets'>, verb: 'Get' | 'Put' | 'Delete') {
  const versionId = call.query.get('versionId');
  call.record(`s3:${verb}Object${versionId === undefined ? '' : 'Version'}Tagging`);
  const bucket = services.buckets.get(call.target.bucket);
  return { bucket, object: findObject(bucket, call.target.key, versionId) };
}

function replaceTags(call: Call, services: Pick<Services, 'buckets'>, verb: 'Put' | 'Delete', tags: readonly Tag[]) {
  const { bucket, object } = find(call, services, verb);
  bucket.commit({ put: { ...object, tags } });
  return versionHeader(bucket, object);
}
