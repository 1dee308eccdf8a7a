import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { VideoRecord } from '../../functions/video/record.ts';
import { fromItem } from '../../functions/video/store.ts';
import type { Table } from '../../functions/video/table.ts';
import { type Pipeline, startPipeline } from '../simulation/pipeline.ts';
import { dropAll, drops, request } from './drops.ts';

export interface BurstOptions {
  seed: number;
  videos: number;
  /** How long Wan takes for a video. */
  task_seconds: number;
  /** Permits above Wan's concurrency; the deployment's default when left out. */
  extra_permits?: number;
  /** The setting `wanQueriesPerSecond`; the deployment's default when left out. */
  queries_per_second?: number;
  /** How many owners the drops are of: all, or one alone. */
  owners?: ReturnType<typeof drops>;
}

export interface BurstResult {
  videos: number;
  /** From the drop to the last archived video, in seconds. */
  drained_seconds: number;
  /** Calls of Wan's API, downloads not among them. */
  calls: number;
  throttled: number;
  /** Without a video in the bucket at the end. */
  lost: number;
  /** Tasks that were made beyond one for each video. */
  twice: number;
  /** Drops with their result file beside them. */
  results: number;
  /** When each owner's first video began at Wan and was noticed to be done, in seconds from the drop. */
  firsts: { owner: string; videos: number; started: number; noticed: number }[];
  trouble: readonly unknown[];
}

/** After the last video, time for what follows an ending. */
const AFTERWARDS = 60_000;

/** Drops images all at once and lets the pipeline run until nothing is left to do. */
export async function burstThroughPipeline(options: BurstOptions): Promise<BurstResult> {
  const owners = options.owners ?? drops(options.videos);
  const pipeline = await startPipeline({
    seed: options.seed,
    task_seconds: options.task_seconds,
    context: {
      drop: { owners: 'folders', model: request.model, parameters: request.parameters },
      monthlySpendingLimit: 1_000_000,
      typicalSeconds: options.task_seconds,
      ...(options.extra_permits === undefined ? {} : { extraPermits: options.extra_permits }),
      ...(options.queries_per_second === undefined ? {} : { wanQueriesPerSecond: options.queries_per_second }),
    },
  });
  const { clock, measured } = pipeline;
  try {
    const begin = clock.now();
    await dropAll(pipeline, owners);
    const ended = () => (measured.get('Succeeded') ?? 0) + (measured.get('Failed') ?? 0);
    await clock.run(() => ended() >= options.videos, begin + 24 * 3600_000);
    const latest = clock.now() + AFTERWARDS;
    await clock.run(() => clock.now() >= latest, Number.POSITIVE_INFINITY);
    return await lookBack(pipeline, { begin, owners, videos: options.videos });
  } finally {
    await pipeline.close();
  }
}

async function lookBack(
  pipeline: Pipeline,
  { begin, owners, videos }: { begin: number; owners: ReturnType<typeof drops>; videos: number },
): Promise<BurstResult> {
  const { wan } = pipeline;
  const records = await allVideos(pipeline.table);
  const tasks = await wan.tasks();
  const since = (time: string | undefined) => (Date.parse(time ?? '') - begin) / 1000;
  const moment = ({ timeline }: VideoRecord, status: string) =>
    since(timeline.find((entry) => entry.status === status)?.at);
  const asked = wan.calls.filter(({ route }) => route !== 'download');
  const succeeded = records.filter(({ status }) => status === 'succeeded');
  return {
    videos,
    drained_seconds: Math.max(...records.map((video) => since(video.updated_at))),
    calls: asked.length,
    throttled: asked.filter(({ status }) => status === 429).length,
    lost: videos - succeeded.length,
    twice: tasks.length - new Set(records.flatMap(({ task }) => task?.id ?? [])).size,
    results: await countResults(pipeline),
    firsts: owners.map(({ owner, count }) => {
      const own = records.filter((video) => video.owner === owner);
      return {
        owner,
        videos: count,
        started: Math.min(...own.map((video) => moment(video, 'running'))),
        noticed: Math.min(...own.map((video) => moment(video, 'archiving'))),
      };
    }),
    trouble: pipeline.trouble,
  };
}

async function allVideos(table: Table): Promise<VideoRecord[]> {
  const found: VideoRecord[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await table.client.send(new ScanCommand({ TableName: table.tableName, ExclusiveStartKey }));
    found.push(...(page.Items ?? []).filter(({ pk }) => String(pk).startsWith('video#')).map(fromItem));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return found;
}

async function countResults({ s3: client, uploadsBucket: Bucket }: Pipeline): Promise<number> {
  let results = 0;
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix: 'drop/' }))
    results += Contents.filter(({ Key = '' }) => Key.endsWith('.result.json')).length;
  return results;
}
