import { randomInt, randomUUID } from 'node:crypto';
import { checkAudio, maximumAudioBytes } from './audio.ts';
import { type Directives, readDirectives } from './directives.ts';
import { apiError, type Checked } from './errors.ts';
import type { TaskFinisher } from './finish-tasks.ts';
import { errorResponse, json, type WanRequest, type WanResponse } from './http.ts';
import { checkImage } from './image.ts';
import type { Limits } from './limits.ts';
import { loadMedia, type MediaSource } from './media.ts';
import { defaultDuration, type Model, maximumSeed, negativePromptCharacters } from './models.ts';
import { rewrite, truncate } from './prompt.ts';
import { type CheckedBody, checkBody, type MediaFields, promptOf, readBody } from './request.ts';
import type { Store } from './store.ts';
import type { Task } from './task.ts';
import type { Uploads } from './uploads.ts';

export interface SubmitServices {
  readonly store: Store;
  readonly uploads: Uploads;
  readonly finisher: Pick<TaskFinisher, 'renderAhead'>;
  readonly limits: Limits;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly taskSeconds: number;
}

type Inputs = Pick<Task, 'image' | 'audio'>;

/**
 * `POST …/video-synthesis`: checks the request, fetches and checks its image and audio, and stores the task before it
 * responds with the id.
 */
export function createSubmit(services: SubmitServices): (request: WanRequest, account: string) => Promise<WanResponse> {
  const directedErrorCounts = new Map<string, number>();

  function directedError(directives: Directives, account: string, prompt: string): WanResponse | undefined {
    if (!directives.http) return undefined;
    const { status, code, times = Number.POSITIVE_INFINITY } = directives.http;
    const earlier = directedErrorCounts.get(`${account} ${prompt}`) ?? 0;
    if (earlier >= times) return undefined;
    directedErrorCounts.set(`${account} ${prompt}`, earlier + 1);
    return errorResponse({ ...apiError(code), status });
  }

  return async (request, account) => {
    if (request.headers['x-dashscope-async'] !== 'enable') return errorResponse(apiError('AccessDenied'));
    const read = readBody(request.headers['content-type'], request.body);
    if ('error' in read) return errorResponse(read.error);
    const { body, model } = read.value;
    if (!services.limits.tryAcquire(`submit ${account} ${model.name}`, model.submitsPerSecond)) {
      return errorResponse(apiError('Throttling.RateQuota'));
    }
    const directives = readDirectives(promptOf(body));
    if ('error' in directives) return errorResponse(directives.error);
    const directed = directedError(directives.value, account, promptOf(body));
    if (directed) return directed;
    const checked = checkBody(body, model);
    if ('error' in checked) return errorResponse(checked.error);
    const inputs = await storeInputs(checked.value.media, model, services.store, {
      fetch: services.fetch,
      uploads: services.uploads,
      account,
      model: model.name,
      resolveUploads: request.headers['x-dashscope-ossresourceresolve'] === 'enable',
    });
    if ('error' in inputs) return errorResponse(inputs.error);

    const task = createTask(checked.value, model, inputs.value, directives.value, account, services);
    await services.store.save(task);
    services.finisher.renderAhead(task);
    if (task.directives.reset) return { kind: 'reset' };
    return json(200, { output: { task_status: 'PENDING', task_id: task.task_id }, request_id: task.request_id });
  };
}

async function storeInputs(
  media: MediaFields,
  model: Model,
  store: Store,
  source: MediaSource,
): Promise<Checked<Inputs>> {
  const image = await loadImage(media.img_url, model, source);
  if ('error' in image) return image;
  if (media.last_frame !== undefined) {
    const lastFrame = await loadImage(media.last_frame, model, source);
    if ('error' in lastFrame) return lastFrame;
  }
  const { bytes, ...header } = image.value;
  const file = await store.storeInput(bytes, header.format);
  if (media.audio_url === undefined) return { value: { image: { file, ...header } } };
  const loaded = await loadMedia(media.audio_url, 'audio', maximumAudioBytes, source);
  if ('error' in loaded) return loaded;
  const audio = checkAudio(loaded.value.bytes);
  if ('error' in audio) return audio;
  const audioFile = await store.storeInput(loaded.value.bytes, audio.value.format);
  return { value: { image: { file, ...header }, audio: { file: audioFile } } };
}

async function loadImage(url: string, model: Model, source: MediaSource) {
  const loaded = await loadMedia(url, 'image', model.image.maximumBytes, source);
  if ('error' in loaded) return loaded;
  const checked = checkImage(loaded.value.bytes, model, loaded.value.declaredType);
  return 'error' in checked ? checked : { value: { ...checked.value, bytes: loaded.value.bytes } };
}

function createTask(
  { input, parameters }: CheckedBody,
  model: Model,
  inputs: Inputs,
  directives: Directives,
  account: string,
  services: Pick<SubmitServices, 'now' | 'taskSeconds'>,
): Task {
  const prompt = truncate(input.prompt ?? '', model.promptCharacters);
  const isEffect = input.template !== undefined;
  const extended = parameters.prompt_extend ?? true;
  return {
    task_id: randomUUID(),
    request_id: randomUUID(),
    account,
    model: model.name,
    submitted_at: services.now(),
    orig_prompt: isEffect ? '' : (input.prompt ?? ''),
    ...(isEffect ? { actual_prompt: '' } : extended && model.actualPrompt && { actual_prompt: rewrite(prompt) }),
    negative_prompt: truncate(input.negative_prompt ?? '', negativePromptCharacters),
    resolution: parameters.resolution ?? model.defaultTier,
    duration: parameters.duration ?? defaultDuration,
    multi_shot: extended && parameters.shot_type === 'multi',
    watermark: parameters.watermark ?? false,
    has_audio: model.audio && (!model.audioSwitch || (parameters.audio ?? true)),
    seed: parameters.seed ?? randomInt(maximumSeed + 1),
    ...inputs,
    directives,
    ...taskTiming(directives, services.taskSeconds),
    downloads_cut: 0,
  };
}

/** A task is PENDING for a tenth of its time, at most a second, so that each status can be observed. */
function taskTiming(directives: Directives, taskSeconds: number): Pick<Task, 'pending_seconds' | 'run_seconds'> {
  const isDirected = directives.pending !== undefined || directives.seconds !== undefined;
  const queued = isDirected ? 0 : Math.min(1, taskSeconds / 10);
  return {
    pending_seconds: directives.pending ?? queued,
    run_seconds: directives.seconds ?? taskSeconds - queued,
  };
}
