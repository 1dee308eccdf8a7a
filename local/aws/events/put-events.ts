import { parseObject } from '../json.ts';
import { ServiceError } from '../service-error.ts';
import { busEvent } from './event.ts';
import { defaultBus, type EventBus } from './event-bus.ts';

interface PutEventsEntry {
  Source?: string;
  DetailType?: string;
  Detail?: string;
  EventBusName?: string;
  Resources?: string[];
  /** Seconds since 1970. */
  Time?: number;
}

export interface PutEventsInput {
  Entries?: PutEventsEntry[];
}

type EntryResult = { EventId: string } | { ErrorCode: string; ErrorMessage: string };

/** EventBridge's PutEvents. Resolves when every accepted entry is on disk. */
export async function putEvents(
  input: PutEventsInput,
  { bus, now }: { bus: Pick<EventBus, 'put' | 'has'>; now: () => number },
): Promise<{ FailedEntryCount: number; Entries: EntryResult[] }> {
  const entries = input.Entries ?? [];
  if (entries.length === 0 || entries.length > 10)
    throw new ServiceError('ValidationException', 'Entries must contain 1 to 10 events');
  const results = await Promise.all(entries.map((entry) => putEntry(entry, bus, now)));
  return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
}

async function putEntry(
  entry: PutEventsEntry,
  bus: Pick<EventBus, 'put' | 'has'>,
  now: () => number,
): Promise<EntryResult> {
  const { Source: source, DetailType: detailType, Detail: detailText, EventBusName: nameOrArn = defaultBus } = entry;
  const busName = nameOrArn.split('/').at(-1)!;
  if (!bus.has(busName)) throw new ServiceError('ResourceNotFoundException', `Event bus ${busName} does not exist`);
  if (!source || !detailType || detailText === undefined)
    return { ErrorCode: 'InvalidArgument', ErrorMessage: 'Source, DetailType and Detail are required' };
  if (source.startsWith('aws.'))
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: `The source ${source} is reserved for AWS` };
  const detail = parseObject(detailText);
  if (!detail) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  const event = busEvent(
    { source, 'detail-type': detailType, resources: entry.Resources ?? [], detail },
    entry.Time === undefined ? now() : entry.Time * 1000,
  );
  await bus.put(event, busName);
  return { EventId: event.id };
}
