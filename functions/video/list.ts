import { QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../shared/table-schema.ts';
import { timeAndId } from './keys.ts';
import type { Status, VideoRecord } from './record.ts';
import { fromItem } from './store.ts';
import type { Table } from './table.ts';

interface ListQuery {
  owner: string;
  status?: Status | undefined;
  model?: string | undefined;
  /** ISO 8601, exclusive. */
  created_after?: string | undefined;
  created_before?: string | undefined;
  /** At most this many, 1 to 100. */
  limit: number;
  /** Position after which to go on: `created_at#id`, from the last page. */
  cursor?: string | undefined;
}

/** A filter may pass over many videos: so many are read at once, and so often, before the caller is asked to go on from there. */
const FILTERED_PAGE = 100;
const MOST_QUERIES = 10;

/**
 * An owner's videos, newest first. The owner is part of the index's key, so no query can reach another's.
 * @returns a page, and the cursor of the next one when there may be more; a filter that seldom matches gives pages that are not full
 */
export async function listVideos(
  table: Table,
  query: ListQuery,
): Promise<{ videos: VideoRecord[]; next_cursor?: string }> {
  // A cursor is a position, not an item: the page goes on below it even when the video it names is gone.
  const upper = [query.cursor, query.created_before].filter((bound) => bound !== undefined).sort()[0];
  const lower = query.created_after ? `${query.created_after}$` : ' ';
  if (upper !== undefined && upper <= lower) return { videos: [] };
  const command = queryOf(table.tableName, query, lower, upper);
  const videos: VideoRecord[] = [];
  let position: Record<string, unknown> | undefined;
  for (let queries = 0; queries < MOST_QUERIES && videos.length <= query.limit; queries++) {
    const page = await table.client.send(
      new QueryCommand({ ...command, ...(position ? { ExclusiveStartKey: position } : {}) }),
    );
    for (const item of page.Items ?? []) {
      // BETWEEN includes its ends; the cursor's own video was on the last page.
      if (item.created_at_id !== query.cursor) videos.push(fromItem(item));
    }
    position = page.LastEvaluatedKey;
    if (!position) break;
  }
  const last = videos[query.limit - 1];
  if (videos.length > query.limit && last) {
    return { videos: videos.slice(0, query.limit), next_cursor: timeAndId(last.created_at, last.id) };
  }
  return position ? { videos, next_cursor: String(position.created_at_id) } : { videos };
}

function queryOf(tableName: string, query: ListQuery, lower: string, upper: string | undefined): QueryCommandInput {
  const filters = (['status', 'model'] as const).filter((name) => query[name] !== undefined);
  const range = upper === undefined ? 'created_at_id > :lower' : 'created_at_id BETWEEN :lower AND :upper';
  return {
    TableName: tableName,
    IndexName: indexes.byOwner.name,
    KeyConditionExpression: `#owner = :owner AND ${range}`,
    ...(filters.length > 0 ? { FilterExpression: filters.map((name) => `#${name} = :${name}`).join(' AND ') } : {}),
    ExpressionAttributeNames: { '#owner': 'owner', ...Object.fromEntries(filters.map((name) => [`#${name}`, name])) },
    ExpressionAttributeValues: {
      ':owner': query.owner,
      ':lower': lower,
      ...(upper === undefined ? {} : { ':upper': upper }),
      ...Object.fromEntries(filters.map((name) => [`:${name}`, query[name]])),
    },
    ScanIndexForward: false,
    // One more than asked for shows whether there is more, and the cursor's own video takes a place.
    Limit: filters.length > 0 ? FILTERED_PAGE : query.limit + 2,
  };
}
