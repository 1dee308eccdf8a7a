import { findModel } from './catalogue.ts';
import type { VideoRequest } from './request.ts';

/** What a task is made from. `img_url` must be one that Wan can read: http(s), `data:` or `oss://`. */
export type TaskRequest = Pick<VideoRequest, 'model' | 'input' | 'parameters'>;

/** The body of Wan's submit, and nothing else than the reference lists ("Request body"). */
export function toWire({ model: name, input, parameters }: TaskRequest): Record<string, unknown> {
  const model = findModel(name);
  const { prompt, negative_prompt, template, img_url, audio_url } = input;
  const { resolution, duration, prompt_extend, shot_type, watermark, seed, audio } = parameters;
  const fixed = model.durations.kind === 'set' && model.durations.values.length === 1;
  return {
    model: name,
    input: given({
      prompt,
      negative_prompt,
      template,
      ...(model.wire_format === 'media' ? { media: mediaOf(img_url, audio_url) } : { img_url, audio_url }),
    }),
    parameters: given({
      resolution,
      // A duration that "cannot be modified" isn't sent, not even its only value.
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

function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
