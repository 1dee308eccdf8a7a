import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import type { ReadQueuePosition } from '../../queue/position.ts';
import type { Caller } from '../../shared/caller.ts';
import { isTerminal, type VideoRecord } from '../../video/record.ts';
import { viewOf } from '../../video/view.ts';
import { matches, stateEtag, videoEtag, withEtag } from '../http/conditional-requests.ts';
import { readQuery } from '../http/query.ts';
import { type ApiRequest, headerValues, json } from '../http/request.ts';
import { LONGEST_WAIT_SECONDS, type LongPollServices, retryAfter, waitForChange } from './long-poll.ts';
import { ownVideo, videoNotFound } from './own-video.ts';

export interface VideoServices extends LongPollServices {
  readQueuePosition: ReadQueuePosition;
}

const waitError = `Give whole seconds from 0 to ${LONGEST_WAIT_SECONDS}.`;

export const videoQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^\d{1,2}$/, { error: waitError })
    .transform(Number)
    .refine((seconds) => seconds <= LONGEST_WAIT_SECONDS, { error: waitError })
    .default(0),
});

/**
 * `GET /videos/{id}`. While the video is in progress, `Retry-After` is the time until the next request. With `wait` it responds when the video's
 * status changes, or after that many seconds; immediately for a terminal status, when `If-None-Match` names an older state, or when too
 * many requests wait already.
 * @throws ProblemError 404, also for a video that is deleted meanwhile
 */
export async function getVideo(
  services: VideoServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const { table, readQueuePosition } = services;
  const { wait } = readQuery(request, videoQuery);
  const found = await ownVideo(table, request, caller);
  const until = ({ status }: VideoRecord) => status !== found.status;
  const seconds = isTerminal(found.status) || hasChanged(request, found) ? 0 : wait;
  const { video } = await waitForChange(services, found, { seconds, until });
  if (!video) throw videoNotFound();
  const view = viewOf(video, table.now(), await readQueuePosition(video));
  return withEtag(request, json(200, view, retryAfter(view, table.now())), videoEtag(view));
}

/** Whether the caller's `If-None-Match` names another state of the video. */
const hasChanged = (request: ApiRequest, video: VideoRecord): boolean =>
  headerValues(request, 'if-none-match').length > 0 && !matches(request, 'if-none-match', stateEtag(video), 'state');
