import type { VideoRecord } from '../video/record.ts';
import { isModelName, type ModelName } from '../wan/catalogue.ts';
import type { TaskRequest } from '../wan/client/submit-task.ts';

/**
 * Returns the model of an accepted video.
 * @throws Error when the catalogue lacks the model: a drop with invalid settings, or a record of a later version
 */
export function modelOf({ id, model }: Pick<VideoRecord, 'id' | 'model'>): ModelName {
  if (isModelName(model)) return model;
  throw new Error(`The catalogue has no model ${model}, which the video ${id} names.`);
}

/** Returns the body of Wan's create call for a video. @param media the URLs of its image and, if it has one, its audio */
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
