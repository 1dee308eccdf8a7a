import { maxImageBytes, type RotatedImages } from '../../media/image.ts';
import { type Issue, maxIssues, type Warning } from '../../shared/issues.ts';
import { findModel, isModelName, type ModelName, offeredModelNames, type Resolution } from '../catalogue.ts';
import { isJsonObject, type RequestBody, readBody } from './body.ts';
import { applyModelRules, checkPromptLengths, withDefaults } from './rules.ts';
import { checkAddresses, type InlineMedia, rawBase64ToDataUrl, type S3Prefixes } from './urls.ts';

/** A valid request, with the model's defaults filled in. */
export type VideoRequest = {
  model: ModelName;
  input: {
    prompt?: string;
    negative_prompt?: string;
    /** http(s) in its normal form, `data:`, or `s3://` where allowed. */
    img_url: string;
    /** As `img_url`. */
    audio_url?: string;
    template?: string;
  };
  parameters: {
    resolution: Resolution;
    /** Seconds. */
    duration: number;
    prompt_extend: boolean;
    watermark: boolean;
    shot_type?: 'single' | 'multi';
    seed?: number;
    audio?: boolean;
  };
  metadata: Record<string, string>;
  webhook_url?: string;
};

export type CheckOptions = {
  /**
   * `strict` refuses what Wan would ignore. `tolerant`, for clients of Wan's own protocol, drops it with a warning, treats null as a missing
   * field, and accepts a file as raw base64.
   */
  readonly mode: 'strict' | 'tolerant';
  /** Private origins that are allowed, such as `http://127.0.0.1:4401`. */
  readonly trustedOrigins: readonly string[];
  /**
   * By field, the prefix of the allowed `s3://` URLs, such as `s3://uploads/uploads/alice/`; any other is `upload_not_found`.
   * @default none: the scheme `s3://` is refused
   */
  readonly s3Prefixes?: S3Prefixes;
  /** Bytes of an inline file; 0 accepts none. @default 10 MiB, Wan's limit for an image */
  readonly maxInlineBytes?: number;
  /** @default `accept` */
  readonly rotatedImages?: RotatedImages | undefined;
  /** @default the models of the reference, without previews */
  readonly offeredModels?: readonly ModelName[];
};

/** A request that Wan would accept and its inline files, or every issue. */
type CheckedRequest =
  | { ok: true; request: VideoRequest; inline: InlineMedia; warnings: Warning[] }
  | { ok: false; issues: Issue[] };

/**
 * Validates the body of `POST /videos`, or of Wan's own create route, against the catalogue. Returns up to 50 issues together, never throws
 * for any JSON value, and copies only known fields to the result.
 *
 * Inspects inline files, but fetches nothing.
 *
 * @example
 * const checked = checkRequest(JSON.parse(body), { mode: 'strict', trustedOrigins: [] });
 * if (!checked.ok) return problem(400, checked.issues);
 */
export function checkRequest(body: unknown, options: CheckOptions): CheckedRequest {
  if (!isJsonObject(body)) {
    const message = 'Give a JSON object with "model" and "input".';
    return { ok: false, issues: [{ pointer: '', code: 'wrong_type', message }] };
  }
  const { input, parameters, metadata, ...read } = readBody(body, options.mode);
  if (options.mode === 'tolerant') acceptLegacyForms(input);

  const offered = options.offeredModels ?? offeredModelNames;
  const model = isModelName(read.model) && offered.includes(read.model) ? findModel(read.model) : undefined;
  const rules = model ? applyModelRules(model, input, parameters, options.mode) : noFindings;
  const lengths = checkPromptLengths(model, input);
  const addresses = checkAddresses(input, read.webhook_url, {
    trustedOrigins: options.trustedOrigins,
    s3Prefixes: options.s3Prefixes ?? {},
    maxInlineBytes: options.maxInlineBytes ?? maxImageBytes,
    imageLimits: model?.image,
    rotatedImages: options.rotatedImages,
  });

  const issues = [
    ...(model ? [] : [modelIssue(read.model, offered)]),
    ...read.issues,
    ...rules.issues,
    ...lengths.issues,
    ...addresses.issues,
  ];
  if (issues.length > 0 || !model || addresses.img_url === undefined) {
    return { ok: false, issues: issues.slice(0, maxIssues) };
  }
  const { img_url, audio_url, webhook_url } = addresses;
  return {
    ok: true,
    request: {
      model: model.name,
      input: { ...input, img_url, ...(audio_url === undefined ? {} : { audio_url }) },
      parameters: withDefaults(model, parameters),
      metadata,
      ...(webhook_url === undefined ? {} : { webhook_url }),
    },
    inline: addresses.inline,
    warnings: [...read.warnings, ...rules.warnings, ...lengths.warnings, ...addresses.warnings].slice(0, maxIssues),
  };
}

const noFindings = { issues: [], warnings: [] };

/** A client of Wan's protocol sends files without the `data:` prefix. */
function acceptLegacyForms(input: RequestBody['input']): void {
  for (const field of ['img_url', 'audio_url'] as const) {
    const text = input[field];
    if (text !== undefined) input[field] = rawBase64ToDataUrl(text) ?? text;
  }
}

function modelIssue(name: unknown, offered: readonly ModelName[]): Issue {
  const code = name === undefined ? 'missing' : typeof name === 'string' ? 'unknown_model' : 'wrong_type';
  return { pointer: '/model', code, message: `Give the name of an offered model: ${offered.join(', ')}.` };
}
