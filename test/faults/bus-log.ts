import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';
import type { TimelineEntry } from '../../functions/video/record.ts';
import type { RequestHandler } from '../../local/aws/listen.ts';
import { parse } from './aws-call.ts';
import { observerClient, timelineReader } from './observer.ts';

/** An event that the bus accepted, as a subscriber of all events gets it. */
export interface BusEvent {
  type: string;
  /** The text, because it may be anything. */
  detail: string;
  /** The timeline in the record immediately before the event was accepted; undefined for a deleted video. */
  timeline?: TimelineEntry[] | undefined;
}

const fileIn = (directory: string) => path.join(directory, 'events.jsonl');

/** Returns all events that the bus has accepted, oldest first. */
export const readBusLog = (directory: string): BusEvent[] =>
  existsSync(fileIn(directory))
    ? readFileSync(fileIn(directory), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as BusEvent)
    : [];

/** Returns a wrapper of PutEvents that records the accepted events. The process may be killed at any moment, so it writes synchronously. */
export function openBusLog(
  directory: string,
): (serve: RequestHandler, endpoint: string, body: Buffer) => RequestHandler {
  const readTimeline = timelineReader();
  return (serve, endpoint, body) => async (request, response) => {
    const { Entries = [] } = JSON.parse(body.toString('utf8')) as { Entries?: PutEventsRequestEntry[] };
    const events = await Promise.all(
      Entries.map(async ({ DetailType: type = '', Detail: detail = '' }): Promise<BusEvent> => {
        const { id } = JSON.parse(detail) as { id: string };
        return { type, detail, timeline: await readTimeline(endpoint, id) };
      }),
    );
    await serve(request, response);
    if (response.statusCode === 200)
      appendFileSync(fileIn(directory), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  };
}

/** Returns the number of entries of a call that may be refused in part; 0 for other calls. */
export const entriesOf = (action: string, body: Buffer): number =>
  action === 'PutEvents' || action === 'SendMessageBatch'
    ? (parse<{ Entries: unknown[] }>(body).Entries?.length ?? 0)
    : 0;

/** Executes such a call without its last entry. @returns the service's response, in which the last entry has failed */
export async function refuseLastEntry(action: string, endpoint: string, body: Buffer): Promise<object> {
  const input = JSON.parse(body.toString('utf8')) as { QueueUrl: string; Entries: unknown[] };
  const accepted = input.Entries.slice(0, -1);
  const message = 'Injected fault.';
  if (action === 'PutEvents') {
    const Entries = (accepted as (Omit<PutEventsRequestEntry, 'Time'> & { Time?: number })[]).map(
      ({ Time, ...entry }) => ({ ...entry, ...(Time === undefined ? {} : { Time: new Date(Time * 1000) }) }),
    );
    const client = new EventBridgeClient(observerClient(endpoint));
    const put = Entries.length > 0 ? await client.send(new PutEventsCommand({ Entries })) : { Entries: [] };
    client.destroy();
    return {
      FailedEntryCount: 1,
      Entries: [...put.Entries!, { ErrorCode: 'InternalFailure', ErrorMessage: message }],
    };
  }
  const client = new SQSClient({ ...observerClient(endpoint), useQueueUrlAsEndpoint: false });
  const Entries = accepted as SendMessageBatchRequestEntry[];
  const sent =
    Entries.length > 0
      ? await client.send(new SendMessageBatchCommand({ QueueUrl: input.QueueUrl, Entries }))
      : { Successful: [] };
  client.destroy();
  const { Id } = input.Entries.at(-1) as SendMessageBatchRequestEntry;
  return {
    Successful: sent.Successful,
    Failed: [{ Id, Code: 'InternalError', Message: message, SenderFault: false }],
  };
}
