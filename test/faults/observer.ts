import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from '../../functions/video/keys.ts';
import type { TimelineEntry, VideoRecord } from '../../functions/video/record.ts';
import { personalCredentials } from '../support/sign.ts';

/** In the `User-Agent` of calls by the tests themselves, which have no faults. */
const observerAgent = 'fault-suite-observer';
export const isObserver = (userAgent: string | undefined): boolean => userAgent?.includes(observerAgent) ?? false;

/** Returns the configuration of an SDK client for calls without faults. @param endpoint of the local AWS services */
export const observerClient = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  credentials: personalCredentials,
  customUserAgent: observerAgent,
  maxAttempts: 1,
});

export const table = 'firstframe-videos';

/** Returns a strongly consistent reader of timelines; undefined for a deleted video. @param endpoint the same for all calls */
export function timelineReader(): (endpoint: string, id: string) => Promise<TimelineEntry[] | undefined> {
  let documents: DynamoDBDocumentClient | undefined;
  return async (endpoint, id) => {
    documents ??= DynamoDBDocumentClient.from(new DynamoDBClient(observerClient(endpoint)));
    const { Item } = await documents.send(
      new GetCommand({ TableName: table, Key: { pk: keys.video(id) }, ConsistentRead: true }),
    );
    return (Item as VideoRecord | undefined)?.timeline;
  };
}
