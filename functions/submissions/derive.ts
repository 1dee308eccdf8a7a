import { type Issue, pointerTo, type Warning } from '../shared/issues.ts';
import { invalidRequest, ProblemError } from '../shared/problem.ts';
import { isFileExpired, type VideoRecord } from '../video/record.ts';
import type { Model } from '../wan/catalogue.ts';
import { type CatalogueChanges, rowOf } from '../wan/changes.ts';
import { checkMediaTypes, mediaListOf } from '../wan/media.ts';
import { describeDurations, longestDuration, takesDuration } from '../wan/output.ts';
import { type Deployment, offeredModels } from '../wan/prices.ts';
import { maxSeed } from '../wan/validation/schema.ts';
import { uploadNotFound } from '../wan/validation/urls.ts';
import type { Extension, Variation } from './derive-body.ts';
import type { DerivedRequest } from './uploads.ts';

/** What a derivation depends on besides its source. */
export interface DeriveRules {
  deployment: Deployment;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Returns the request for a video that continues an archived one. Reads nothing: the length of the source is in its record.
 * @throws ProblemError 400 with all issues, 409 for a source without a file, 410 for one whose file has expired
 */
export function extensionOf(source: VideoRecord, wanted: Extension, { deployment, now }: DeriveRules): DerivedRequest {
  const { id, video, input, metadata } = source;
  if (source.status !== 'succeeded' || !video) throw sourceHasNoVideo(source);
  if (isFileExpired(source, now)) throw sourceGone();
  const { prompt, seconds_to_add, model: name = source.model } = wanted;
  const url = `s3://${video.bucket}/${video.key}`;
  const named = rowOf(name, deployment.changes);
  const seconds = Math.round(video.duration_seconds);
  const duration = seconds + seconds_to_add;
  const issues = named ? extensionIssues(named, video.duration_seconds, duration, { input, deployment }) : [];
  if (issues.length > 0) throw invalidRequest(issues);
  const { resolution, watermark, prompt_extend } = inheritedParameters(source, named);
  const inherited = {
    ...(resolution && named?.resolutions.includes(resolution) ? { resolution } : {}),
    ...(watermark === undefined ? {} : { watermark }),
    ...(prompt_extend === undefined ? {} : { prompt_extend }),
  };
  return {
    derived_from: id,
    body: {
      model: name,
      input: { prompt, media: [{ type: 'first_clip', url }] },
      parameters: { ...inherited, ...wanted.parameters, duration },
      metadata,
      ...webhookOf(wanted),
    },
    files: new Map([[url, video]]),
    warnings: [sourceIsBilledAgain(seconds, seconds_to_add)],
  };
}

/** The webhook of the source was for the source: another request names its own. */
const webhookOf = ({ webhook_url, webhook_events }: Extension | Variation) => ({
  ...(webhook_url === undefined ? {} : { webhook_url }),
  ...(webhook_events === undefined ? {} : { webhook_events }),
});

const sourceIsBilledAgain = (seconds: number, added: number): Warning => ({
  pointer: '/seconds_to_add',
  code: 'source_billed_again',
  message: `Wan bills the whole continuation, ${seconds + added} s: the ${seconds} s of its source again, and the ${added} s that are added.`,
});

/** Why a model cannot continue a source: each issue names the variations that are possible. */
function extensionIssues(
  model: Model & { name: string },
  seconds: number,
  duration: number,
  { input, deployment }: { input: VideoRecord['input']; deployment: Deployment },
): Issue[] {
  const instead = possibleVariations(input, deployment);
  const { video_input } = model;
  if (!continuesClips(model) || !video_input) {
    const others = offeredModels(deployment).filter(continuesClips);
    const message = `${model.name} cannot continue a video. ${others.length > 0 ? `Give ${others.map(({ name }) => name).join(' or ')} as "model".` : 'No model of this deployment can.'} ${instead}`;
    return [{ pointer: '/model', code: 'cannot_continue', message }];
  }
  const { min_seconds, max_seconds } = video_input;
  if (seconds < min_seconds || seconds > max_seconds + PADDING_SECONDS) {
    const message = `The source lasts ${seconds} s; ${model.name} continues videos of ${min_seconds} to ${max_seconds} s. ${instead}`;
    return [{ pointer: '', code: 'video_duration', message }];
  }
  if (takesDuration(model.durations, duration)) return [];
  const most = longestDuration(model.durations) - Math.round(seconds);
  const rule = `${model.name} offers ${describeDurations(model.durations)} s, the source included`;
  const message = `Source and continuation would last ${duration} s; ${rule}. ${most > 0 ? `Add at most ${most} s.` : instead}`;
  return [{ pointer: '/seconds_to_add', code: 'unsupported_duration', message }];
}

/** Encoders pad a file, so that it is a little longer than requested. */
const PADDING_SECONDS = 0.3;

const continuesClips = ({ media }: Model): boolean =>
  media.combinations.some(({ required }) => required.length === 1 && required[0] === 'first_clip');

/** Describes the variations that a video can have: with every model that takes its inputs. */
export function possibleVariations(input: VideoRecord['input'], deployment: Deployment): string {
  const media = mediaListOf({ media: input.media });
  const names = offeredModels(deployment)
    .filter((row) => checkMediaTypes(row, media, input.prompt !== undefined).length === 0)
    .map(({ name }) => name);
  return names.length > 0
    ? `A variation of its inputs is possible: POST /videos/{id}/variations, with the model ${names.join(' or ')}.`
    : 'No model of this deployment takes its inputs, so no variation is possible either.';
}

/**
 * Returns the request for a video of the same inputs with other settings. Settings of the source that another model does not take are
 * left out with a warning.
 * @param index of the video among the variations of one request
 * @param changes what the deployment changes in the catalogue of models
 * @throws ProblemError 409 for a source whose request is incomplete
 */
export function variationOf(
  source: VideoRecord,
  wanted: Variation,
  index = 0,
  changes: CatalogueChanges = {},
): DerivedRequest {
  const { id, input, metadata } = source;
  const isStored = input.media.every(({ url, file }) => file || !url.startsWith('s3://'));
  if (!isStored || source.parameters.duration === undefined) throw sourceIncomplete();
  const name = wanted.model ?? source.model;
  const named = rowOf(name, changes) ?? (name === source.model ? rowOf(source.family) : undefined);
  const { prompt = input.prompt, resolution, seed } = wanted;
  const template = wanted.prompt === undefined ? input.template : undefined;
  const { negative_prompt } = input;
  const takesNegative = named?.negative_prompt_limit !== 0;
  const given: Record<string, unknown> = {
    ...(resolution === undefined ? {} : { resolution }),
    ...(seed === undefined ? {} : { seed }),
    ...wanted.parameters,
  };
  const inherited = inheritedParameters(source, named);
  // It has an effect only on a rewritten prompt, which this request turns off.
  if (given.prompt_extend === false) delete inherited.shot_type;
  const parameters: Record<string, unknown> = { ...inherited, ...given };
  const first = parameters.seed;
  if (typeof first === 'number' && index > 0) parameters.seed = (first + index) % (maxSeed + 1);
  const lost = Object.entries(source.parameters).filter(
    ([each, value]) => !(each in parameters) && defaults[each] !== value,
  );
  return {
    derived_from: id,
    body: {
      model: name,
      input: {
        ...(prompt === undefined || template !== undefined ? {} : { prompt }),
        ...(template === undefined ? {} : { template }),
        ...(negative_prompt !== undefined && takesNegative ? { negative_prompt } : {}),
        media: input.media.map(({ type, url }) => ({ type, url })),
      },
      parameters,
      metadata,
      ...webhookOf(wanted),
    },
    files: new Map(input.media.flatMap(({ url, file }) => (file ? [[url, file]] : []))),
    warnings: [
      ...lost.map(([each]) => notInherited(pointerTo('/parameters', each), name)),
      ...(negative_prompt !== undefined && !takesNegative ? [notInherited('/input/negative_prompt', name)] : []),
    ],
  };
}

/** Leaving one of these out changes nothing. */
const defaults: Readonly<Record<string, unknown>> = {
  shot_type: 'single',
  prompt_extend: true,
  audio: true,
  ratio: 'adaptive',
};

const notInherited = (pointer: string, model: string): Warning => ({
  pointer,
  code: 'not_inherited',
  message: `${model} does not take this setting of the source, so it was left out.`,
});

/** The parameters of a video that a model takes. Resolution and duration stay, so that another one is chosen and priced explicitly. */
function inheritedParameters({ parameters }: VideoRecord, model: Model | undefined): VideoRecord['parameters'] {
  const { shot_type, prompt_extend, ratio, audio, ...common } = parameters;
  if (!model) return parameters;
  return {
    ...common,
    ...(shot_type !== undefined && model.shot_type ? { shot_type } : {}),
    ...(prompt_extend !== undefined && model.prompt_extend ? { prompt_extend } : {}),
    ...(ratio !== undefined && model.ratio ? { ratio } : {}),
    ...(audio !== undefined && model.audio_switch ? { audio } : {}),
  };
}

/**
 * Returns an error about a derived request in terms of the body that the caller sent.
 * @param instead which variation is possible, for inputs that the model does not take
 */
export function explainDerived(error: unknown, wanted: Extension | Variation, instead: string): unknown {
  if (!(error instanceof ProblemError) || error.status !== 400 || !error.members.errors) return error;
  const { errors } = error.members;
  if (errors.some(({ code }) => code === uploadNotFound.code)) return sourceGone();
  return invalidRequest(
    errors.map((issue) => {
      const isOfInput = /^\/input\/(?!prompt)/.test(issue.pointer);
      if (isOfInput) return { ...issue, pointer: '/model', message: `${issue.message} ${instead}`.trim() };
      return { ...issue, pointer: pointerOf(issue.pointer, wanted) };
    }),
  );
}

/** Where the body of a derived video has what a pointer of its request names. */
function pointerOf(pointer: string, wanted: Extension | Variation): string {
  if (pointer === '/input/prompt') return '/prompt';
  if (pointer === '/parameters/duration' && 'seconds_to_add' in wanted) return '/seconds_to_add';
  const [, name = ''] = /^\/parameters\/(resolution|seed)$/.exec(pointer) ?? [];
  return Object.hasOwn(wanted, name) ? `/${name}` : pointer;
}

function sourceHasNoVideo({ status, error }: VideoRecord): ProblemError {
  const detail =
    status === 'failed' || status === 'canceled'
      ? `It ${status === 'failed' ? 'failed' : 'was canceled'}${error ? `: ${error.message}` : '.'} A variation of its inputs is possible: POST /videos/{id}/variations.`
      : `Its status is ${status}. Wait for its end with GET /videos/{id}?wait=25, then send the request again.`;
  return new ProblemError(409, { code: 'source_has_no_video', title: 'There is no video to extend.', detail });
}

const sourceGone = () =>
  new ProblemError(410, {
    code: 'source_gone',
    title: 'A file of the source no longer exists.',
    detail:
      'Its retention time is over, or it was deleted from the bucket. Nothing was created. Send the file again with POST /uploads, and name its "media_url" in POST /videos.',
  });

const sourceIncomplete = () =>
  new ProblemError(409, {
    code: 'source_incomplete',
    title: 'The request of this video is incomplete, so it has no variations.',
    detail: 'Its settings were refused. Create a video with POST /videos, or drop the image again with other settings.',
  });
