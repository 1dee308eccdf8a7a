import { randomInt, randomUUID } from 'node:crypto';
import { type Directives, readDirectives } from './directives.ts';
import { apiError } from './errors.ts';
import type { TaskFinisher } from './finish-tasks.ts';
import { errorResponse, json, type WanRequest, type WanResponse } from './http.ts';
import { checkLengths, inputSeconds, storeInputs } from './inputs.ts';
import type { Limits } from './limits.ts';
import {
  defaultDuration,
  type Model,
  maximumSecondsInAndOut,
  maximumSeed,
  negativePromptCharacters,
} from './models.ts';
import { rewrite, truncate } from './prompt.ts';
import { type CheckedBody, checkBody, promptOf, readBody } from './request.ts';
import { sha256 } from './sha256.ts';
import type { Store } from './store.ts';
import type { Task, TaskMedia } from './task.ts';
import { defaultFacts, type UnsettledFacts } from './unsettled.ts';
import type { Uploads } from './uploads.ts';

export interface SubmitServices {
  readonly store: Store;
  readonly uploads: Uploads;
  readonly finisher: Pick<TaskFinisher, 'renderAhead'>;
  readonly limits: Limits;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly taskSeconds: number;
  /** @default workspace, which answers every model */
  readonly domain?: 'workspace' | 'shared';
  readonly facts?: UnsettledFacts;
}

/**
 * `POST …/video-synthesis`: checks the request, fetches and checks its files, and stores the task before it
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
    if (model.workspaceDomain && services.domain === 'shared') return errorResponse(apiError('Model.AccessDenied'));
    if (!services.limits.tryAcquire(`submit ${account} ${model.name}`, model.submitsPerSecond)) {
      return errorResponse(apiError('Throttling.RateQuota'));
    }
    const directives = readDirectives(promptOf(body));
    if ('error' in directives) return errorResponse(directives.error);
    const directed = directedError(directives.value, account, promptOf(body));
    if (directed) return directed;
    const checked = checkBody(body, model, services.facts);
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
    const lengthError = checkLengths(task.media, task.duration, model);
    if (lengthError) return errorResponse(lengthError);
    await services.store.save(task);
    services.finisher.renderAhead(task);
    if (task.directives.reset) return { kind: 'reset' };
    return json(200, { output: { task_status: 'PENDING', task_id: task.task_id }, request_id: task.request_id });
  };
}

function createTask(
  { input, parameters }: CheckedBody,
  model: Model,
  media: readonly TaskMedia[],
  directives: Directives,
  account: string,
  services: Pick<SubmitServices, 'now' | 'taskSeconds' | 'facts'>,
): Task {
  const prompt = truncate(input.prompt ?? '', model.promptCharacters);
  const isEffect = model.inputs === 'img_url' && input.template !== undefined;
  const extended = parameters.prompt_extend ?? true;
  const seed = parameters.seed ?? randomInt(maximumSeed + 1);
  const { duration = defaultDuration } = parameters;
  const ignoresAudio = model.name === 'wan2.7-i2v' && (services.facts ?? defaultFacts).wan27AliasAudio === 'ignored';
  return {
    task_id: randomUUID(),
    request_id: randomUUID(),
    account,
    model: model.name,
    submitted_at: services.now(),
    orig_prompt: isEffect ? '' : (input.prompt ?? ''),
    ...(isEffect ? { actual_prompt: '' } : extended && model.actualPrompt && { actual_prompt: rewrite(prompt) }),
    negative_prompt: model.usage === 'wan3.0' ? '' : truncate(input.negative_prompt ?? '', negativePromptCharacters),
    resolution: parameters.resolution ?? model.defaultTier,
    ...(model.ratio && { ratio: parameters.ratio ?? 'adaptive' }),
    duration: duration === -1 ? chooseSeconds(prompt, media, directives) : duration,
    multi_shot: model.shotType && extended && parameters.shot_type === 'multi',
    watermark: parameters.watermark ?? false,
    has_audio: model.audio && (!model.audioSwitch || (parameters.audio ?? true)),
    seed,
    media: ignoresAudio ? media.filter(({ type }) => type !== 'driving_audio') : media,
    directives,
    ...taskTiming(directives, services.taskSeconds),
    downloads_cut: 0,
  };
}

/** The length that the model chooses for -1: 4 to 10 s in steps of half a second by the prompt, unless directed. */
function chooseSeconds(prompt: string, media: readonly TaskMedia[], directives: Directives): number {
  const chosen = directives.length ?? 4 + (Number.parseInt(sha256(prompt).slice(0, 4), 16) % 13) / 2;
  return Math.min(chosen, Math.floor(maximumSecondsInAndOut - inputSeconds(media)));
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
