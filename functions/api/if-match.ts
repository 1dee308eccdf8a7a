import type { VideoRecord } from '../video/record.ts';
import { viewOf } from '../video/view.ts';
import { etagOf, matches } from './etag.ts';
import { headerValues, type RequestHeaders } from './http.ts';
import { Problem } from './problem.ts';

/** Throws when a video is not the one that its caller means to change. */
export type Precondition = (video: VideoRecord) => void;

/**
 * What a request's `If-Match` demands of the video it changes: the ETag of `GET /videos/{id}`, wherever in its queue the video stood
 * then. Whoever reads the video anew asks it again. Without the header it demands nothing.
 * @returns a precondition that throws Problem 412
 */
export function ifMatch(request: RequestHeaders): Precondition {
  if (headerValues(request, 'if-match').length === 0) return () => undefined;
  return (video) => {
    if (!matches(request, 'if-match', etagOf(viewOf(video)), 'state')) throw preconditionFailed();
  };
}

const preconditionFailed = () =>
  new Problem(412, {
    code: 'precondition_failed',
    title: 'The video has changed since you looked at it.',
    detail:
      'Nothing was done. GET /videos/{id} shows it as it is, with its new ETag: send that in If-Match, or leave it out.',
  });
