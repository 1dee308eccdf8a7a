import type { VideoRecord } from '../video/record.ts';
import { isModelName, type ModelName } from '../wan/catalogue.ts';
import type { TaskRequest } from '../wan/client/submit-task.ts';

/**
 * The model of a video that was accepted.
 * @throws Error for one that the catalogue does not have: the record of a drop whose settings were refused, or of a later version
 */
export function modelOf({ id, model }: Pick<VideoRecord, 'id' | 'model'>): ModelName {
  if (isModelName(model)) return model;
  throw new Error(`The video ${id} names the model ${model}, which the catalogue does not have.`);
}

/** What Wan is asked for a video. @param media where Wan finds its picture and, if it has one, its sound */
export function taskRequestOf(
  video: VideoRecord,
  media: Pick<TaskRequest['input'], 'img_url' | 'audio_url'>,
): TaskRequest {
  const { resolution, duration, prompt_extend, watermark, ...optional } = video.parameters;
  if (!resolution || duration === undefined || prompt_extend === undefined || watermark === undefined) {
    throw new Error(`The record of the video ${video.id} lacks parameters.`);
  }
  return {
    model: modelOf(video),
    input: { ...video.input, ...media },
    parameters: { resolution, duration, prompt_extend, watermark, ...optional },
  };
}
