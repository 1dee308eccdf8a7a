import { maxImageBytes } from '../../media/data-url.ts';
import { type Issue, maxIssues, type Warning } from '../../shared/issues.ts';
import { findModel, isModelName, type ModelName, offeredModelNames, type Resolution } from '../catalogue.ts';
import { isJsonObject, type RequestBody, readBody } from './body.ts';
import { applyModelRules, checkPromptLengths, withDefaults } from './rules.ts';
import { checkAddresses, rawBase64ToDataUrl, type S3Prefixes } from './urls.ts';

/** A request that Wan would take, with the model's defaults filled in. */
export type VideoRequest = {
  model: ModelName;
  input: {
    prompt?: string;
    negative_prompt?: string;
    /** http(s) in its normal form, `data:`, or `s3://` where allowed. */
    img_url: string;
    /** http(s) in its normal form, or `s3://` where allowed. */
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
   * `strict` refuses what Wan would ignore; `tolerant`, for callers that speak
   * Wan's own protocol, drops it with a warning, takes null for a field left
   * out, and raw base64 for a picture.
   */
  readonly mode: 'strict' | 'tolerant';
  /** Private origins that may be used, such as `http://127.0.0.1:4401`. */
  readonly trustedOrigins: readonly string[];
  /**
   * By field, the beginning of the `s3://` URLs that may stand there, such as `s3://uploads/uploads/alice/`: any other is
   * `upload_not_found`. @default none: `s3://` is no scheme that is taken
   */
  readonly s3Prefixes?: S3Prefixes;
  /** Bytes that an inline picture may have. @default 10 MiB, Wan's own limit */
  readonly maxInlineImageBytes?: number;
  /** @default the models of the reference, without previews */
  readonly offeredModels?: readonly ModelName[];
};

type CheckedRequest = { ok: true; request: VideoRequest; warnings: Warning[] } | { ok: false; issues: Issue[] };

/**
 * Checks the body of `POST /videos`, or of Wan's own submit, against the
 * catalogue. Names every issue at once (the first 50), never throws for
 * anything that JSON can hold, and copies the fields it knows: nothing else of
 * the body lives on in the result.
 *
 * The files behind `img_url` and `audio_url` aren't looked at: see `inspectImage` and `inspectAudio`.
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
    maxInlineBytes: Math.min(options.maxInlineImageBytes ?? maxImageBytes, model?.image.max_bytes ?? maxImageBytes),
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
    warnings: [...read.warnings, ...rules.warnings, ...lengths.warnings].slice(0, maxIssues),
  };
}

const noFindings = { issues: [], warnings: [] };

/** What clients of Wan's own protocol send: an empty audio_url for none, and a picture without its `data:` prefix. */
function acceptLegacyForms(input: RequestBody['input']): void {
  if (input.audio_url === '') delete input.audio_url;
  if (input.img_url !== undefined) input.img_url = rawBase64ToDataUrl(input.img_url) ?? input.img_url;
}

function modelIssue(name: unknown, offered: readonly ModelName[]): Issue {
  const code = name === undefined ? 'missing' : typeof name === 'string' ? 'unknown_model' : 'wrong_type';
  return { pointer: '/model', code, message: `Name a model that is offered here: ${offered.join(', ')}.` };
}
