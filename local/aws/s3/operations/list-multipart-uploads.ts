import { writeXml, type XmlContent } from '../http/write-xml.ts';
import { walkKeys } from '../objects/walk-keys.ts';
import type { Bucket, OpenUpload } from '../store/bucket.ts';
import { compareBytes } from '../store/byte-order.ts';
import { echo, firstOf, type ListingRequest, listingParameters, owner, readListingRequest } from './listing.ts';
import { type Operation, xmlAnswer, xmlTime } from './operation.ts';

type Item = { upload: OpenUpload } | { common_prefix: string };

export const listMultipartUploads: Operation = {
  name: 'ListMultipartUploads',
  method: 'GET',
  target: 'bucket',
  selectors: ['uploads'],
  parameters: [...listingParameters, 'max-uploads', 'key-marker', 'upload-id-marker'],
  run: async (call, services) => {
    call.record('s3:ListBucketMultipartUploads');
    const bucket = services.buckets.get(call.target.bucket);
    const listing = readListingRequest(call.query, 'max-uploads');
    const keyMarker = call.query.get('key-marker') ?? '';
    const uploadMarker = call.query.get('upload-id-marker') || undefined;
    const { items, truncated } = firstOf(walk(bucket, listing, keyMarker, uploadMarker), listing.limit);
    const last = items.at(-1);
    return xmlAnswer(
      writeXml('ListMultipartUploadsResult', {
        Bucket: bucket.name,
        ...echo(listing),
        KeyMarker: listing.encode(keyMarker),
        UploadIdMarker: uploadMarker ?? '',
        NextKeyMarker: last && listing.encode('upload' in last ? last.upload.key : last.common_prefix),
        NextUploadIdMarker: last && 'upload' in last ? last.upload.upload_id : undefined,
        MaxUploads: listing.limit,
        IsTruncated: truncated,
        Upload: items.flatMap((item) => ('upload' in item ? [uploadContent(item.upload, listing)] : [])),
        CommonPrefixes: items.flatMap((item) =>
          'upload' in item ? [] : [{ Prefix: listing.encode(item.common_prefix) }],
        ),
      }),
    );
  },
};

/** Uploads by key, those of one key in the order they were begun. */
function* walk(bucket: Bucket, listing: ListingRequest, key: string, uploadId: string | undefined): Generator<Item> {
  const byKey = new Map<string, OpenUpload[]>();
  for (const upload of bucket.uploads.values()) byKey.set(upload.key, [...(byKey.get(upload.key) ?? []), upload]);
  const begun = byKey.get(key) ?? [];
  const at = begun.findIndex((upload) => upload.upload_id === uploadId);
  if (at >= 0) for (const upload of begun.slice(at + 1)) yield { upload };
  const keys = [...byKey.keys()].sort(compareBytes);
  for (const item of walkKeys(keys, { ...listing, after: key, visible: () => true })) {
    if ('common_prefix' in item) yield item;
    else for (const upload of byKey.get(item.key) ?? []) yield { upload };
  }
}

function uploadContent(upload: OpenUpload, listing: ListingRequest): XmlContent {
  return {
    Key: listing.encode(upload.key),
    UploadId: upload.upload_id,
    Initiator: owner,
    Owner: owner,
    StorageClass: 'STANDARD',
    Initiated: xmlTime(upload.initiated),
    ChecksumAlgorithm: upload.checksum_algorithm,
    ChecksumType: upload.checksum_algorithm && upload.checksum_type,
  };
}
