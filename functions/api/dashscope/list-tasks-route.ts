import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Caller } from '../../shared/caller.ts';
import { indexes } from '../../shared/table-schema.ts';
import { timeAndId } from '../../video/keys.ts';
import type { VideoRecord } from '../../video/record.ts';
import type { Table } from '../../video/table.ts';
import { resolveAlias } from '../../wan/catalogue.ts';
import { type TaskStatus, taskStatuses } from '../../wan/client/query-task.ts';
import { wanTimeToIso } from '../../wan/time.ts';
import { DashscopeError } from './errors.ts';
import { ownTask, taskStatus, taskTimes } from './query-task-route.ts';
import type { ListTasksResponse, TaskRow } from './schemas.ts';
import type { DashscopeRequest, DashscopeServices } from './services.ts';

/** The fields by which rows can be filtered. An empty filter equals a missing one. */
const filters = ['model_name', 'status', 'api_key_id', 'region'] as const;

/** Alibaba Cloud's ids of the regions. */
const regionIds = {
  singapore: 'ap-southeast-1',
  beijing: 'cn-beijing',
  virginia: 'us-east-1',
  hongkong: 'cn-hongkong',
  frankfurt: 'eu-central-1',
} as const;

/**
 * `GET tasks`: the caller's tasks of at most 24 hours, newest first, in one flat object (facts, "Task management"). Filters, pages and
 * `total` cover the newest 2,000.
 */
export async function listTasks(
  services: DashscopeServices,
  { queryStringParameters }: DashscopeRequest,
  caller: Caller,
): Promise<ListTasksResponse> {
  const query = queryStringParameters ?? {};
  const range = readTimeRange(query, services.table.now());
  const page_no = pageNumber(query.page_no, { name: 'page_no', default: 1, max: 1_000_000 });
  const page_size = pageNumber(query.page_size, { name: 'page_size', default: 10, max: 100 });
  if (query.status && !taskStatuses.includes(query.status as TaskStatus)) {
    throw new DashscopeError('InvalidParameter', `status is not a task status. Use one of ${taskStatuses.join(', ')}.`);
  }
  const found = await (query.task_id
    ? ownVideoOf(services, caller, query.task_id, query.start_time || query.end_time ? range : undefined)
    : ownVideosBetween(services.table, caller, range));
  const rows = found
    .map((video) => rowOf(video, services, query.model_name))
    .filter((row) => filters.every((name) => !query[name] || query[name] === row[name]));
  return {
    total: rows.length,
    data: rows.slice((page_no - 1) * page_size, page_no * page_size),
    total_page: Math.ceil(rows.length / page_size),
    page_no,
    page_size,
  };
}

/** One task by its id, of any age unless the query has a time range. */
async function ownVideoOf(
  services: DashscopeServices,
  caller: Caller,
  taskId: string,
  range: TimeRange | undefined,
): Promise<ListedVideo[]> {
  const video = await ownTask(services, caller, taskId);
  const isWithin = video && (!range || (video.created_at >= range.start && video.created_at <= range.end));
  return isWithin ? [video] : [];
}

/** Fields that firstframe does not know stay empty: the caller's ids at Alibaba Cloud, and a drop's request. */
function rowOf(video: ListedVideo, { deployment }: Pick<DashscopeServices, 'deployment'>, askedModel = ''): TaskRow {
  const { scheduled, ended } = taskTimes(video);
  return {
    task_id: video.id,
    status: taskStatus(video),
    // A client that asks by another name of the model reads that name.
    model_name: resolveAlias(askedModel) === video.model ? askedModel : video.model,
    gmt_create: Date.parse(video.created_at),
    ...(scheduled ? { start_time: Date.parse(scheduled) } : {}),
    ...(ended ? { end_time: Date.parse(ended) } : {}),
    region: regionIds[deployment.region],
    api_key_id: video.source.type === 'api' ? video.source.key_id : '',
    request_id: (video.source.type === 'api' && video.source.request_id) || '',
    caller_uid: '',
    caller_parent_id: '',
    user_api_unique_key: '',
  };
}

function pageNumber(text: string | undefined, limits: { name: string; default: number; max: number }): number {
  const number = /^\d{1,7}$/.test(text || String(limits.default)) ? Number(text || limits.default) : 0;
  if (number >= 1 && number <= limits.max) return number;
  throw new DashscopeError(
    'InvalidParameter',
    `${limits.name} is invalid. Use a whole number from 1 to ${limits.max}.`,
  );
}

const day = 24 * 60 * 60 * 1000;

/**
 * The time range of a list: `start_time` to `end_time`, at most 24 hours. A missing one follows from the other; without both it is the
 * last 24 hours. The time zone of the query is undocumented; it is read as UTC+8, like all other times of the reference.
 * @throws DashscopeError for an invalid time, and for a range that is too long or ends before it starts
 */
function readTimeRange(query: { start_time?: string; end_time?: string }, now: number): TimeRange {
  const [start, end] = [readTime('start_time', query.start_time), readTime('end_time', query.end_time)];
  const last = end ?? (start === undefined ? now : start + day);
  const first = start ?? last - day;
  if (last < first || last - first > day) {
    throw new DashscopeError(
      'InvalidParameter',
      'The time range is negative or too long. Give an end_time after start_time, and at most 24 hours after it.',
    );
  }
  // A query has whole seconds, and the last second is included.
  return { start: new Date(first).toISOString(), end: new Date(end === undefined ? last : last + 999).toISOString() };
}

function readTime(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  const [, year, month, date, hours, minutes, seconds] = parts ?? [];
  const iso = parts && wanTimeToIso(`${year}-${month}-${date} ${hours}:${minutes}:${seconds}`);
  // Times in the table have four-digit years.
  if (iso && /^[1-9]\d{3}-/.test(iso)) return Date.parse(iso);
  throw new DashscopeError('InvalidParameter', `${name} is not a time. Use the form YYYYMMDDhhmmss (UTC+8).`);
}

const fields = ['id', 'status', 'model', 'created_at', 'timeline', 'task', 'source'] as const;

/** The fields that a list row is made from. */
type ListedVideo = Pick<VideoRecord, (typeof fields)[number]>;

/** The most videos that a list covers: the newest of its time range. */
const MAX_LISTED = 2000;

/**
 * A query reads 1 MB, about 400 typical records, in about 0.2 s, so 2,000 records take five queries. With the longest prompts a list
 * covers fewer videos and still takes at most 2 s.
 */
const MAX_QUERIES = 10;

/** An owner's videos in a time range, newest first. The owner is the index's key, so no other owner's videos are read. */
async function ownVideosBetween(
  { client, tableName }: Table,
  { owner }: Pick<Caller, 'owner'>,
  { start, end }: TimeRange,
): Promise<ListedVideo[]> {
  const videos: ListedVideo[] = [];
  let position: Record<string, unknown> | undefined;
  for (let queries = 0; queries < MAX_QUERIES && videos.length < MAX_LISTED; queries++) {
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
          // After every id of that millisecond.
          ':end': timeAndId(end, '~'),
        },
        ScanIndexForward: false,
        Limit: MAX_LISTED - videos.length,
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
interface TimeRange {
  start: string;
  end: string;
}
