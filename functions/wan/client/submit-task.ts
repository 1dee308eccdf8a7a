import { omitUndefined } from '../../shared/json-body.ts';
import { rulesOf } from '../catalogue.ts';
import type { MediaType } from '../media.ts';
import type { VideoRequest } from '../validation/request.ts';
import type { Connection } from './connection.ts';
import {
  type AccountRefused,
  type RequestRefused,
  rejectionOf,
  type Throttled,
  type Unavailable,
  unavailable,
} from './rejections.ts';
import { createResponse } from './response-schemas.ts';

export type CreateOutcome =
  | { outcome: 'created'; task_id: string; task_status: string; request_id?: string }
  | RequestRefused
  | Throttled
  | Unavailable
  | AccountRefused
  /** The task may exist and may be billed. Never send the request again without searching for it first. */
  | { outcome: 'unknown'; cause: string; retryable: false };

/**
 * Creates a task. Sends the request exactly once. Every outcome but `created` and `unknown` proves that no task exists.
 */
export async function createTask(
  connection: Connection,
  request: TaskRequest,
  signal?: AbortSignal,
): Promise<CreateOutcome> {
  const usesWansUpload = request.input.media.some(({ url }) => url.startsWith('oss://'));
  const sent = await connection({
    method: 'POST',
    path: '/services/aigc/video-generation/video-synthesis',
    headers: {
      'content-type': 'application/json',
      'x-dashscope-async': 'enable',
      ...(usesWansUpload ? { 'x-dashscope-ossresourceresolve': 'enable' } : {}),
    },
    body: JSON.stringify(toWire(request)),
    kind: 'submit',
    signal,
  });
  if ('outcome' in sent) return sent;
  if (sent.kind === 'not_sent') return unavailable(sent.cause);
  if (sent.kind === 'lost') return unknown(sent.cause);
  const refusal = rejectionOf(sent, [request.input.prompt, request.input.negative_prompt]);
  if (refusal) return refusal;
  if (sent.status < 200 || sent.status >= 300) return unknown(`http_${sent.status}`);
  const parsed = createResponse.safeParse(sent.body);
  if (!parsed.success) return unknown('response_malformed');
  const { output, request_id } = parsed.data;
  return {
    outcome: 'created',
    task_id: output.task_id,
    task_status: output.task_status ?? 'PENDING',
    ...(request_id ? { request_id } : {}),
  };
}

function unknown(cause: string): CreateOutcome {
  return { outcome: 'unknown', cause, retryable: false };
}

/** The input of a task. Wan must be able to read the URLs of its media: http(s), `data:` or `oss://`. */
export type TaskRequest = Pick<VideoRequest, 'model' | 'family' | 'input' | 'parameters'>;

/** The body of Wan's create route, with only the fields that its model has. */
export function toWire({ model: name, family, input, parameters }: TaskRequest): Record<string, unknown> {
  const model = rulesOf({ model: name, family });
  const { prompt, negative_prompt, template, media } = input;
  const { resolution, duration, prompt_extend, shot_type, watermark, seed, audio, ratio } = parameters;
  const fixed = model.durations.kind === 'set' && model.durations.values.length === 1;
  const urlOf = (wanted: MediaType) => media.find(({ type }) => type === wanted)?.url;
  return {
    model: name,
    input: omitUndefined({
      prompt,
      negative_prompt,
      template,
      ...(model.wire_format === 'media'
        ? { media: media.length > 0 ? media.map(({ type, url }) => ({ type, url })) : undefined }
        : { img_url: urlOf('first_frame'), audio_url: urlOf('driving_audio') }),
    }),
    parameters: omitUndefined({
      resolution,
      // A duration that "cannot be modified" is not sent at all.
      duration: fixed ? undefined : duration,
      ratio,
      prompt_extend,
      shot_type,
      watermark,
      seed,
      audio,
    }),
  };
}
