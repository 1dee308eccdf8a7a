import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import {
  type AudioType,
  audioTypes,
  type ImageType,
  imageTypes,
  type VideoType,
  videoTypes,
} from '../../media/file-kind.ts';
import type { Caller } from '../../shared/caller.ts';
import type { Issue } from '../../shared/issues.ts';
import { isJsonObject, readJson } from '../../shared/json-body.ts';
import { issuesProblem } from '../../shared/problem.ts';
import { extensionOf, UPLOAD_SECONDS, uploadFolder } from '../../submissions/uploads.ts';
import { models } from '../../wan/catalogue.ts';
import { type FieldsOf, readFields } from '../../wan/validation/body.ts';
import { type ApiRequest, json } from '../http/request.ts';

export interface UploadServices {
  /** Used for signing only; sends nothing. */
  s3: S3Client;
  uploadsBucket: string;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** Other names of the types that Wan reads, as programs write them. */
const aliases = {
  'image/jpg': 'image/jpeg',
  'image/pjpeg': 'image/jpeg',
  'image/x-png': 'image/png',
  'image/x-bmp': 'image/bmp',
  'image/x-ms-bmp': 'image/bmp',
  'audio/mp3': 'audio/mpeg',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'video/x-m4v': 'video/mp4',
} as const satisfies Record<string, ImageType | AudioType | VideoType>;
type Alias = keyof typeof aliases;
const aliasesOf = (kind: keyof typeof maxBytes) =>
  (Object.keys(aliases) as Alias[]).filter((name) => kindOf(name) === kind);

const typesOf = {
  image: [...imageTypes, ...aliasesOf('image')],
  audio: [...audioTypes, ...aliasesOf('audio')],
  video: [...videoTypes, ...aliasesOf('video')],
} as const;

/** Bytes per kind of file: the most that any model accepts. */
const maxBytes = {
  image: Math.max(...models.map(({ image }) => image.max_bytes)),
  audio: Math.max(...models.map(({ audio_input }) => audio_input?.max_bytes ?? 0)),
  video: Math.max(...models.map(({ video_input }) => video_input?.max_bytes ?? 0)),
} as const;

const typeError = `Give the file's type: one of ${[...imageTypes, ...audioTypes, ...videoTypes].join(', ')}.`;
const bytesError = "Give the file's length in bytes, a whole number of at least 1, or leave it out.";

const fieldsOf = (types: readonly (ImageType | AudioType | VideoType | Alias)[], limit: number) => ({
  content_type: z.enum(types, { error: typeError }).meta({
    description: 'The type of the file. The file itself is checked when the video is requested.',
  }),
  bytes: z
    .int({ error: bytesError })
    .min(1, { error: bytesError })
    .meta({ description: "The file's length, so that a file that is too large is refused now.", maximum: limit })
    .optional(),
});
const uploadFields = fieldsOf([...typesOf.image, ...typesOf.audio, ...typesOf.video], maxBytes.video);

/** The body of `POST /uploads`. */
export const uploadRequestSchema = z.union([
  z.strictObject(fieldsOf(typesOf.image, maxBytes.image)),
  z.strictObject(fieldsOf(typesOf.audio, maxBytes.audio)),
  z.strictObject(fieldsOf(typesOf.video, maxBytes.video)),
]);

/**
 * `POST /uploads`: returns a form for uploading an image, audio or video file that is too large for a request body, and the URL that
 * `POST /videos` accepts for it. The form is valid for 15 minutes (or until the signing credentials expire), for one key in the caller's
 * own folder, one content type, and a length within the limit; S3 refuses anything else.
 * @throws ProblemError 400 with all issues
 */
export async function createUpload(
  { s3, uploadsBucket, now }: UploadServices,
  request: ApiRequest,
  { owner }: Caller,
): Promise<APIGatewayProxyResult> {
  const { content_type } = read(readJson(request, 'a JSON object such as {"content_type": "image/png"}'));
  const kind = kindOf(content_type);
  const key = `${uploadFolder(owner)}${randomUUID()}/${kind}.${extensionOf(content_type)}`;
  const expires_at = new Date(now() + UPLOAD_SECONDS * 1000).toISOString();
  const { url, fields } = await createPresignedPost(s3, {
    Bucket: uploadsBucket,
    Key: key,
    Conditions: [['content-length-range', 1, maxBytes[kind]]],
    // Fields are conditions too: each must be sent with this value.
    Fields: { 'Content-Type': content_type },
    Expires: UPLOAD_SECONDS,
  });
  const media_url = `s3://${uploadsBucket}/${key}`;
  return json(201, { upload_url: url, fields, media_url, max_bytes: maxBytes[kind], expires_at });
}

function kindOf(contentType: string): keyof typeof maxBytes {
  return contentType.slice(0, contentType.indexOf('/')) as keyof typeof maxBytes;
}

/** @throws ProblemError 400 */
function read(body: unknown): { content_type: string } {
  const { values, issues } = isJsonObject(body) ? readFields(body, uploadFields, '', 'strict') : noObject;
  const { content_type } = values;
  const errors = [...issues, ...tooLarge(values)];
  if (errors.length > 0 || content_type === undefined) {
    throw issuesProblem('invalid_request', 'The upload request is invalid.', errors);
  }
  return { content_type: content_type in aliases ? aliases[content_type as Alias] : content_type };
}

function tooLarge({ content_type, bytes = 0 }: FieldsOf<typeof uploadFields>): Issue[] {
  const limit = content_type && maxBytes[kindOf(content_type)];
  if (!limit || bytes <= limit) return [];
  const message = `A file of this type may have at most ${limit} bytes. Make it smaller.`;
  return [{ pointer: '/bytes', code: 'out_of_range', message }];
}

const noObject = {
  values: {} as FieldsOf<typeof uploadFields>,
  issues: [{ pointer: '', code: 'wrong_type', message: 'Give a JSON object with "content_type".' }],
};
