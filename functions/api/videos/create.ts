import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ReadQueuePosition } from '../../queue/position.ts';
import type { Caller } from '../../shared/caller.ts';
import { readJson } from '../../shared/json-body.ts';
import { type AcceptServices, acceptRequest, type OnAccepted, videoDeleted } from '../../submissions/accept-request.ts';
import { identityOf } from '../../submissions/identity.ts';
import { isTerminal, type VideoRecord } from '../../video/record.ts';
import { viewOf } from '../../video/view.ts';
import { rowOf } from '../../wan/changes.ts';
import { type Deployment, retirement } from '../../wan/prices.ts';
import { type ApiRequest, headerValues, json } from '../http/request.ts';
import { type LongPollServices, preferredWait, retryAfter, waitForChange } from './long-poll.ts';

export interface SubmitServices extends AcceptServices, LongPollServices {
  readQueuePosition: ReadQueuePosition;
  onAccepted: OnAccepted;
}

/**
 * `POST /videos`: accepts the request and returns 202 with the video, or 200 for a repeated request. With `Prefer: wait=N` it returns 200
 * when the video has ended, or 202 after N seconds. When too many requests wait already it responds immediately, without
 * `Preference-Applied`.
 * @throws ProblemError as `acceptRequest`, and 400 for an invalid Idempotency-Key
 */
export async function submit(
  services: SubmitServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const arrived = services.table.now();
  const body = readJson(request);
  const identity = identityOf(caller.owner, headerValues(request, 'idempotency-key'));
  const { requestId: request_id } = request.requestContext;
  const accepted = await acceptRequest(services, { body, mode: 'strict', identity, caller, request_id });
  services.onAccepted(accepted);
  return respondAccepted(services, request, accepted, arrived);
}

/** The response with an accepted video, after the time of `Prefer: wait=N`. @param arrived when the request arrived, in milliseconds */
export async function respondAccepted(
  services: SubmitServices,
  request: ApiRequest,
  { video, created }: Parameters<OnAccepted>[0],
  arrived: number,
): Promise<APIGatewayProxyResult> {
  const { table } = services;
  const wait = preferredWait(request);
  if (wait === undefined) return respond(services, request, video, created ? 202 : 200);
  // Counted from the arrival of the request, as API Gateway counts its timeout.
  const seconds = wait - (table.now() - arrived) / 1000;
  const { last, waited } = await untilEnded(services, video, seconds);
  const status = isTerminal(last.status) ? 200 : 202;
  return respond(services, request, last, status, waited ? { 'preference-applied': 'wait' } : {});
}

/** Waits for a terminal status until the deadline. If DynamoDB fails, returns the last known record: an error would only make the client resubmit. */
async function untilEnded(services: SubmitServices, video: VideoRecord, seconds: number) {
  const until = ({ status }: VideoRecord) => isTerminal(status);
  const asAccepted = { video, waited: true };
  const { video: last, waited } = await waitForChange(services, video, { seconds, until }).catch(() => asAccepted);
  if (!last) throw videoDeleted();
  return { last, waited };
}

async function respond(
  { table, readQueuePosition, deployment }: SubmitServices,
  request: ApiRequest,
  video: VideoRecord,
  status: number,
  headers: Record<string, string> = {},
): Promise<APIGatewayProxyResult> {
  const view = viewOf(video, table.now(), await readQueuePosition(video));
  return json(status, view, {
    location: locationOf(video.id, request),
    ...sunset(deployment, video),
    ...retryAfter(view, table.now()),
    ...headers,
  });
}

/** When the model of a video is retired (RFC 8594), within 30 days before. */
function sunset(deployment: Deployment, { model }: VideoRecord): Record<string, string> {
  const row = rowOf(model, deployment.changes);
  if (!row?.retires_at || retirement(row, deployment) === undefined) return {};
  return { sunset: new Date(row.retires_at).toUTCString() };
}

/** Relative to the request's URL, because an API's stage or a domain's base path may precede `/videos`. */
function locationOf(id: string, { path, pathParameters }: ApiRequest): string {
  const isBelow = path.endsWith('/');
  // Of `/videos/{id}/extend`.
  if (pathParameters?.id) return `${isBelow ? '../' : ''}../${id}`;
  return isBelow ? id : `videos/${id}`;
}
