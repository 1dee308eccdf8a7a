import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ReadQueuePosition } from '../../queue/position.ts';
import type { Caller } from '../../shared/caller.ts';
import { readJson } from '../../shared/json-body.ts';
import { type AcceptServices, acceptRequest, type OnAccepted, videoDeleted } from '../../submissions/accept-request.ts';
import { isTerminal, type VideoRecord } from '../../video/record.ts';
import { viewOf } from '../../video/view.ts';
import { type ApiRequest, identify, json } from '../http/request.ts';
import { preferredWait, retryAfter, waitForChange } from './long-poll.ts';

export interface SubmitServices extends AcceptServices {
  readQueuePosition: ReadQueuePosition;
  onAccepted: OnAccepted;
  /** Waits so many milliseconds. */
  sleep: (milliseconds: number) => Promise<void>;
}

/**
 * `POST /videos`: takes the request and answers 202 with the video, or 200 for a repetition of one that was taken. With
 * `Prefer: wait=N` it answers when the video has ended, with 200, or after so many seconds with 202.
 * @throws Problem as `takeRequest` does, and 400 for an Idempotency-Key that can't be used
 */
export async function submit(
  services: SubmitServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const { table } = services;
  const arrived = table.now();
  const body = readJson(request);
  const identity = identify(request, caller);
  const taken = await acceptRequest(services, { body, mode: 'strict', identity, caller });
  const { video, created } = taken;
  services.onAccepted(taken);
  const wait = preferredWait(request);
  if (wait === undefined) return answer(services, request, video, created ? 202 : 200);
  // Counted from the request's arrival, since the gateway does so too.
  const seconds = wait - (table.now() - arrived) / 1000;
  const ended = await untilEnded(services, video, seconds);
  const status = isTerminal(ended.status) ? 200 : 202;
  return answer(services, request, ended, status, { 'preference-applied': 'wait' });
}

/** The video when it has ended, or time is up, or the table is away: its record stands, so an error would only have it sent again. */
async function untilEnded({ table, sleep }: SubmitServices, video: VideoRecord, seconds: number): Promise<VideoRecord> {
  const until = ({ status }: VideoRecord) => isTerminal(status);
  const last = await waitForChange(table, video, { seconds, until, sleep }).catch(() => video);
  if (!last) throw videoDeleted();
  return last;
}

async function answer(
  { table, readQueuePosition }: SubmitServices,
  request: ApiRequest,
  video: VideoRecord,
  status: number,
  headers: Record<string, string> = {},
): Promise<APIGatewayProxyResult> {
  const view = viewOf(video, table.now(), await readQueuePosition(video));
  return json(status, view, {
    location: locationOf(video.id, request),
    ...retryAfter(view, table.now()),
    ...headers,
  });
}

/** Relative to the request's own address: an API's stage or a domain's base path stands before `/videos`, and only the client sees it. */
const locationOf = (id: string, { path }: ApiRequest): string => (path.endsWith('/') ? id : `videos/${id}`);
