import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import type { ReadQueuePosition } from '../../queue/position.ts';
import type { Caller } from '../../shared/caller.ts';
import { isVideoId, timeAndId } from '../../video/keys.ts';
import { listVideos } from '../../video/list.ts';
import { statuses } from '../../video/record.ts';
import type { Table } from '../../video/table.ts';
import { type VideoView, viewOf } from '../../video/view.ts';
import { etagOf, videoEtag, withEtag } from '../http/conditional-requests.ts';
import { readQuery } from '../http/query.ts';
import { type ApiRequest, json } from '../http/request.ts';

/**
 * A Lambda response has at most 6 MB. A hundred videos with the longest prompts are more, so such a page ends early and its cursor
 * continues there.
 */
const MAX_PAGE_BYTES = 5_000_000;

const timeError = 'Give a time such as 2026-01-31T12:00:00Z, or a date such as 2026-01-31 (UTC).';
/** Converted to UTC as in the table. An offset can lead to a year outside of four digits, which is refused. A date means its start. */
const time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], { error: timeError })
  .transform((text) => new Date(text).toISOString())
  .refine((text) => /^\d{4}-/.test(text), { error: timeError });

const limitError = 'Give a whole number from 1 to 100.';

export const listQuery = z.strictObject({
  status: z.enum(statuses, { error: `Use one of ${statuses.join(', ')}.` }).optional(),
  model: z.string().min(1, { error: 'Give the name of a model, or leave the parameter out.' }).optional(),
  derived_from: z
    .string()
    .refine(isVideoId, { error: 'Give the id of a video, or leave the parameter out.' })
    .optional(),
  created_after: time.optional(),
  created_before: time.optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, { error: limitError })
    .transform(Number)
    .default(20),
  cursor: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, {
      error: 'Use "next_cursor" of the last page unchanged, or leave it out to start from the beginning.',
    })
    .transform((cursor) => readCursor(cursor))
    .optional(),
});

/** `GET /videos`: the caller's videos, newest first. Pages are stable while videos are added, because new ones precede the first page. */
export async function listOwnVideos(
  { table, readQueuePosition }: { table: Table; readQueuePosition: ReadQueuePosition },
  request: ApiRequest,
  { owner }: Caller,
): Promise<APIGatewayProxyResult> {
  const page = await listVideos(table, { owner, ...readQuery(request, listQuery) });
  const now = table.now();
  const views = await Promise.all(page.videos.map(async (video) => viewOf(video, now, await readQueuePosition(video))));
  const data = fitPage(views);
  const last = data.at(-1);
  const next = last && data.length < views.length ? timeAndId(last.created_at, last.id) : page.next_cursor;
  const next_cursor = next ? writeCursor(next) : null;
  return withEtag(request, json(200, { data, next_cursor }), etagOf([data.map(videoEtag), next_cursor]));
}

/** As many of the views as fit into one response. The body travels as a string inside JSON, so it is measured in that form. */
function fitPage(views: VideoView[]): VideoView[] {
  let bytes = 0;
  const end = views.findIndex((view) => {
    bytes += Buffer.byteLength(JSON.stringify(JSON.stringify(view)));
    return bytes > MAX_PAGE_BYTES;
  });
  return end === -1 ? views : views.slice(0, Math.max(1, end));
}

/** The position in a list (`created_at#id`) as a cursor, which needs no escaping in a URL, and back. */
const writeCursor = (position: string): string => position.replace('#', '_');
const readCursor = (cursor: string): string => cursor.replace('_', '#');
