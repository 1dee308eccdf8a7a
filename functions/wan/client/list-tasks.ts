import { compactTime, compactWanTime } from '../time.ts';
import type { Connection } from './connection.ts';
import { type NoResponse, query as send } from './connection.ts';
import type { TaskStatus } from './query-task.ts';
import { unavailable } from './rejections.ts';
import { listResponse } from './response-schemas.ts';

export type ListQuery = {
  readonly model: string;
  /** ISO 8601: only tasks submitted in this range of at most 16 hours. */
  readonly start_time: string;
  readonly end_time: string;
  readonly status?: TaskStatus;
  /** The clock of the two times in the query: UTC, or Wan's UTC+8. @default `either`, which lists up to 8 hours more */
  readonly clock?: 'utc' | 'wan' | 'either';
  /** From 1. @default 1 */
  readonly page_no?: number;
  /** @default 100 */
  readonly page_size?: number;
};

type ListedTask = {
  task_id: string;
  /** Usually one of the six statuses. */
  status: string;
  /** ISO 8601, UTC. */
  submit_time?: string;
};

export type ListOutcome =
  /** `tasks` may be empty although later pages are not. */
  { outcome: 'tasks'; tasks: ListedTask[]; total_page: number } | NoResponse;

const sixteenHours = 16 * 60 * 60 * 1000;

/**
 * One page of the account's tasks of a model in a time range. The rows have no prompt: use `queryTask`.
 *
 * Whether the query's times are UTC or Wan's UTC+8 is undocumented. So the query starts at the start in UTC and ends at the end in
 * UTC+8, which covers the range on either clock (hence 24 − 8 hours at most), and rows outside of it are removed here.
 *
 * @throws RangeError for a range of more than 16 hours, or one that ends before it starts
 */
export async function listTasks(connection: Connection, query: ListQuery, signal?: AbortSignal): Promise<ListOutcome> {
  const start = Date.parse(query.start_time);
  const end = Date.parse(query.end_time);
  if (!(end >= start && end - start <= sixteenHours)) throw new RangeError('A list covers 0 to 16 hours.');
  const { model, status, clock = 'either', page_no = 1, page_size = 100 } = query;
  const parameters = new URLSearchParams({
    model_name: model,
    start_time: clock === 'wan' ? compactWanTime(start) : compactTime(start),
    end_time: clock === 'utc' ? compactTime(end + 1000) : compactWanTime(end + 1000),
    ...(status ? { status } : {}),
    page_no: String(page_no),
    page_size: String(page_size),
  });
  const response = await send(connection, { method: 'GET', path: `/tasks/?${parameters}`, kind: 'query', signal });
  if (response.outcome !== 'responded') return response;
  const parsed = listResponse.safeParse(response.body);
  if (!parsed.success) return unavailable('response_malformed');
  const { data, total_page } = parsed.data;
  const tasks = data
    .filter(({ model_name }) => model_name === undefined || model_name === model)
    // A row without a time may be in the range: an extra candidate costs a query, a missing one a second payment.
    .filter(({ gmt_create: at }) => at === undefined || at === null || (at >= start - 1000 && at <= end + 1000))
    .map(({ task_id, status, gmt_create: at }) => ({
      task_id,
      status,
      ...(at ? { submit_time: new Date(at).toISOString() } : {}),
    }));
  return { outcome: 'tasks', tasks, total_page: total_page ?? 1 };
}
