import type { RotatedImages } from '../media/image.ts';
import type { Issue, Warning } from '../shared/issues.ts';
import { invalidRequest, ProblemError } from '../shared/problem.ts';
import type { Deployment } from '../wan/prices.ts';
import { checkRequest, type VideoRequest } from '../wan/validation/request.ts';
import { type CheckedMedia, isBelow } from '../wan/validation/urls.ts';
import { type DerivedFiles, uploadPrefix } from './uploads.ts';

interface BodyRules {
  /** `tolerant` for the DashScope routes. */
  mode: 'strict' | 'tolerant';
  trustedOrigins: readonly string[];
  uploadsBucket: string;
  /** Whose uploads the request may name. */
  owner: string;
  /** A further allowed prefix of `s3://` URLs besides the owner's uploads. @default none */
  s3Prefix?: string | undefined;
  /** Files of the video that the request is derived from, by URL. @default none */
  files?: DerivedFiles | undefined;
  deployment: Deployment;
  /** @default `accept` */
  rotatedImages?: RotatedImages | undefined;
  /** @default false */
  loopbackWebhooks?: boolean | undefined;
}

/** A valid request with the model's defaults filled in, and its media with their inline files. */
export interface CheckedBody {
  request: VideoRequest;
  warnings: Warning[];
  media: CheckedMedia[];
}

/**
 * Checks everything that the body alone shows, including inline files. Uploads are inspected when a video is created.
 * @throws ProblemError 400 with all issues, 413 for a large inline file
 */
export function checkBody(
  body: unknown,
  {
    mode,
    trustedOrigins,
    uploadsBucket,
    owner,
    s3Prefix,
    files,
    rotatedImages,
    loopbackWebhooks,
    deployment,
  }: BodyRules,
): CheckedBody {
  const prefixes = [uploadPrefix(uploadsBucket, owner), ...(s3Prefix === undefined ? [] : [s3Prefix])];
  const checked = checkRequest(body, {
    mode,
    trustedOrigins,
    maxInlineBytes: MAX_INLINE_BYTES,
    rotatedImages,
    loopbackWebhooks,
    ownsS3Url: (url) => files?.has(url) || prefixes.some((prefix) => isBelow(prefix, url)),
    deployment,
  });
  if (!checked.ok) throw bodyProblem(checked.issues);
  return checked;
}

function bodyProblem(issues: readonly Issue[]): ProblemError {
  const tooLarge = issues.find(({ code }) => code === 'image_too_large' || code === 'audio_too_large');
  if (!tooLarge) return invalidRequest(issues);
  const { code } = tooLarge;
  const { detail } = invalidRequest(issues).members;
  return new ProblemError(413, {
    code,
    title: 'The file is too large to be sent inline.',
    detail,
    errors: issues,
  });
}

/** Bytes of an inline file: a Lambda event carries 6 MB, and base64 takes a third more than the bytes. */
export const MAX_INLINE_BYTES = 4 * 1024 * 1024;
