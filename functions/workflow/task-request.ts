import type { VideoRecord } from '../video/record.ts';
import { isModelName, type NamedModel, rulesOf } from '../wan/catalogue.ts';
import type { TaskRequest } from '../wan/client/submit-task.ts';

/**
 * Returns the rules of an accepted video's model.
 * @throws Error when the catalogue lacks the model: a drop with invalid settings, or a record of a later version
 */
export function modelOf({ id, model, family }: Pick<VideoRecord, 'id' | 'model' | 'family'>): NamedModel {
  if (isModelName(family ?? model)) return rulesOf({ model, family });
  throw new Error(`The catalogue has no model ${model}, which the video ${id} names.`);
}

/** Returns the body of Wan's create call for a video. @param media its media with the URLs from which Wan fetches them */
export function taskRequestOf(video: VideoRecord, media: TaskRequest['input']['media']): TaskRequest {
  const { resolution, duration, watermark, ...optional } = video.parameters;
  if (!resolution || duration === undefined || watermark === undefined) {
    throw new Error(`The record of the video ${video.id} lacks parameters.`);
  }
  return {
    model: video.model,
    family: modelOf(video).name,
    input: { ...video.input, media },
    parameters: { resolution, duration, watermark, ...optional },
  };
}
