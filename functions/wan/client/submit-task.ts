import { omitUndefined } from '../../shared/json-body.ts';
import { findModel } from '../catalogue.ts';
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
  const usesWansUpload = [request.input.img_url, request.input.audio_url].some((url) => url?.startsWith('oss://'));
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

/** The input of a task. Wan must be able to read `img_url`: http(s), `data:` or `oss://`. */
export type TaskRequest = Pick<VideoRequest, 'model' | 'input' | 'parameters'>;

/** The body of Wan's create route, with only the fields that the reference lists ("Request body"). */
export function toWire({ model: name, input, parameters }: TaskRequest): Record<string, unknown> {
  const model = findModel(name);
  const { prompt, negative_prompt, template, img_url, audio_url } = input;
  const { resolution, duration, prompt_extend, shot_type, watermark, seed, audio } = parameters;
  const fixed = model.durations.kind === 'set' && model.durations.values.length === 1;
  return {
    model: name,
    input: omitUndefined({
      prompt,
      negative_prompt,
      template,
      ...(model.wire_format === 'media' ? { media: mediaOf(img_url, audio_url) } : { img_url, audio_url }),
    }),
    parameters: omitUndefined({
      resolution,
      // A duration that "cannot be modified" is not sent at all.
      duration: fixed ? undefined : duration,
      prompt_extend,
      shot_type,
      watermark,
      seed,
      audio,
    }),
  };
}

function mediaOf(imageUrl: string, audioUrl: string | undefined): { type: string; url: string }[] {
  const first = { type: 'first_frame', url: imageUrl };
  return audioUrl === undefined ? [first] : [first, { type: 'driving_audio', url: audioUrl }];
}
