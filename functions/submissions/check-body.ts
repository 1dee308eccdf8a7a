import { decodeDataUrl } from '../media/data-url.ts';
import { inspectImage } from '../media/image.ts';
import type { Issue, Warning } from '../shared/issues.ts';
import { invalidRequest, ProblemError } from '../shared/problem.ts';
import { findModel } from '../wan/catalogue.ts';
import { isJsonObject } from '../wan/validation/body.ts';
import { checkRequest, type VideoRequest } from '../wan/validation/request.ts';
import type { S3Prefixes } from '../wan/validation/urls.ts';
import { uploadPrefix } from './uploads.ts';

interface BodyRules {
  /** `tolerant` for the DashScope routes. */
  mode: 'strict' | 'tolerant';
  trustedOrigins: readonly string[];
  uploadsBucket: string;
  /** Whose uploads the request may name. */
  owner: string;
  /** Further allowed `s3://` prefixes besides the owner's uploads, by field. @default none */
  s3Prefixes?: S3Prefixes | undefined;
}

/** A request that was understood, with the model's defaults filled in, and its picture if that came inline. */
export interface CheckedBody {
  request: VideoRequest;
  warnings: Warning[];
  image: InlineImage | undefined;
}

/**
 * The request that a body stands for. Everything that can be told from the body alone is checked, an inline picture included;
 * uploads are taken by their URL and are looked at by whoever makes a video of them.
 * @throws ProblemError 400 with all issues at once, 413 for a large inline picture
 */
export function checkBody(
  body: unknown,
  { mode, trustedOrigins, uploadsBucket, owner, s3Prefixes }: BodyRules,
): CheckedBody {
  const prefix = uploadPrefix(uploadsBucket, owner);
  const checked = checkRequest(body, {
    mode,
    trustedOrigins,
    maxInlineImageBytes: MAX_INLINE_IMAGE_BYTES,
    s3Prefixes: { img_url: prefix, audio_url: prefix, ...s3Prefixes },
  });
  const unoffered = isJsonObject(body) && Object.hasOwn(body, 'webhook_url') ? [webhooksAreNotOffered] : [];
  const issues = [...(checked.ok ? [] : checked.issues), ...(mode === 'strict' ? unoffered : [])];
  if (!checked.ok || issues.length > 0) throw bodyProblem(issues);
  const image = readInlineImage(checked.request);
  if (Array.isArray(image)) throw bodyProblem(image);
  return { request: checked.request, warnings: [...checked.warnings, ...unoffered], image };
}

/** The problem that a body's issues are: an inline picture's size is one of its own, since there is another way for it. */
function bodyProblem(issues: readonly Issue[]): ProblemError {
  const tooLarge = issues.find(({ code }) => code === 'image_too_large');
  if (!tooLarge) return invalidRequest(issues);
  const { code, message } = tooLarge;
  const detail = `${message} POST /uploads takes larger ones: its "media_url" goes into img_url.`;
  return new ProblemError(413, { code, title: 'The picture is too large to be sent inline.', detail, errors: issues });
}

const webhooksAreNotOffered: Issue = {
  pointer: '/webhook_url',
  code: 'not_offered',
  message: 'Webhooks are not offered yet. Leave it out, and poll GET /videos/{id}.',
};

/** An inline picture's limit: a Lambda event carries 6 MB, and base64 takes a third more than the bytes. */
export const MAX_INLINE_IMAGE_BYTES = 4 * 1024 * 1024;

/** A picture that came as a `data:` URL, and was found to be one that its model takes. */
export interface InlineImage {
  bytes: Uint8Array;
  content_type: string;
  /** Pixels. */
  width: number;
  height: number;
}

/**
 * Decodes and inspects a request's `data:` picture.
 * @returns the picture, undefined for a URL that Wan fetches itself, or what is wrong
 */
function readInlineImage({ model, input }: VideoRequest): InlineImage | undefined | Issue[] {
  if (!input.img_url.startsWith('data:')) return undefined;
  const located = (problems: readonly { code: string; message: string }[]) =>
    problems.map((problem) => ({ pointer: '/input/img_url', ...problem }));
  const decoded = decodeDataUrl(input.img_url, MAX_INLINE_IMAGE_BYTES);
  if (!decoded.ok) return located(decoded.issues);
  const { bytes } = decoded;
  const inspected = inspectImage(bytes, bytes.byteLength, findModel(model).image);
  if (!inspected.ok) return located(inspected.issues);
  const { content_type, width, height } = inspected;
  return { bytes, content_type, width, height };
}
