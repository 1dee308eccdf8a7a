import { writeXml, type XmlContent } from '../http/write-xml.ts';
import { firstOf, owner, readLimit } from './listing.ts';
import { type Operation, xmlAnswer, xmlTime } from './operation.ts';

export const listBuckets: Operation = {
  name: 'ListBuckets',
  method: 'GET',
  target: 'service',
  parameters: ['max-buckets', 'continuation-token', 'prefix'],
  run: async (call, services) => {
    call.record('s3:ListAllMyBuckets');
    const prefix = call.query.get('prefix') ?? '';
    const after = call.query.get('continuation-token') ?? '';
    const matching = services.buckets.all().filter(({ name }) => name.startsWith(prefix) && name > after);
    const { items, truncated } = firstOf(matching, readLimit(call.query, 'max-buckets'));
    const buckets = items.map(
      (bucket): XmlContent => ({ Name: bucket.name, CreationDate: xmlTime(bucket.state().created) }),
    );
    return xmlAnswer(
      writeXml('ListAllMyBucketsResult', {
        Owner: owner,
        Buckets: { Bucket: buckets },
        ContinuationToken: truncated ? items.at(-1)?.name : undefined,
        Prefix: prefix === '' ? undefined : prefix,
      }),
    );
  },
};
