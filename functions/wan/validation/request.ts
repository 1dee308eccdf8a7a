import { maxImageBytes, type RotatedImages } from '../../media/image.ts';
import { type Issue, maxIssues, type Warning } from '../../shared/issues.ts';
import { isJsonObject } from '../../shared/json-body.ts';
import { type Model, type ModelName, type Resolution, type ratios, resolveAlias } from '../catalogue.ts';
import { type Row, rowOf } from '../changes.ts';
import { checkMediaTypes, type MediaItem, mediaListOf, shorthandNames } from '../media.ts';
import { type Deployment, missingSettings, offeredModels, retirement } from '../prices.ts';
import { type RequestBody, readBody } from './body.ts';
import { applyModelRules, applyWatermarkRule, checkLengths, checkPromptLengths, withDefaults } from './rules.ts';
import { type CheckedMedia, checkAddresses, rawBase64ToDataUrl } from './urls.ts';
import { checkWebhook, type RequestedWebhook } from './webhook.ts';

/** A valid request, with the model's defaults filled in. */
export type VideoRequest = {
  model: string;
  /** The model whose rules apply, for one that the deployment added to the catalogue. */
  family?: ModelName;
  input: {
    prompt?: string;
    negative_prompt?: string;
    template?: string;
    /** In the order of types. Each URL is http(s) in its normal form, `data:`, or `s3://` where allowed. */
    media: MediaItem[];
  };
  parameters: {
    resolution: Resolution;
    /** Seconds; -1 for a length that the model chooses. */
    duration: number;
    prompt_extend?: boolean;
    watermark: boolean;
    shot_type?: 'single' | 'multi';
    ratio?: (typeof ratios)[number];
    seed?: number;
    audio?: boolean;
  };
  metadata: Record<string, string>;
  webhook?: RequestedWebhook;
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
   * Whether an `s3://` URL names a file of the caller; any other is `upload_not_found`.
   * @default the scheme `s3://` is refused
   */
  readonly ownsS3Url?: (url: string) => boolean;
  /** Bytes of an inline file; 0 accepts none. @default 10 MiB, Wan's limit for an image */
  readonly maxInlineBytes?: number;
  /** @default `accept` */
  readonly rotatedImages?: RotatedImages | undefined;
  /** Whether webhooks may go to this computer. @default false */
  readonly loopbackWebhooks?: boolean | undefined;
  /** Decides which models are offered. */
  readonly deployment: Deployment;
};

/** A request that Wan would accept and its media with their inline files, or every issue. */
type CheckedRequest =
  | { ok: true; request: VideoRequest; media: CheckedMedia[]; warnings: Warning[] }
  | { ok: false; issues: Issue[] };

/**
 * Validates the body of `POST /videos`, or of Wan's own create route, against the catalogue. Returns up to 50 issues together, never throws
 * for any JSON value, and copies only known fields to the result.
 *
 * Inspects inline files, but fetches nothing.
 *
 * @example
 * const checked = checkRequest(JSON.parse(body), { mode: 'strict', trustedOrigins: [], deployment });
 * if (!checked.ok) return problem(400, checked.issues);
 */
export function checkRequest(body: unknown, options: CheckOptions): CheckedRequest {
  if (!isJsonObject(body)) {
    const message = 'Give a JSON object with "model" and "input".';
    return { ok: false, issues: [{ pointer: '', code: 'wrong_type', message }] };
  }
  const { input, parameters, metadata, ...read } = readBody(body, options.mode);
  if (options.mode === 'tolerant') acceptLegacyForms(input);
  const name = options.mode === 'tolerant' && typeof read.model === 'string' ? resolveAlias(read.model) : read.model;
  // The rules of a model that is not offered apply too, so that all issues are reported together.
  const model = rowOf(name, options.deployment.changes);
  const rules = model ? applyModelRules(model, input, parameters, options.mode) : noFindings;
  const watermark = applyWatermarkRule(options, parameters);
  const lengths = checkPromptLengths(model, input);
  const media = mediaListOf(input);
  const addresses = checkAddresses(media, {
    trustedOrigins: options.trustedOrigins,
    ownsS3Url: options.ownsS3Url,
    maxInlineBytes: options.maxInlineBytes ?? maxImageBytes,
    model,
    rotatedImages: options.rotatedImages,
  });
  const { webhook, ...found } = checkWebhook(read.webhook, options.loopbackWebhooks ?? false);
  // An invalid URL counts as missing, and is reported already.
  const webhookIssues = read.issues.some(({ pointer }) => pointer === '/webhook_url') ? [] : found.issues;
  const isWebhookIgnored = options.mode === 'tolerant' && read.webhook.webhook_url === undefined;
  const measured = addresses.media.map(({ inline, ...item }) => ({ ...item, ...inline?.facts }));
  const issues = [
    ...modelIssues(read.model, model, options.deployment),
    // Media that cannot be read have an issue of their own, and may be the missing ones.
    ...(read.issues.some(isOfMedia) ? [] : mediaIssues(model, media, input.prompt)),
    ...read.issues,
    ...rules.issues,
    ...watermark.issues,
    ...lengths.issues,
    ...addresses.issues,
    ...(isWebhookIgnored ? [] : webhookIssues),
  ];
  // Lengths that are not accepted by themselves are not added up.
  const isMeasurable = model && rules.issues.length === 0 && addresses.issues.length === 0;
  if (isMeasurable) issues.push(...checkLengths(model, parameters.duration ?? model.durations.default, measured));
  if (issues.length > 0 || !model) return { ok: false, issues: issues.slice(0, maxIssues) };
  const { img_url: _image, last_frame_url: _last, audio_url: _audio, ...prompts } = input;
  return {
    ok: true,
    request: {
      model: model.name,
      ...(model.family === model.name ? {} : { family: model.family }),
      input: { ...prompts, media: addresses.media.map(({ type, url }) => ({ type, url })) },
      parameters: withDefaults(model, parameters),
      metadata,
      ...(webhook ? { webhook } : {}),
    },
    media: addresses.media,
    warnings: [
      ...retirementWarnings(model, options.deployment),
      ...read.warnings,
      ...rules.warnings,
      ...watermark.warnings,
      ...lengths.warnings,
      ...addresses.warnings,
      ...(isWebhookIgnored ? webhookIssues : []),
    ].slice(0, maxIssues),
  };
}

const noFindings = { issues: [], warnings: [] };

const isOfMedia = ({ pointer }: Issue): boolean =>
  /^\/input(\/(media|img_url|last_frame_url|audio_url)(\/|$)|$)/.test(pointer);

/** Of an unknown model it is only certain that it needs an input. */
function mediaIssues(
  model: Model | undefined,
  media: ReturnType<typeof mediaListOf>,
  prompt: string | undefined,
): Issue[] {
  if (model) return checkMediaTypes(model, media, prompt !== undefined);
  if (media.length > 0) return [];
  return [{ pointer: '/input/img_url', code: 'missing', message: 'Give the first frame as "img_url" or in "media".' }];
}

/** A client of Wan's protocol sends files without the `data:` prefix. */
function acceptLegacyForms(input: RequestBody['input']): void {
  for (const name of shorthandNames) {
    const text = input[name];
    if (text !== undefined) input[name] = rawBase64ToDataUrl(text) ?? text;
  }
  for (const item of input.media ?? []) item.url = rawBase64ToDataUrl(item.url) ?? item.url;
}

function modelIssues(name: unknown, model: Row | undefined, deployment: Deployment): Issue[] {
  const offered = offeredModels(deployment)
    .map((row) => row.name)
    .join(', ');
  if (!model) {
    const code = name === undefined ? 'missing' : typeof name === 'string' ? 'unknown_model' : 'wrong_type';
    return [{ pointer: '/model', code, message: `Give the name of an offered model: ${offered}.` }];
  }
  if (retirement(model, deployment) === 'retired') {
    const successor = model.replaced_by ? `Use ${model.replaced_by}` : `Use one of ${offered}`;
    const message = `Wan has retired ${model.name} on ${model.retires_at}. ${successor}.`;
    return [{ pointer: '/model', code: 'model_retired', message }];
  }
  const missing = missingSettings(model, deployment);
  if (missing.length === 0) return [];
  const message = `This deployment does not offer ${model.name}. ${missing.join(' ')} Offered are ${offered}.`;
  return [{ pointer: '/model', code: 'model_not_offered', message }];
}

function retirementWarnings(model: Row, deployment: Deployment): Warning[] {
  if (retirement(model, deployment) !== 'soon') return [];
  const successor = model.replaced_by ? ` Use ${model.replaced_by} from then on.` : '';
  const message = `Wan retires ${model.name} on ${model.retires_at}.${successor}`;
  return [{ pointer: '/model', code: 'model_retires_soon', message }];
}
