import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { ListExecutionsCommand, ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { Delivery } from '../../functions/events/deliveries.ts';
import type { VideoRecord } from '../../functions/video/record.ts';
import { personalCredentials } from '../support/sign.ts';
import { type BusEvent, readBusLog } from './bus-log.ts';
import type { Arrival } from './receiver.ts';
import type { Stage } from './stage.ts';

/** The relevant fields of a task in the emulator. */
export interface WanTask {
  task_id: string;
  model: string;
  orig_prompt: string;
  /** The number of its video. */
  seed: number;
}

/** The final state, after all work has ended. */
export interface LastState {
  /** By id. */
  videos: Map<string, VideoRecord & { open_status?: string }>;
  /** Ids of deleted videos. */
  tombstones: Set<string>;
  modelQueues: { pk: string; running?: Set<string> }[];
  /** Wait items. */
  waits: { pk: string; open_status?: string }[];
  spending: { pk: string; reserved?: object; committed: number; spent?: number }[];
  tasks: WanTask[];
  /** Keys in the videos bucket, one per version. */
  objects: string[];
  /** Number of delete markers in it. */
  markers: number;
  runningExecutions: string[];
  /** What the bus accepted, oldest first. */
  events: readonly BusEvent[];
  /** What the receiver got, oldest first. */
  arrivals: readonly Arrival[];
  /** Requests to the receiver that are no webhooks. */
  unexpectedRequests: readonly string[];
  deliveries: (Delivery & { open_status?: string })[];
  deadLetters: DeadLetter[];
  /** SHA-256 (hex) of an object of the videos bucket. */
  sha256Of(key: string): Promise<string>;
  served: ReadonlyMap<string, string>;
}

interface DeadLetter {
  /** The file of its queue. */
  queue: string;
  /** The event. */
  body: string;
}

type Item = Record<string, unknown> & { pk: string };
const bucket = 'firstframe-videos';

export async function readLastState(stage: Stage, table: string): Promise<LastState> {
  const { addresses, s3, proxy, receiver, directory } = stage;
  const client = { endpoint: addresses().aws_url, region: 'us-east-1', credentials: personalCredentials };
  const items = await allItems(client, table);
  const named = <Kind>(prefix: string) => items.filter(({ pk }) => pk.startsWith(`${prefix}#`)) as unknown as Kind[];
  const records = named<VideoRecord & { tombstone?: { id: string } }>('video');
  const { versions, markers } = await allVersions(s3);
  return {
    videos: new Map(records.filter(({ tombstone }) => !tombstone).map((record) => [record.id, record])),
    tombstones: new Set(records.flatMap(({ tombstone }) => (tombstone ? [tombstone.id] : []))),
    modelQueues: named('queue'),
    waits: named('wait'),
    spending: named('spending'),
    tasks: tasksIn(path.join(directory, 'wan', 'tasks')),
    objects: versions,
    markers,
    runningExecutions: await runningExecutions(client),
    events: readBusLog(directory),
    arrivals: receiver.arrivals,
    unexpectedRequests: receiver.unexpected,
    deliveries: named('delivery'),
    deadLetters: deadLettersIn(path.join(directory, 'queues')),
    async sha256Of(key) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return createHash('sha256')
        .update(await Body!.transformToByteArray())
        .digest('hex');
    },
    served: proxy.served,
  };
}

async function allVersions(s3: S3Client): Promise<{ versions: string[]; markers: number }> {
  const versions: string[] = [];
  let markers = 0;
  for (let from = {}, more = true; more; ) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, ...from }));
    versions.push(...(page.Versions ?? []).map(({ Key }) => Key!));
    markers += page.DeleteMarkers?.length ?? 0;
    more = page.IsTruncated ?? false;
    from = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
  return { versions, markers };
}

async function allItems(client: object, table: string): Promise<Item[]> {
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient(client));
  const items: Item[] = [];
  for await (const page of paginateScan({ client: documents }, { TableName: table, ConsistentRead: true }))
    items.push(...((page.Items ?? []) as Item[]));
  documents.destroy();
  return items;
}

async function runningExecutions(client: object): Promise<string[]> {
  const stepFunctions = new SFNClient(client);
  const { stateMachines = [] } = await stepFunctions.send(new ListStateMachinesCommand({}));
  const lists = await Promise.all(
    stateMachines.map(({ stateMachineArn }) =>
      stepFunctions.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' })),
    ),
  );
  stepFunctions.destroy();
  return lists.flatMap(({ executions = [] }) => executions.map(({ name }) => name!));
}

/** Reads the emulator's files: its list has neither prompts nor seeds, and 500 queries would take half a minute. */
const tasksIn = (directory: string): WanTask[] =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as WanTask);

function deadLettersIn(directory: string): DeadLetter[] {
  const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.jsonl')) : [];
  return files.flatMap((queue) =>
    readFileSync(path.join(directory, queue), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ queue, body: (JSON.parse(line) as { body: string }).body })),
  );
}
