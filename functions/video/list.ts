import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { indexes, timeAndId } from './keys.ts';
import type { Status, VideoRecord } from './record.ts';
import { fromItem, type Table } from './store.ts';

export interface ListQuery {
  owner: string;
  status?: Status;
  model?: string;
  /** ISO 8601, exclusive. */
  created_after?: string;
  created_before?: string;
  /** At most this many, 1 to 100. */
  limit: number;
  /** Position after which to go on: `created_at#id`, from the last page. */
  cursor?: string;
}

/**
 * An owner's videos, newest first. The owner is part of the index's key, so no query can reach another's.
 * @returns a page, and the cursor of the next one when there is more
 */
export async function listVideos(
  table: Table,
  query: ListQuery,
): Promise<{ videos: VideoRecord[]; next_cursor?: string }> {
  const filters = [...(query.status ? ['#status = :status'] : []), ...(query.model ? ['#model = :model'] : [])];
  // A cursor is a position, not an item: the page goes on below it even when the video it names is gone.
  const upper = [query.cursor, query.created_before].filter((bound) => bound !== undefined).sort()[0];
  const lower = query.created_after ? `${query.created_after}$` : ' ';
  if (upper !== undefined && upper <= lower) return { videos: [] };
  const videos: VideoRecord[] = [];
  let start: Record<string, unknown> | undefined;
  do {
    const page = await table.client.send(
      new QueryCommand({
        TableName: table.tableName,
        IndexName: indexes.byOwner,
        KeyConditionExpression: upper
          ? '#owner = :owner AND created_at_id BETWEEN :lower AND :upper'
          : '#owner = :owner AND created_at_id > :lower',
        ...(filters.length ? { FilterExpression: filters.join(' AND ') } : {}),
        ExpressionAttributeNames: {
          '#owner': 'owner',
          ...(query.status ? { '#status': 'status' } : {}),
          ...(query.model ? { '#model': 'model' } : {}),
        },
        ExpressionAttributeValues: {
          ':owner': query.owner,
          ':lower': lower,
          ...(upper ? { ':upper': upper } : {}),
          ...(query.status ? { ':status': query.status } : {}),
          ...(query.model ? { ':model': query.model } : {}),
        },
        ScanIndexForward: false,
        Limit: query.limit + 2,
        ...(start ? { ExclusiveStartKey: start } : {}),
      }),
    );
    for (const item of page.Items ?? []) {
      // BETWEEN includes its ends; the cursor's own video was on the last page.
      if (item.created_at_id !== query.cursor) videos.push(fromItem(item));
    }
    start = page.LastEvaluatedKey;
  } while (start && videos.length <= query.limit);
  const shown = videos.slice(0, query.limit);
  const last = shown.at(-1);
  return videos.length > query.limit && last
    ? { videos: shown, next_cursor: timeAndId(last.created_at, last.id) }
    : { videos: shown };
}
