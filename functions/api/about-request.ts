import type { Subject } from '../shared/logging.ts';
import type { ApiRequest } from './http.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What the lines of a request say: the id that its caller was given, and the video that its path names, if what stands there is an id. */
export function aboutRequest({
  requestContext,
  pathParameters,
}: Pick<ApiRequest, 'requestContext' | 'pathParameters'>): Subject {
  const { requestId } = requestContext;
  // On the DashScope routes a task's id, which is its video's, is the last part of what follows.
  const named = pathParameters?.id ?? pathParameters?.proxy?.split('/').find((part) => uuid.test(part));
  return {
    ...(requestId ? { request_id: requestId } : {}),
    ...(named && uuid.test(named) ? { video_id: named } : {}),
  };
}
