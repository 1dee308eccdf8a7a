import type { VideoRecord } from '../video/record.ts';

export interface QuietDispatch {
  /** Lets the lane take the video if it has room. */
  dispatch: (video: VideoRecord) => Promise<void>;
  /** Told of a video that stays in its queue for now, because dispatch failed. */
  logUndispatched: (video: VideoRecord, error: unknown) => void;
}

/**
 * Lets a video's lane have a look at it. Its record stands already, so a lane that can't be reached is no reason to fail whoever
 * brought it: the next dispatch takes the video.
 */
export async function dispatchQuietly({ dispatch, logUndispatched }: QuietDispatch, video: VideoRecord): Promise<void> {
  try {
    await dispatch(video);
  } catch (error) {
    logUndispatched(video, error);
  }
}
