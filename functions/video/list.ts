import { QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { indexes } from '../shared/table-schema.ts';
import { timeAndId } from './keys.ts';
import { isExpired, type Status, type VideoRecord } from './record.ts';
import { fromItem } from './store.ts';
import type { Table } from './table.ts';

interface ListQuery {
  owner: string;
  status?: Status | undefined;
  model?: string | undefined;
  derived_from?: string | undefined;
  /** ISO 8601, exclusive; so is `created_before`. */
  created_after?: string | undefined;
  created_before?: string | undefined;
  /** Page size, 1 to 100. */
  limit: number;
  /** `next_cursor` of the previous page: `created_at#id`. */
  cursor?: string | undefined;
}

/** A filter may skip many videos: at most 10 queries of 100 videos are made per page, then the caller gets a cursor. */
const FILTERED_PAGE = 100;
const MAX_QUERIES = 10;

/**
 * Returns an owner's videos, newest first. The owner is the index's partition key, so a query cannot reach other owners' videos.
 * @returns a page, and a cursor when there may be more. With a filter that matches few videos, pages may be short
 */
export async function listVideos(
  table: Table,
  query: ListQuery,
): Promise<{ videos: VideoRecord[]; next_cursor?: string }> {
  // A cursor is a position, not an item, so it also works when its video was deleted.
  const upper = [query.cursor, query.created_before].filter((bound) => bound !== undefined).sort()[0];
  const lower = query.created_after ? `${query.created_after}$` : ' ';
  if (upper !== undefined && upper <= lower) return { videos: [] };
  const command = queryOf(table.tableName, query, lower, upper);
  const videos: VideoRecord[] = [];
  let position: Record<string, unknown> | undefined;
  for (let queries = 0; queries < MAX_QUERIES && videos.length <= query.limit; queries++) {
    const page = await table.client.send(
      new QueryCommand({ ...command, ...(position ? { ExclusiveStartKey: position } : {}) }),
    );
    for (const item of page.Items ?? []) {
      // BETWEEN is inclusive, and the cursor's own video was on the previous page.
      if (item.created_at_id !== query.cursor && !isExpired(item, table.now())) videos.push(fromItem(item));
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
  const filters = (['status', 'model', 'derived_from'] as const).filter((name) => query[name] !== undefined);
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
    // One more than requested shows whether there are more; another one is the cursor's own video.
    Limit: filters.length > 0 ? FILTERED_PAGE : query.limit + 2,
  };
}
