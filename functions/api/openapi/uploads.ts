import * as z from 'zod';
import { uploadRequestSchema } from '../videos/create-upload.ts';
import { jsonResponse, ref, type Schemas } from './operation.ts';
import { nativeOperations } from './problems.ts';
import { time } from './video-schema.ts';

const uploadSchema = z.strictObject({
  upload_url: z.url().meta({ description: 'Where the form goes: `POST`, `multipart/form-data`, without a key.' }),
  fields: z
    .record(z.string(), z.string())
    .meta({ description: 'Fields of the form, each exactly as it is here; `file` comes last.' }),
  media_url: z
    .string()
    .regex(/^s3:\/\//)
    .meta({ description: 'Goes into `img_url` or `audio_url`.' }),
  max_bytes: z.int().min(1).meta({ description: 'What the file may have.' }),
  expires_at: time.meta({ description: 'Until when the file may be sent.' }),
});

export const schemas: Schemas = { taken: { UploadRequest: uploadRequestSchema }, given: { Upload: uploadSchema } };

const mediaKey = 'uploads/alice/8f14e45f-ceea-467f-a0e6-5b1f0d2c7a11/image.png';

export const operations = nativeOperations('Uploads', [
  {
    method: 'post',
    path: '/uploads',
    id: 'createUpload',
    summary: 'Get a form to upload a picture or a sound with',
    description: `The file goes straight to S3, within 15 minutes:

\`\`\`
curl -F key=… -F policy=… (every field of "fields") -F file=@cat.png "$upload_url"
\`\`\`

It is looked into when a video is asked for. The video keeps a copy of its own.`,
    body: {
      content: {
        schema: ref('UploadRequest'),
        examples: {
          picture: { summary: 'A picture', value: { content_type: 'image/png', bytes: 6_291_456 } },
          sound: { summary: 'A sound', value: { content_type: 'audio/mpeg' } },
        },
      },
    },
    answers: {
      201: jsonResponse('The form.', ref('Upload'), {
        form: {
          summary: 'For a picture',
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
            max_bytes: 10_485_760,
            expires_at: '2026-01-31T12:15:00.000Z',
          },
        },
      }),
    },
    problems: ['invalid_json', 'invalid_request'],
  },
]);
