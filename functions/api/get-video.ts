import type { APIGatewayProxyResult } from 'aws-lambda';
import type { Table } from '../video/store.ts';
import { type ApiRequest, type Caller, json } from './http.ts';
import { ownVideo } from './own-video.ts';
import { retryAfter } from './retry-after.ts';
import { viewOf } from './video-view.ts';

/** `GET /videos/{id}`. While it runs, `Retry-After` says when there may be news. */
export async function getVideo(
  { table }: { table: Table },
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const video = await ownVideo(table, request, caller);
  return json(200, viewOf(video), retryAfter(video, table.now()));
}
