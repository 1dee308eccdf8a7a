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
  /** How long Wan takes for a video, in seconds. */
  task_seconds: number;
  /** The setting `extraPermits`. @default - the setting's default */
  extra_permits?: number;
  /** The setting `wanQueriesPerSecond`. @default - the setting's default */
  queries_per_second?: number;
  /** The number of drops of each owner. @default - those of `drops` */
  owners?: ReturnType<typeof drops>;
}

export interface BurstResult {
  videos: number;
  /** Seconds from the drop to the last archived video. */
  drained_seconds: number;
  /** Calls to Wan's API, without downloads. */
  calls: number;
  throttled: number;
  /** Drops without a succeeded video at the end. */
  lost: number;
  /** Tasks beyond one per video. */
  duplicate_tasks: number;
  /** Drops with a result file next to them. */
  results: number;
  /** When each owner's first video started at Wan and when its end was noticed, in seconds from the drop. */
  first_videos: { owner: string; videos: number; started: number; noticed: number }[];
  unhandledErrors: readonly unknown[];
}

/** Milliseconds for result files and cleanup after the last video. */
const SETTLE_MILLISECONDS = 60_000;

/** Uploads all drops at the same time and runs the pipeline until all videos have ended. */
export async function runPipelineBurst(options: BurstOptions): Promise<BurstResult> {
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
  const { clock, metricCounts } = pipeline;
  try {
    const begin = clock.now();
    await dropAll(pipeline, owners);
    const ended = () => (metricCounts.get('Succeeded') ?? 0) + (metricCounts.get('Failed') ?? 0);
    await clock.run(() => ended() >= options.videos, begin + 24 * 3600_000);
    const latest = clock.now() + SETTLE_MILLISECONDS;
    await clock.run(() => clock.now() >= latest, Number.POSITIVE_INFINITY);
    return await collectResult(pipeline, { begin, owners, videos: options.videos });
  } finally {
    await pipeline.close();
  }
}

async function collectResult(
  pipeline: Pipeline,
  { begin, owners, videos }: { begin: number; owners: ReturnType<typeof drops>; videos: number },
): Promise<BurstResult> {
  const { wan } = pipeline;
  const records = await allVideos(pipeline.table);
  const tasks = await wan.tasks();
  const since = (time: string | undefined) => (Date.parse(time ?? '') - begin) / 1000;
  const moment = ({ timeline }: VideoRecord, status: string) =>
    since(timeline.find((entry) => entry.status === status)?.at);
  const calls = wan.calls.filter(({ route }) => route !== 'download');
  const succeeded = records.filter(({ status }) => status === 'succeeded');
  return {
    videos,
    drained_seconds: Math.max(...records.map((video) => since(video.updated_at))),
    calls: calls.length,
    throttled: calls.filter(({ status }) => status === 429).length,
    lost: videos - succeeded.length,
    duplicate_tasks: tasks.length - new Set(records.flatMap(({ task }) => task?.id ?? [])).size,
    results: await countResults(pipeline),
    first_videos: owners.map(({ owner, count }) => {
      const own = records.filter((video) => video.owner === owner);
      return {
        owner,
        videos: count,
        started: Math.min(...own.map((video) => moment(video, 'running'))),
        noticed: Math.min(...own.map((video) => moment(video, 'archiving'))),
      };
    }),
    unhandledErrors: pipeline.unhandledErrors,
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
