import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Caller } from '../../shared/caller.ts';
import { indexes } from '../../shared/table-schema.ts';
import { timeAndId } from '../../video/keys.ts';
import type { VideoRecord } from '../../video/record.ts';
import type { Table } from '../../video/table.ts';

const fields = ['id', 'status', 'model', 'created_at', 'timeline', 'task', 'source'] as const;

/** What a list tells of a video comes from these. */
export type ListedVideo = Pick<VideoRecord, (typeof fields)[number]>;

/** A list is made of so many videos of its time: the newest. */
const MOST_LISTED = 2000;

/**
 * A query reads 1 MB, some 400 records as they mostly are, in about 0.2 s: 2,000 of them are five queries. Whoever fills their
 * records with the longest prompts sees fewer, and waits no longer than 2 s all the same.
 */
const MOST_QUERIES = 10;

/** The newest videos of an owner that were made in a range of time, newest first. The owner is the index's key: nobody else's are read. */
export async function ownVideosBetween(
  { client, tableName }: Table,
  { owner }: Pick<Caller, 'owner'>,
  { start, end }: TimeRange,
): Promise<ListedVideo[]> {
  const videos: ListedVideo[] = [];
  let position: Record<string, unknown> | undefined;
  for (let queries = 0; queries < MOST_QUERIES && videos.length < MOST_LISTED; queries++) {
    const page = await client.send(
      new QueryCommand({
        TableName: tableName,
        IndexName: indexes.byOwner.name,
        KeyConditionExpression: '#owner = :owner AND created_at_id BETWEEN :start AND :end',
        ProjectionExpression: fields.map((name) => `#${name}`).join(', '),
        ExpressionAttributeNames: Object.fromEntries(['owner', ...fields].map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: {
          ':owner': owner,
          ':start': start,
          // Behind every id of that millisecond.
          ':end': timeAndId(end, '~'),
        },
        ScanIndexForward: false,
        Limit: MOST_LISTED - videos.length,
        ...(position ? { ExclusiveStartKey: position } : {}),
      }),
    );
    videos.push(...((page.Items ?? []) as ListedVideo[]));
    position = page.LastEvaluatedKey;
    if (!position) break;
  }
  return videos;
}

/** ISO 8601 UTC, both ends included. */
export interface TimeRange {
  start: string;
  end: string;
}
