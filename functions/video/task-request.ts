import { isModelName, type ModelName } from '../wan/catalogue.ts';
import type { TaskRequest } from '../wan/wire.ts';
import type { VideoRecord } from './record.ts';

/**
 * The model of a video that was accepted.
 * @throws Error for one that the catalogue does not have: the record of a drop whose settings were refused, or of a later version
 */
export function modelOf({ id, model }: Pick<VideoRecord, 'id' | 'model'>): ModelName {
  if (isModelName(model)) return model;
  throw new Error(`The video ${id} names the model ${model}, which the catalogue does not have.`);
}

/** What Wan is asked for a video. @param img_url where Wan finds the image */
export function taskRequestOf(video: VideoRecord, img_url: string): TaskRequest {
  const { resolution, duration, prompt_extend, watermark, ...optional } = video.parameters;
  if (!resolution || duration === undefined || prompt_extend === undefined || watermark === undefined) {
    throw new Error(`The record of the video ${video.id} lacks parameters.`);
  }
  return {
    model: modelOf(video),
    input: { ...video.input, img_url },
    parameters: { resolution, duration, prompt_extend, watermark, ...optional },
  };
}
