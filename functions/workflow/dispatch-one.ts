import type { VideoRecord } from '../video/record.ts';
import { type Dispatcher, dispatch } from './dispatch.ts';

/**
 * Lets a video's lane have a look at it and start one video, whichever is next. One is enough for whoever brought the video to wait
 * for; who else waits is started by the next release.
 */
export const dispatchOne =
  (dispatcher: Dispatcher) =>
  async (video: VideoRecord): Promise<void> => {
    await dispatch(dispatcher, video.model, { also: video, most: 1 });
  };
