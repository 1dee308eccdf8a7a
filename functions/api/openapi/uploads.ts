import * as z from 'zod';
import { uploadRequestSchema } from '../videos/create-upload.ts';
import { jsonResponse, ref, type Schemas } from './operation.ts';
import { nativeOperations } from './problems.ts';
import { time } from './video-schema.ts';

const uploadSchema = z.strictObject({
  upload_url: z.url().meta({ description: 'The URL for the form: `POST`, `multipart/form-data`, without a key.' }),
  fields: z
    .record(z.string(), z.string())
    .meta({ description: 'The fields of the form, unchanged; `file` comes last.' }),
  media_url: z
    .string()
    .regex(/^s3:\/\//)
    .meta({ description: 'The value for `img_url`, or for another URL of media.' }),
  max_bytes: z.int().min(1).meta({ description: 'The largest size of the file.' }),
  expires_at: time.meta({ description: 'When the form expires.' }),
});

export const schemas: Schemas = {
  requests: { UploadRequest: uploadRequestSchema },
  responses: { Upload: uploadSchema },
};

const mediaKey = 'uploads/alice/8f14e45f-ceea-467f-a0e6-5b1f0d2c7a11/image.png';

export const operations = nativeOperations('Uploads', [
  {
    method: 'post',
    path: '/uploads',
    id: 'createUpload',
    summary: 'Get a form for uploading an image, audio or video file',
    description: `Send the file directly to S3 within 15 minutes:

\`\`\`
curl -F key=… -F policy=… (every field of "fields") -F file=@cat.png "$upload_url"
\`\`\`

The file is checked when a video is requested with it. The video keeps its own copy.`,
    body: {
      content: {
        schema: ref('UploadRequest'),
        examples: {
          image: { summary: 'An image', value: { content_type: 'image/png', bytes: 6_291_456 } },
          audio: { summary: 'An audio file', value: { content_type: 'audio/mpeg' } },
        },
      },
    },
    responses: {
      201: jsonResponse('The form.', ref('Upload'), {
        form: {
          summary: 'For an image',
          value: {
            upload_url: 'https://firstframe-uploads.s3.us-east-1.amazonaws.com/',
            fields: {
              'Content-Type': 'image/png',
              bucket: 'firstframe-uploads',
              key: mediaKey,
              Policy: 'eyJleHBpcmF0aW9uIjoiMjAyNi0wMS0zMVQxMjoxNTowMFoifQ==',
              'X-Amz-Signature': '…',
            },
            media_url: `s3://firstframe-uploads/${mediaKey}`,
            max_bytes: 20_971_520,
            expires_at: '2026-01-31T12:15:00.000Z',
          },
        },
      }),
    },
    problems: ['invalid_json', 'invalid_request'],
  },
]);
