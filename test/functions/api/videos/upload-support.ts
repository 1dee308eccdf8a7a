import { GetObjectCommand, ListObjectVersionsCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createUpload, type UploadServices } from '../../../../functions/api/videos/create-upload.ts';
import type { Table } from '../../../../functions/video/table.ts';
import { startS3 } from '../../../local/s3/support/start-s3.ts';
import { anApi, aRequest, responseOf } from '../support.ts';

export const uploadsBucket = 'uploads';

/** The API over a table and the local S3 with a versioned uploads bucket. */
export async function anApiWithUploads(
  table: Table,
  wrap: (s3: S3Client) => Pick<S3Client, 'send'> = (s3) => s3,
  overrides: Parameters<typeof anApi>[1] = {},
) {
  const s3 = await startS3({ buckets: { [uploadsBucket]: { versioned: true }, others: { versioned: true } } });
  const services: UploadServices = { s3: s3.sdk, uploadsBucket, now: Date.now };
  return {
    ...anApi(table, { s3: wrap(s3.sdk), uploadsBucket, ...overrides }),
    s3,
    /** `POST /uploads`. */
    createUpload: async (body: unknown, owner = 'alice') =>
      responseOf(await createUpload(services, aRequest({ body, owner }), { owner, key_id: 'k' })),
    /** Stores a file in an owner's folder. @returns its `s3://` URL */
    put: async (owner: string, name: string, bytes: Uint8Array, bucket = uploadsBucket) => {
      const key = `uploads/${owner}/${name}`;
      await s3.sdk.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: 'image/png' }));
      return `s3://${bucket}/${key}`;
    },
    /** The keys of all versions below a prefix. */
    versionsBelow: async (prefix: string) => {
      const listed = await s3.sdk.send(new ListObjectVersionsCommand({ Bucket: uploadsBucket, Prefix: prefix }));
      return (listed.Versions ?? []).map(({ Key }) => Key!);
    },
    read: async ({ bucket, key, version_id }: { bucket: string; key: string; version_id?: string }) => {
      const object = await s3.sdk.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id }));
      return { ...object, bytes: Buffer.from(await object.Body!.transformToByteArray()) };
    },
  };
}

/** Sends a file with a form of `POST /uploads`. @returns the status */
export async function sendForm(
  { upload_url, fields }: { upload_url: string; fields: Record<string, string> },
  bytes: Uint8Array,
): Promise<number> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(bytes)]));
  const response = await fetch(upload_url, { method: 'POST', body: form });
  await response.arrayBuffer();
  return response.status;
}
